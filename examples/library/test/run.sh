#!/bin/sh
# Compares what slug prints with what it should print; one line for each case.
. "$(dirname "$0")/../lib/slug.sh"
failed=0

expect() {
  got=$(slug "$1")
  if [ "$got" = "$2" ]; then
    echo "ok       slug '$1' is '$2'"
  else
    echo "WRONG    slug '$1' is '$got', should be '$2'"
    failed=$((failed + 1))
  fi
}

expect 'Release Notes' 'release-notes'
expect '  What is new?  ' 'what-is-new'
expect 'v1.2 -- the "quiet" one' 'v1-2-the-quiet-one'
expect '' ''

echo "$failed wrong"
[ "$failed" -eq 0 ]
