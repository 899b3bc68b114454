import { stripVTControlCharacters, styleText } from 'node:util';

/** How lines look in a terminal or a log: pure text in, lines out. */

export type Tone = 'plain' | 'strong' | 'faint' | 'good' | 'bad' | 'busy' | 'wait';
export type Paint = (tone: Tone, text: string) => string;

const formats = {
  plain: 'reset',
  strong: 'bold',
  faint: 'dim',
  good: 'green',
  bad: 'red',
  busy: 'cyan',
  wait: 'yellow',
} as const;

export function painter(color: boolean): Paint {
  return (tone, text) =>
    color && tone !== 'plain' && text !== '' ? styleText(formats[tone], text, { validateStream: false }) : text;
}

/** Cells that a terminal needs: most emoji take two, joiners and colour none. */
export function cells(text: string): number {
  let width = 0;
  for (const { segment } of graphemes.segment(stripVTControlCharacters(text))) {
    if (/^[\p{Cf}\p{Mn}]+$/u.test(segment)) continue;
    width += /\p{Emoji_Presentation}|\uFE0F/u.test(segment) ? 2 : 1;
  }
  return width;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - cells(text)));
}

export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** Breaks between words; a word that is longer than a line is cut into pieces. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((one) => pieces(one, width))) {
    if (line !== '' && cells(line) + 1 + cells(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function pieces(word: string, width: number): readonly string[] {
  if (cells(word) <= width) return [word];
  const parts: string[] = [];
  for (let rest = word; rest !== ''; rest = rest.slice(width)) parts.push(rest.slice(0, width));
  return parts;
}

/** Keeps the indentation of a line of a log on every line that it needs. */
export function wrapLine(line: string, width: number): readonly string[] {
  const indent = /^ */.exec(line)?.[0].slice(0, width / 2) ?? '';
  return wrap(line.trim(), width - indent.length).map((part) => `${indent}${part}`);
}

/** Columns as wide as their widest cell, two spaces apart. The first row is the heading. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => cells(row[column] ?? ''))));
  return rows.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

export interface Span {
  readonly label: string;
  readonly from: Date;
  readonly to: Date;
}

/** One line for each span on one common axis, with its beginning, its end and how long it took. */
export function timeline(spans: readonly Span[], width: number): readonly string[] {
  const start = Math.min(...spans.map(({ from }) => from.getTime()));
  const end = Math.max(...spans.map(({ to }) => to.getTime()));
  const labels = Math.max(...spans.map(({ label }) => label.length));
  const room = width - labels - 2 - timesWidth;
  const scale = (at: Date) => Math.round(((at.getTime() - start) / Math.max(1, end - start)) * room);
  return spans.map(({ label, from, to }) => {
    const bar = '█'.repeat(Math.max(1, scale(to) - scale(from)));
    const times = `${clock(from)} to ${clock(to)}`;
    return `${label.padEnd(labels)}  ${(' '.repeat(Math.min(scale(from), room - 1)) + bar).padEnd(room)} ${times}`;
  });
}

const timesWidth = ' 04:55:13.64 to 04:55:16.20'.length;

/** Hundredths of a second, UTC. */
function clock(at: Date): string {
  return at.toISOString().slice(11, 22);
}
