#!/bin/sh
here=$(dirname "$0")
got=$(printf 'tea 2\ncup 1\ntea 3\n' | sh "$here/worker.sh")
wanted=$(printf 'cup 1\ntea 5')
if [ "$got" != "$wanted" ]; then
  echo "totals are wrong: got"
  echo "$got"
  exit 1
fi
if printf 'tea two\n' | sh "$here/worker.sh" 2>/dev/null; then
  echo 'an order without a number was accepted'
  exit 1
fi
echo 'totals are right, and a bad order is refused'
