import type { Evidence } from './checks.ts';
import { renderMarkdown } from './markdown.ts';
import { cut, pad, painter, wrap, wrapLine, type Paint, type Tone } from './typography.ts';

/** Tells the story in lines of at most 80 cells. Only whole lines go out, so a log of it reads like the terminal. */
export interface Narrator {
  readonly paint: Paint;
  title(text: string, below: string): void;
  act(text: string): void;
  say(text: string): void;
  /** `label` stands in a column of its own. */
  fact(label: string, text: string): void;
  /** Something that happened just now. */
  event(event: StoryEvent): void;
  /** Words of somebody else, with a line down their side. */
  quote(lines: readonly string[]): void;
  markdown(text: string): void;
  /** As it is. */
  lines(lines: readonly string[]): void;
  /** Something that was checked. */
  held(text: string): void;
  deviation(expected: string, seen: string, evidence: readonly Evidence[]): void;
  /** The last line. */
  end(good: boolean, text: string): void;
}

export interface StoryEvent {
  readonly tone: Tone;
  readonly mark: string;
  readonly what: string;
  readonly text: string;
}

const width = 80;
const indent = '   ';
const labelWidth = 11;
const eventWidth = 14;

export function createNarrator(out: (text: string) => void, color: boolean, seconds: () => number): Narrator {
  const paint = painter(color);
  let acts = 0;
  const body = (lines: readonly string[]) => lines.forEach((line) => out(line === '' ? '' : `${indent}${line}`));
  const quote = (lines: readonly string[]) =>
    body(lines.flatMap((line) => wrapLine(line, width - 5)).map((line) => `${paint('faint', '│')} ${line}`.trimEnd()));
  return {
    paint,
    title(text, below) {
      out(paint('strong', text));
      for (const line of wrap(below, width)) out(line);
    },
    act(text) {
      acts += 1;
      out('');
      out(paint('strong', `${acts}  ${text}`));
    },
    say: (text) => body(wrap(text, width - indent.length)),
    fact(label, text) {
      const lines = wrap(text, width - indent.length - labelWidth);
      body(lines.map((line, index) => `${paint('faint', pad(index === 0 ? label : '', labelWidth))}${line}`));
    },
    event({ tone, mark, what, text }) {
      const at = `${seconds().toFixed(1).padStart(6)}s`;
      out(`${paint('faint', at)} ${paint(tone, mark)} ${pad(what, eventWidth)} ${cut(text, width - 26)}`.trimEnd());
    },
    quote,
    markdown: (text) => body(renderMarkdown(text, width - indent.length, paint)),
    lines: body,
    held: (text) =>
      body(wrap(text, width - 5).map((line, index) => `${index === 0 ? paint('good', '✓') : ' '} ${line}`)),
    deviation(expected, seen, evidence) {
      out('');
      out(paint('bad', '✗  The demo did not go as it should.'));
      for (const [label, text] of [
        ['Expected', expected],
        ['Seen', seen],
      ] as const) {
        body(
          wrap(text, width - indent.length - labelWidth).map(
            (line, i) => `${pad(i === 0 ? label : '', labelWidth)}${line}`,
          ),
        );
      }
      for (const { heading, lines } of evidence) {
        body(['', ...wrap(heading, width - indent.length)]);
        quote(lines);
      }
    },
    end(good, text) {
      out('');
      wrap(text, width - 3).forEach((line, index) => {
        out(index === 0 ? `${paint(good ? 'good' : 'bad', good ? '✓' : '✗')}  ${line}` : `${indent}${line}`);
      });
    },
  };
}
