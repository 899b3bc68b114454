#!/bin/sh
# Puts each page between head and foot, and checks that links lead somewhere.
set -eu
rm -rf public
mkdir public
cp style.css public/
for page in pages/*.html; do
  name=$(basename "$page")
  cat parts/head.part "$page" parts/foot.part > "public/$name"
done
broken=0
for page in public/*.html; do
  for target in $(grep -o 'href="[^"#:]*"' "$page" | cut -d '"' -f 2); do
    [ -e "public/$target" ] || { echo "$page: links to $target, which does not exist"; broken=1; }
  done
done
[ "$broken" = 0 ]
echo "built $(ls public | wc -l) files"
