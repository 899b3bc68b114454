#!/bin/sh
set -eu
cd "$(dirname "$0")"
expected='+-----------+
| Ada       |
| 1 Mill Rd |
| Upham     |
+-----------+'
[ "$(sh label.sh Ada '1 Mill Rd' Upham)" = "$expected" ] || { echo 'label.test.sh:9: the label looks different'; exit 1; }
if sh label.sh Ada 2> /dev/null; then echo 'label.test.sh:10: half an address was taken'; exit 1; fi
echo 'labels: 2 tests passed'
