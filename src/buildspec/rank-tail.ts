import { plain } from './log-findings.ts';
import { messageForms } from './log-forms.ts';

/**
 * The lines of a log that matter to who has to mend it, in their order, `…` where something is left out.
 * Lines that look like errors are taken with what stands around them, and the end is always there.
 */
export function rankTail(lines: readonly string[], most: number): readonly string[] {
  if (lines.length <= most) return lines;
  const scores = lines.map((line) => scoreOf(plain(line.slice(0, 500))));
  const end = Math.min(5, Math.floor(most / 4));
  const chosen = new Set<number>();
  for (let index = lines.length - end; index < lines.length; index += 1) chosen.add(index);
  const best = scores
    .map((score, index) => ({ score, index }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || b.index - a.index);
  for (const { index } of best) {
    const around = [index, index + 1, index - 1, index + 2].filter(
      (at) => at >= 0 && at < lines.length && !chosen.has(at),
    );
    if (chosen.size + gapsOf(chosen) + around.length + 1 > most) break;
    for (const at of around) chosen.add(at);
  }
  fillFromTheEnd(chosen, lines.length, most);
  return withGaps(
    lines,
    [...chosen].sort((a, b) => a - b),
  );
}

const marks: readonly (readonly [RegExp, number])[] = [
  [/^\[Container\] .*(Command did not exit successfully|Message: \S)/, 4],
  [/^\[(Container|penstock)\]/, -3],
  [/\b(error|fatal|panic|exception|traceback|segmentation fault|core dumped|undefined reference)\b/i, 4],
  [/(^|\s)(not ok|FAIL(ED|URE)?S?|✗|✖|×)(\s|:|$)/, 4],
  [/\b(assert(ion)?(error)?|expected|received|actual|mismatch)\b/i, 3],
  [
    /(cannot|can't|could not|unable to|no such file|not found|permission denied|denied|refused|timed? ?out|killed|out of memory)/i,
    2,
  ],
  [/^\s*(?:\S+ )?[^\s:()]+:\d+(:\d+)?\b/, 2],
  [/^e: \S/, 4],
  [/\bwarn(ing)?\b/i, -1],
  [/\b0 (errors?|failed|failures)\b|errors?: 0\b|\bno errors\b|(^|\s)(ok \d+|✓|✔|PASS)(\s|$)/i, -5],
  [/A complete log of this run can be found|npm (ERR!|error) (code|errno|syscall|path|command)/, -3],
];

function scoreOf(line: string): number {
  const marked = marks.reduce((sum, [pattern, weight]) => (pattern.test(line) ? sum + weight : sum), 0);
  const message = messageForms.find(({ pattern }) => pattern.test(line));
  return marked + (message === undefined ? 0 : message.level === 'warning' ? 1 : 3);
}

/** Room that is left is used for what came just before the end. */
function fillFromTheEnd(chosen: Set<number>, count: number, most: number): void {
  for (let index = count - 1; index >= 0 && chosen.size + gapsOf(chosen) < most; index -= 1) chosen.add(index);
}

function gapsOf(chosen: ReadonlySet<number>): number {
  const sorted = [...chosen].sort((a, b) => a - b);
  return sorted.filter((index, place) => index > 0 && sorted[place - 1] !== index - 1).length;
}

function withGaps(lines: readonly string[], indices: readonly number[]): readonly string[] {
  return indices.flatMap((index, place) => {
    const gap = index > 0 && indices[place - 1] !== index - 1;
    return gap ? ['…', lines[index] ?? ''] : [lines[index] ?? ''];
  });
}
