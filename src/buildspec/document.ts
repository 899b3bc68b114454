import { isAlias, isMap, isScalar, isSeq, LineCounter, type Document, type Node, type YAMLMap } from 'yaml';
import { closest } from '../pipeline/closest.ts';
import type { Problem } from '../pipeline/problem.ts';
import { parseYaml, type Report } from './parse-yaml.ts';

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
  /** Whether something was said already about this place or what is below it. */
  faulty(): boolean;
  at(key: string): Cursor;
  /** Another key was written where probably this one was meant, and is told as such: it is not missing as well. */
  misspells(key: string): boolean;
  /** The keys of a map; a complaint and none when it is something else. Unknown keys are complained about. */
  keys(known?: readonly string[]): readonly string[];
  items(): readonly Cursor[];
  /** Text, or a number or truth value as it is written. Undefined where nothing is written. */
  text(): string | undefined;
}

const maxProblems = 50;

export function openDocument(text: string, file: string): Reader {
  const problems: Problem[] = [];
  const lines = new LineCounter();
  const report: Report = (offset, path, words) => {
    if (problems.length >= maxProblems) return;
    const { line, col } = lines.linePos(offset);
    const [message, mend, rule] = words;
    const place = { line: Math.max(1, line), column: Math.max(1, col) };
    problems.push({ severity: 'error', file, ...place, path, message, mend, ...(rule === undefined ? {} : { rule }) });
  };
  const document = parseYaml(text, lines, report);
  const root = cursorOf(document?.contents ?? undefined, { path: '', offset: 0 }, { document, report, problems });
  return { problems, root };
}

interface Place {
  readonly path: string;
  /** Of the key or the parent: where to point when nothing is written. */
  readonly offset: number;
}

interface Source {
  readonly document: Document | undefined;
  readonly report: Report;
  readonly problems: readonly Problem[];
}

function cursorOf(written: unknown, place: Place, source: Source): Cursor {
  const resolved = resolve(written, source.document);
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
    faulty: () => source.problems.some(({ path }) => path === place.path || isBelow(path, place.path)),
    at: (key) => {
      const pair = pairsOf(node, source.document).get(key);
      return child(pair?.value, key, isScalar(pair?.key) ? pair.key.range?.[0] : undefined);
    },
    misspells: (key) => {
      const written = [...pairsOf(node, source.document).keys()];
      return !written.includes(key) && written.some((name) => closest(name, [key]) !== undefined);
    },
    keys: (known) => keysOf(node, known, { place, complain, child, document: source.document }),
    items: () => {
      // CodeBuild takes a single text for a list of one.
      if (isScalar(node) && typeof node.value === 'string') return [child(node, 0, node.range?.[0])];
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
  readonly document: Document | undefined;
}

type Pair = YAMLMap['items'][number];

/**
 * The entries of a map by name, with those that `<<` takes over from other maps; its own win. Each map is looked through
 * once: a file may hold thousands of keys, and maps that merge each other.
 */
function pairsOf(node: unknown, document: Document | undefined): ReadonlyMap<string, Pair> {
  if (!isMap(node)) return new Map();
  const before = seen.get(node);
  if (before !== undefined) return before;
  const pairs = new Map<string, Pair>();
  seen.set(node, pairs);
  const merged: unknown[] = [];
  for (const item of node.items) {
    const name = isScalar(item.key) ? String(item.key.value) : '';
    if (name === '<<') merged.push(item.value);
    else pairs.set(name, item);
  }
  for (const value of merged) {
    const resolved = resolve(value, document);
    const maps = isSeq(resolved) ? resolved.items.map((item) => resolve(item, document)) : [resolved];
    for (const map of maps)
      for (const [name, pair] of pairsOf(map, document)) if (!pairs.has(name)) pairs.set(name, pair);
  }
  return pairs;
}

const seen = new WeakMap<object, Map<string, Pair>>();

function resolve(written: unknown, document: Document | undefined): unknown {
  return isAlias(written) && document !== undefined ? written.resolve(document) : written;
}

function isBelow(path: string, above: string): boolean {
  return above === '' || path.startsWith(`${above}.`) || path.startsWith(`${above}[`);
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
  for (const [name, { key }] of pairsOf(node, around.document)) {
    const unknown = known !== undefined && !known.includes(name);
    const range = isScalar(key) ? key.range?.[0] : undefined;
    if (unknown)
      around
        .child(undefined, name, range)
        .complain(`"${name.slice(0, 80)}" is not a key here.`, suggestion(name, known));
    else if (name === '__proto__') around.complain('A key cannot be "__proto__".', 'Choose another name.');
    else keys.push(name);
  }
  return keys;
}

function suggestion(name: string, known: readonly string[]): string {
  const near = closest(name.replaceAll('_', '-'), known) ?? closest(name, known);
  return near === undefined ? `Known keys: ${known.join(', ')}.` : `Did you mean ${near}?`;
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
