#!/bin/sh
# Usage: check.sh <program>
set -eu
rle=$1

same() {
  [ "$2" = "$3" ] || { echo "check.sh: $1: expected '$2', got '$3'" >&2; exit 1; }
  echo "ok: $1"
}

same 'runs are counted' '3a1b2c' "$(printf aaabcc | "$rle")"
same 'nothing stays nothing' '' "$("$rle" < /dev/null)"
same 'decoding undoes encoding' 'wwwwwwwwwwwwx' "$(printf wwwwwwwwwwwwx | "$rle" | "$rle" -d)"
if printf abc | "$rle" -d 2> /dev/null; then
  echo 'check.sh: a letter without a count was taken' >&2
  exit 1
fi
echo 'ok: a letter without a count is refused'
