import type { Look } from './automaton.ts';

/** The parts of a regular expression; `regex.ts` matches with them. */
export type RegexItem =
  | { readonly kind: 'one'; readonly test: (char: string) => boolean }
  | { readonly kind: 'look'; readonly test: Look }
  | { readonly kind: 'choice'; readonly choices: readonly (readonly RegexItem[])[] }
  | { readonly kind: 'repeat'; readonly item: RegexItem; readonly least: number; readonly most: number };

type Test = (char: string) => boolean;

interface Reader {
  readonly text: string;
  at: number;
}

export class RegexError extends Error {}

/** Java's signs (CP 2.10), as far as a set of states can judge them. Throws a RegexError that says what is wrong. */
export function parseRegex(text: string): RegexItem {
  const reader: Reader = { text, at: 0 };
  const item = readChoice(reader);
  if (reader.at < text.length) throw new RegexError('a parenthesis ) closes nothing');
  return item;
}

/** Reads to the end of the pattern or to a `)`, which it leaves. */
function readChoice(reader: Reader): RegexItem {
  const choices: RegexItem[][] = [[]];
  for (let char = peek(reader); char !== '' && char !== ')'; char = peek(reader)) {
    if (char === '|') {
      reader.at += 1;
      choices.push([]);
    } else choices.at(-1)?.push(readQuantified(reader));
  }
  return { kind: 'choice', choices };
}

function readQuantified(reader: Reader): RegexItem {
  const item = readItem(reader);
  const [sign, lowest, comma, highest] = take(reader, /[*+?]|\{(\d{1,9})(?:(,)(\d{1,9})?)?\}/y) ?? [];
  if (sign === undefined) return item;
  // How much is taken first makes no difference to the whole value.
  if (take(reader, /\?/y) === undefined && peek(reader) === '+') throw unsupported('a possessive quantifier');
  if (sign === '*' || sign === '+') return { kind: 'repeat', item, least: Number(sign === '+'), most: Infinity };
  if (sign === '?') return { kind: 'repeat', item, least: 0, most: 1 };
  const least = Number(lowest);
  const most = comma === undefined ? least : Number(highest ?? Infinity);
  if (most < least) throw new RegexError(`the quantifier ${sign} runs backwards`);
  return { kind: 'repeat', item, least, most };
}

function readItem(reader: Reader): RegexItem {
  const char = next(reader);
  switch (char) {
    case '(':
      return readGroup(reader);
    case '[':
      return { kind: 'one', test: readClass(reader) };
    case '\\':
      return readEscaped(reader);
    case '.':
      return { kind: 'one', test: (other) => !/[\n\r\u0085\u2028\u2029]/.test(other) };
    case '^':
      return { kind: 'look', test: (before) => before === undefined };
    case '$':
      return { kind: 'look', test: (_before, after) => after === undefined };
    case '*':
    case '+':
    case '?':
    case '{':
      throw new RegexError(`the quantifier ${char} repeats nothing`);
    default:
      return { kind: 'one', test: asTest(char) };
  }
}

/** Nothing refers to a group, so a named one is like any other. */
function readGroup(reader: Reader): RegexItem {
  take(reader, /\?:|\?<[A-Za-z][A-Za-z\d]*>/y);
  const special = take(reader, /\?<?.?/y);
  if (special) throw unsupported(`(${special[0]}`);
  const item = readChoice(reader);
  if (next(reader) !== ')') throw new RegexError('a parenthesis ( is never closed');
  return item;
}

function readEscaped(reader: Reader): RegexItem {
  const sign = take(reader, /[bBAzZ]/y)?.[0];
  if (sign === undefined) return { kind: 'one', test: asTest(readEscape(reader)) };
  if (sign === 'A') return { kind: 'look', test: (before) => before === undefined };
  if (sign === 'z' || sign === 'Z') return { kind: 'look', test: (_before, after) => after === undefined };
  return { kind: 'look', test: (before, after) => (isWord(before) !== isWord(after)) === (sign === 'b') };
}

function isWord(char: string | undefined): boolean {
  return char !== undefined && /\w/.test(char);
}

const sets: Readonly<Record<string, RegExp>> = { d: /\d/, w: /\w/, s: /[ \t\n\v\f\r]/ };
const controls: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f', a: '\x07', e: '\x1b' };

/** After a backslash: the one character that it stands for, or the test of a set. */
function readEscape(reader: Reader): string | Test {
  const code = take(reader, /x([\dA-Fa-f]{2})|u([\dA-Fa-f]{4})/y);
  if (code) return String.fromCharCode(parseInt(code[1] ?? code[2] ?? '', 16));
  const char = next(reader);
  if (char === '') throw new RegexError('a backslash at the end escapes nothing');
  const set = sets[char.toLowerCase()];
  if (set) return (other) => set.test(other) === (char === char.toLowerCase());
  const control = controls[char];
  if (control === undefined && /[A-Za-z\d]/.test(char)) throw unsupported(`\\${char}`);
  return control ?? char;
}

/** After `[`. */
function readClass(reader: Reader): Test {
  const negated = take(reader, /\^/y) !== undefined;
  const tests: Test[] = [];
  while (peek(reader) !== ']' || tests.length === 0) tests.push(readRange(reader));
  reader.at += 1;
  return (char) => tests.some((test) => test(char)) !== negated;
}

function readRange(reader: Reader): Test {
  const from = readMember(reader);
  if (typeof from !== 'string' || take(reader, /-(?!\])/y) === undefined) return asTest(from);
  const to = readMember(reader);
  if (typeof to !== 'string') throw new RegexError('a range ends in a set');
  if (codeOf(to) < codeOf(from)) throw new RegexError(`the range ${from}-${to} runs backwards`);
  return (char) => codeOf(from) <= codeOf(char) && codeOf(char) <= codeOf(to);
}

function readMember(reader: Reader): string | Test {
  if (take(reader, /&&|\[/y)) throw unsupported('[ or && inside brackets');
  const char = next(reader);
  if (char === '') throw new RegexError('a bracket [ is never closed');
  return char === '\\' ? readEscape(reader) : char;
}

function codeOf(char: string): number {
  return char.codePointAt(0) ?? 0;
}

function asTest(wanted: string | Test): Test {
  return typeof wanted === 'string' ? (char) => char === wanted : wanted;
}

function unsupported(what: string): RegexError {
  return new RegexError(`${what} is not supported`);
}

/** The character at this place, or nothing at the end. */
function peek({ text, at }: Reader): string {
  return at < text.length ? String.fromCodePoint(text.codePointAt(at) ?? 0) : '';
}

function next(reader: Reader): string {
  const char = peek(reader);
  reader.at += char.length;
  return char;
}

/** What a sticky pattern finds at this place, which is passed. */
function take(reader: Reader, sticky: RegExp): RegExpExecArray | undefined {
  sticky.lastIndex = reader.at;
  const found = sticky.exec(reader.text) ?? undefined;
  reader.at += found?.[0].length ?? 0;
  return found;
}
