/** The word that was probably meant: the same but for case, or at most two letters away; one in short words. */
export function closest(wrong: string, known: readonly string[]): string | undefined {
  const lower = wrong.toLowerCase();
  const same = known.find((word) => word.toLowerCase() === lower);
  if (same !== undefined || wrong.length < 4 || wrong.length > 60) return same;
  const ranked = known
    .map((word) => ({ word, away: distance(lower, word.toLowerCase()) }))
    .toSorted((a, b) => a.away - b.away);
  const most = wrong.length < 6 ? 1 : 2;
  return ranked[0] && ranked[0].away <= most ? ranked[0].word : undefined;
}

/** Letters to add, drop or change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of a.split('').entries()) {
    const next = [i + 1];
    for (const [j, other] of b.split('').entries()) {
      const change = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
