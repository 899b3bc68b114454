# slug TEXT: prints TEXT as a part of an address: lower case, words joined by single dashes.
slug() {
  printf '%s' "$1" | tr '[:upper:]' '[:lower:]' | tr -cs 'a-z0-9' '-' | sed 's/^-//; s/-$//'
}
