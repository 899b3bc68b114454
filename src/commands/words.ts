/** Reads a line word by word, quoting as a shell does: "two words", 'as is', back\ slash, key="two words". */

export interface Word {
  readonly value: string;
  /** The part before the first unquoted `=`, if it looks like a name. `value` is then what follows. */
  readonly key?: string;
  readonly quoted: boolean;
  /** Where it begins and where the next may begin, in the line. */
  readonly start: number;
  readonly end: number;
}

export type WordRead =
  | { readonly kind: 'word'; readonly word: Word }
  | { readonly kind: 'end' }
  | { readonly kind: 'unclosed'; readonly quote: string };

const keyPattern = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/**
 * The next word at or after `from`. Quotes count only at the beginning of a word or right after `=`, so that
 * an apostrophe inside a word stays an apostrophe.
 */
export function readWord(line: string, from: number): WordRead {
  let at = from;
  while (isBlank(line[at])) at += 1;
  if (at >= line.length) return { kind: 'end' };
  const start = at;
  let key: string | undefined;
  let value = '';
  let quoted = false;
  while (at < line.length && !isBlank(line[at])) {
    const char = line[at] ?? '';
    if ((char === '"' || char === "'") && value === '' && !quoted) {
      const part = readQuoted(line, at);
      if (!part) return { kind: 'unclosed', quote: char };
      value = part.value;
      quoted = true;
      at = part.end;
    } else if (char === '=' && key === undefined && !quoted && keyPattern.test(value)) {
      key = value;
      value = '';
      at += 1;
    } else if (char === '\\' && at + 1 < line.length) {
      value += line[at + 1];
      at += 2;
    } else {
      value += char;
      at += 1;
    }
  }
  return { kind: 'word', word: { value, ...(key === undefined ? {} : { key }), quoted, start, end: at } };
}

function readQuoted(line: string, open: number): { value: string; end: number } | undefined {
  const quote = line[open];
  let value = '';
  for (let at = open + 1; at < line.length; at += 1) {
    const char = line[at];
    if (char === quote) return { value, end: at + 1 };
    const next = line[at + 1];
    if (char === '\\' && quote === '"' && (next === '"' || next === '\\')) {
      value += next;
      at += 1;
    } else value += char;
  }
  return undefined;
}

function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t';
}
