import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Document, type Node } from 'yaml';
import type { Problem } from '../pipeline/problem.ts';

/**
 * A YAML document that is read key by key, every complaint with its line. Reading goes on after a complaint, so that
 * one look shows them all; who reads checks `problems` at the end.
 */
export interface Reader {
  readonly problems: readonly Problem[];
  readonly root: Cursor;
}

/** A place in the document; `node` is undefined where nothing is written. */
export interface Cursor {
  readonly node: Node | undefined;
  readonly path: string;
  complain(message: string, mend: string, rule?: string): void;
  at(key: string): Cursor;
  /** The keys of a map; a complaint and none when it is something else. Unknown keys are complained about. */
  keys(known?: readonly string[]): readonly string[];
  items(): readonly Cursor[];
  /** Text, or a number or truth value as it is written. Undefined where nothing is written. */
  text(): string | undefined;
}

const maxBytes = 256 * 1024;
const maxProblems = 50;
const maxAliases = 100;

export function openDocument(text: string, file: string): Reader {
  const problems: Problem[] = [];
  const lines = new LineCounter();
  const report = (offset: number, path: string, words: readonly [string, string, string?]): void => {
    if (problems.length >= maxProblems) return;
    const { line, col } = lines.linePos(offset);
    const [message, mend, rule] = words;
    const place = { line: Math.max(1, line), column: Math.max(1, col) };
    problems.push({ severity: 'error', file, ...place, path, message, mend, ...(rule === undefined ? {} : { rule }) });
  };
  const document = parse(text, lines, report);
  const root = cursorOf(document?.contents ?? undefined, { path: '', offset: 0 }, { document, report });
  return { problems, root };
}

type Report = (offset: number, path: string, words: readonly [message: string, mend: string, rule?: string]) => void;

function parse(text: string, lines: LineCounter, report: Report): Document | undefined {
  if (Buffer.byteLength(text) > maxBytes) {
    report(0, '', [`The buildspec has more than ${maxBytes} bytes.`, 'Move long scripts into files of their own.']);
    return undefined;
  }
  if (deepest(text) > 64) {
    report(0, '', ['Brackets are nested more than 64 deep.', 'Write a flatter file.']);
    return undefined;
  }
  const document = parseDocument(text, { lineCounter: lines, version: '1.2', prettyErrors: false, stringKeys: true });
  for (const error of document.errors) {
    const message = error.message.split('\n')[0] ?? '';
    report(error.pos[0], '', [
      `The YAML cannot be read: ${message.replace(/\.?$/, '.')}`,
      'Correct it here; texts with ": " or " #" need quotes.',
      'CP-B-12',
    ]);
  }
  let aliases = 0;
  visit(document, {
    Alias: () => {
      aliases += 1;
      return aliases > maxAliases ? visit.BREAK : undefined;
    },
  });
  if (aliases > maxAliases)
    report(0, '', [`The buildspec has more than ${maxAliases} aliases.`, 'Write the parts out.']);
  return document.errors.length > 0 || aliases > maxAliases ? undefined : document;
}

/** The parser recurses, so its cost is bounded before it begins (SEC-D-17). */
function deepest(text: string): number {
  let [depth, most] = [0, 0];
  for (const character of text) {
    if (character === '[' || character === '{') most = Math.max(most, (depth += 1));
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
  }
  return most;
}

interface Place {
  readonly path: string;
  /** Of the key or the parent: where to point when nothing is written. */
  readonly offset: number;
}

interface Source {
  readonly document: Document | undefined;
  readonly report: Report;
}

function cursorOf(written: unknown, place: Place, source: Source): Cursor {
  const resolved = isAlias(written) && source.document !== undefined ? written.resolve(source.document) : written;
  const node =
    isScalar(resolved) && resolved.value === null ? undefined : ((resolved ?? undefined) as Node | undefined);
  const offset =
    isMap(node) || isSeq(node) ? place.offset : ((written as Node | undefined)?.range?.[0] ?? place.offset);
  const complain = (message: string, mend: string, rule?: string): void =>
    source.report(offset, place.path, rule === undefined ? [message, mend] : [message, mend, rule]);
  const child = (value: unknown, key: string | number, start: number | undefined): Cursor =>
    cursorOf(value, { path: pathOf(place.path, key), offset: start ?? offset }, source);
  return {
    node,
    path: place.path,
    complain,
    at: (key) => {
      const pair = isMap(node) ? node.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
      return child(pair?.value, key, isScalar(pair?.key) ? pair.key.range?.[0] : undefined);
    },
    keys: (known) => keysOf(node, known, { place, complain, child }),
    items: () => {
      if (node !== undefined && !isSeq(node))
        complain(`${nameOf(place.path)} must be a list.`, 'Begin each entry with "- " on a line of its own.');
      return isSeq(node) ? node.items.map((item, index) => child(item, index, (item as Node | null)?.range?.[0])) : [];
    },
    text: () => textOf(node, place.path, complain),
  };
}

interface Around {
  readonly place: Place;
  readonly complain: Cursor['complain'];
  readonly child: (value: unknown, key: string, offset: number | undefined) => Cursor;
}

function keysOf(node: Node | undefined, known: readonly string[] | undefined, around: Around): readonly string[] {
  if (node === undefined) return [];
  if (!isMap(node)) {
    around.complain(
      `${nameOf(around.place.path)} must be keys with values.`,
      'Write "key: value" on lines of their own.',
    );
    return [];
  }
  const keys: string[] = [];
  for (const { key } of node.items) {
    const name = isScalar(key) ? String(key.value) : '';
    const unknown = known !== undefined && !known.includes(name);
    const range = isScalar(key) ? key.range?.[0] : undefined;
    if (unknown)
      around
        .child(undefined, name, range)
        .complain(`"${name.slice(0, 80)}" is not a key here.`, `Known keys: ${known.join(', ')}.`);
    else if (name === '__proto__') around.complain('A key cannot be "__proto__".', 'Choose another name.');
    else keys.push(name);
  }
  return keys;
}

function textOf(node: Node | undefined, path: string, complain: Cursor['complain']): string | undefined {
  if (node === undefined) return undefined;
  if (isScalar(node)) return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
  if (isMap(node)) {
    complain(
      `${nameOf(path)} is read as a key with a value, because it holds ": ".`,
      'Put the whole text into quotes.',
      'CP-B-12',
    );
  } else {
    complain(`${nameOf(path)} must be a text.`, 'Write one text, not a list.');
  }
  return undefined;
}

function pathOf(parent: string, key: string | number): string {
  if (typeof key === 'number') return `${parent}[${key}]`;
  return parent === '' ? key : `${parent}.${key}`;
}

function nameOf(path: string): string {
  return path === '' ? 'The buildspec' : path;
}
