/** The word that was probably meant: the same but for case, or at most two edits away; one in short words. */
export function closest(wrong: string, known: readonly string[]): string | undefined {
  const lower = wrong.toLowerCase();
  const same = known.find((word) => word.toLowerCase() === lower);
  if (same !== undefined || wrong.length < 3 || wrong.length > 60) return same;
  const ranked = known
    .map((word) => ({ word, away: editDistance(lower, word.toLowerCase()) }))
    .toSorted((a, b) => a.away - b.away);
  const most = wrong.length < 6 ? 1 : 2;
  return ranked[0] && ranked[0].away <= most ? ranked[0].word : undefined;
}

/** Insertions, deletions, replacements, and swaps of neighbours, each once (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}
