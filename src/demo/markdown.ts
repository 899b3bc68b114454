import { columns, wrapLine, type Paint } from './typography.ts';

/**
 * Shows the Markdown that Penstock writes (its own subset: headings, bold, code, links, tables, fences) on a terminal,
 * in about the shape in which GitHub shows it.
 */
export function renderMarkdown(text: string, width: number, paint: Paint): readonly string[] {
  const lines: string[] = [];
  let rows: string[] = [];
  let fence: string | undefined;
  const endTable = () => {
    if (rows.length > 0) lines.push(...tableLines(rows, width, paint));
    rows = [];
  };
  for (const line of withoutMarkup(text).split('\n')) {
    const ticks = /^`{3,}/.exec(line)?.[0];
    if (line.startsWith('|')) {
      rows.push(line);
      continue;
    }
    endTable();
    if (ticks !== undefined && (fence === undefined || ticks.length >= fence.length)) {
      fence = fence === undefined ? ticks : undefined;
    } else if (fence !== undefined) {
      lines.push(...wrapLine(`    ${line}`, width));
    } else {
      lines.push(...paragraph(line, width, paint));
    }
  }
  endTable();
  return trimmed(lines);
}

function paragraph(line: string, width: number, paint: Paint): readonly string[] {
  const heading = /^#+ (.*)$/.exec(line)?.[1];
  if (heading !== undefined) return wrapLine(plainText(heading), width).map((part) => paint('strong', part));
  const verdict = line.startsWith('**');
  const [first = '', ...rest] = wrapLine(plainText(line), width);
  return [verdict ? paint('strong', first) : first, ...rest];
}

function tableLines(rows: readonly string[], width: number, paint: Paint): readonly string[] {
  const cellsOf = (row: string) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => plainText(cell.trim()));
  const [heading = '', ...rest] = columns(rows.filter((row) => !/^\|[\s|:-]+\|$/.test(row)).map(cellsOf));
  return [paint('faint', heading), ...rest].map((line) => line.slice(0, Math.max(width, heading.length)));
}

function withoutMarkup(text: string): string {
  return text.replaceAll(/<!--[^]*?-->/g, '').replaceAll(/<\/?sub>/g, '');
}

/** Without emphasis, ticks, addresses and invisible characters. */
export function plainText(line: string): string {
  return line
    .replaceAll(/\[([^\]]*)\]\(<[^>]*>\)/g, '$1')
    .replaceAll(/\*\*/g, '')
    .replaceAll(/`/g, '')
    .replaceAll(/&#(\d+);/g, (_, number: string) => String.fromCodePoint(Number(number)))
    .replaceAll(/\p{Cf}/gu, '');
}

function trimmed(lines: readonly string[]): readonly string[] {
  const kept = lines.filter((line, index) => line !== '' || (index > 0 && lines[index - 1] !== ''));
  while (kept.at(-1) === '') kept.pop();
  return kept;
}
