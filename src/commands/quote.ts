/**
 * A word of somebody else inside one of our sentences, as inline code that nothing in it can leave: no mention, no link,
 * no other markup (SEC R11). At most 80 characters of it.
 */
export function quote(word: string): string {
  const plain = word
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
    .replaceAll('`', "'")
    .trim();
  const characters = Array.from(plain);
  return `\`${characters.length > 80 ? `${characters.slice(0, 79).join('')}…` : plain || ' '}\``;
}

/** At most ten words, quoted. */
export function quoteList(words: readonly string[]): string {
  const shown = words.slice(0, 10).map(quote);
  return words.length > 10 ? `${shown.join(', ')} and ${words.length - 10} more` : shown.join(', ');
}
