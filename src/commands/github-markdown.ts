/**
 * What GitHub makes of the lines of one paragraph beyond CommonMark: a table, a footnote, a formula, struck-out text.
 * Answers for each line whether it is a part of such a thing, and so nothing that is said plainly (SEC-B-22).
 */
export function extendedLines(lines: readonly string[]): readonly boolean[] {
  if (lines.some(isDelimiterRow)) return lines.map(() => true);
  const footnote = lines.findIndex((line) => /^ {0,3}\[\^[^\]\s]+\]:/.test(line));
  const struck = struckLines(lines);
  let isFormula = false;
  return lines.map((line, index) => {
    const isFence = line.trim() === '$$';
    if (isFence) isFormula = !isFormula;
    return isFormula || isFence || struck.has(index) || (footnote !== -1 && index >= footnote);
  });
}

/** `| --- | --- |`, or `:-:` alone for one column. */
function isDelimiterRow(line: string): boolean {
  return /^[ \t|:-]+$/.test(line) && line.includes('-') && /[|:]/.test(line);
}

/** Lines that begin between `~` or `~~` and the next one of the same length. */
function struckLines(lines: readonly string[]): ReadonlySet<number> {
  const struck = new Set<number>();
  const opened = new Map<string, number>();
  lines.forEach((line, index) => {
    for (const { 0: run, index: at } of line.matchAll(/(?<![\\~])~{1,2}(?!~)/g)) {
      const before = line[at - 1] ?? ' ';
      const after = line[at + run.length] ?? ' ';
      const from = opened.get(run);
      if (from !== undefined && before !== ' ') {
        for (let between = from + 1; between <= index; between += 1) struck.add(between);
        opened.delete(run);
      } else if (from === undefined && after !== ' ') opened.set(run, index);
    }
  });
  return struck;
}
