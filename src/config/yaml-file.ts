import { LineCounter, isAlias, isCollection, isMap, isNode, isPair, isScalar, isSeq, parseDocument, visit } from 'yaml';
import type { Document, Node, Pair, YAMLMap } from 'yaml';
import type { Problem } from '../pipeline/problem.ts';
import { causes } from '../pipeline/yaml-causes.ts';

interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where a path stands in a file (1-based); for a path that is not there, its nearest parent. */
export type Locate = (path: readonly PropertyKey[]) => Position;

export type YamlRead =
  | { readonly ok: true; readonly value: unknown; readonly locate: Locate; readonly locateKey: Locate }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const maxBytes = 64 * 1024;
const maxDepth = 64;
const maxAliases = 100;
/** More help nobody. */
export const maxProblems = 50;

/**
 * Reads YAML 1.2 (and so JSON) that may be hostile (SEC-D-17): capped in size, depth and aliases, one document, no
 * tags beyond YAML's core, no repeated keys, no `__proto__`.
 */
export function readYaml(text: string, file: string): YamlRead {
  const early = tooBigOrDeep(text, file);
  if (early) return { ok: false, problems: [early] };
  const lines = new LineCounter();
  const doc = parseDocument(text, {
    lineCounter: lines,
    version: '1.2',
    uniqueKeys: false,
    prettyErrors: false,
    stringKeys: true,
  });
  const at = (offset: number): Position => toPosition(lines, offset);
  const problems = causes(text, [...doc.errors, ...doc.warnings]).map((error) =>
    syntax(file, at(error.pos[0]), plainMessage(error.message), 'Correct the YAML here.'),
  );
  problems.push(...forbiddenParts(doc, file, at));
  if (problems.length > 0) return { ok: false, problems: problems.slice(0, maxProblems) };
  try {
    const value: unknown = doc.toJS({ maxAliasCount: maxAliases });
    return { ok: true, value, locate: locator(doc, at, 'value'), locateKey: locator(doc, at, 'key') };
  } catch (error) {
    const message = `The file cannot be read: ${error instanceof Error ? error.message : 'unknown reason'}.`;
    return {
      ok: false,
      problems: [syntax(file, at(0), message, `Write the parts out instead of more than ${maxAliases} aliases.`)],
    };
  }
}

function tooBigOrDeep(text: string, file: string): Problem | null {
  const start = { line: 1, column: 1 };
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) {
    return syntax(
      file,
      start,
      `The file has ${bytes} bytes; at most ${maxBytes} are read.`,
      'Move definitions into files of their own.',
    );
  }
  const depth = deepestNesting(text);
  if (depth <= maxDepth) return null;
  return syntax(file, start, `Brackets are nested more than ${maxDepth} deep.`, 'Write a flatter file.');
}

/** An upper bound, brackets in texts included: the parser recurses, and its cost must be bounded before it begins. */
function deepestNesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth);
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
  }
  return deepest;
}

function forbiddenParts(doc: Document.Parsed, file: string, at: (offset: number) => Position): Problem[] {
  const found: Problem[] = [];
  let aliases = 0;
  const report = (node: unknown, message: string, mend: string) => {
    found.push(syntax(file, at(offsetOf(node) ?? 0), message, mend));
  };
  if (doc.directives?.yaml.explicit && doc.directives.yaml.version !== '1.2') {
    report(doc.contents, 'The file says that it is not YAML 1.2.', 'Remove the %YAML line.');
  }
  visit(doc, {
    Map: (_, map) => reportKeys(map, report),
    Alias: (_, alias, ancestors) => {
      aliases += 1;
      if (aliases > maxAliases) {
        report(alias, `The file has more than ${maxAliases} aliases.`, 'Write the parts out.');
        return visit.BREAK;
      }
      // Resolving looks through the whole document, so it comes after the cap.
      const target = alias.resolve(doc);
      if (target && ancestors.some((node) => node === target)) {
        report(alias, 'This alias contains itself.', 'Write the part out.');
      }
      return undefined;
    },
  });
  return found;
}

/** The library compares each key with every other; a set keeps a long file cheap. */
function reportKeys(map: YAMLMap, report: (node: unknown, message: string, mend: string) => void): void {
  const seen = new Set<string>();
  for (const { key } of map.items) {
    const name = isScalar(key) ? String(key.value) : undefined;
    if (name === undefined) continue;
    if (name === '__proto__') report(key, 'A key cannot be `__proto__`.', 'Choose another name.');
    if (seen.has(name)) report(key, `\`${name.slice(0, 100)}\` stands here twice.`, 'Remove one of the two.');
    seen.add(name);
  }
}

function locator(doc: Document.Parsed, at: (offset: number) => Position, prefer: 'key' | 'value'): Locate {
  return (path) => {
    let node: unknown = doc.contents;
    let offset = offsetOf(node) ?? 0;
    for (const [index, segment] of path.entries()) {
      const found = step(doc, node, segment);
      if (!found) break;
      node = found.value;
      const last = index === path.length - 1;
      const usesKey =
        found.key !== undefined && ((last && prefer === 'key') || isBlock(node) || offsetOf(node) === undefined);
      offset = offsetOf(usesKey ? found.key : node) ?? offset;
    }
    return at(offset);
  };
}

function step(
  doc: Document.Parsed,
  parent: unknown,
  segment: PropertyKey,
): { key?: unknown; value: unknown } | undefined {
  const node = isAlias(parent) ? parent.resolve(doc) : parent;
  if (isSeq(node))
    return typeof segment === 'number' && segment in node.items ? { value: node.items[segment] } : undefined;
  if (!isMap(node)) return undefined;
  const pair = node.items.find((item: Pair) => isScalar(item.key) && String(item.key.value) === String(segment));
  return isPair(pair) ? { key: pair.key, value: pair.value } : undefined;
}

/** A block begins at its first key, one line below the name that a reader looks for. */
function isBlock(node: unknown): boolean {
  return isCollection(node) && node.flow !== true;
}

function offsetOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined;
}

function toPosition(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function plainMessage(message: string): string {
  const first = message.split('\n')[0] ?? message;
  return first.endsWith('.') ? first : `${first}.`;
}

function syntax(file: string, position: Position, message: string, mend: string): Problem {
  return { severity: 'error', file, ...position, path: '', message, mend };
}
