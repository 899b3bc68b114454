#!/bin/sh
# Usage: label.sh <name> <street> <town>: a label, as wide as its longest line.
set -eu
[ $# = 3 ] || { echo 'usage: label.sh <name> <street> <town>' >&2; exit 2; }
printf '%s\n' "$@" | awk '
  { line[NR] = $0; if (length($0) > width) width = length($0) }
  END {
    rule = sprintf("%" (width + 2) "s", ""); gsub(/ /, "-", rule)
    print "+" rule "+"
    for (i = 1; i <= NR; i++) printf "| %-" width "s |\n", line[i]
    print "+" rule "+"
  }'
