#!/bin/sh
# Reads orders, one "item quantity" a line, and prints the total of each item, sorted by item.
awk '
  NF != 2 || $2 !~ /^[0-9]+$/ { print "line " NR ": not an order: " $0 > "/dev/stderr"; bad = 1; next }
  { total[$1] += $2 }
  END { for (item in total) print item, total[item] | "sort"; exit bad }
'
