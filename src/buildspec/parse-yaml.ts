import { parseDocument, type LineCounter, visit, type Document, type YAMLError } from 'yaml';
import { causes } from '../pipeline/yaml-causes.ts';

/** A complaint about the text at an offset. */
export type Report = (
  offset: number,
  path: string,
  words: readonly [message: string, mend: string, rule?: string],
) => void;

const maxBytes = 256 * 1024;
const maxAliases = 100;
const maxDepth = 64;

/** The document, or undefined when something of it cannot be read; then that has been reported. */
export function parseYaml(text: string, lines: LineCounter, report: Report): Document | undefined {
  const tooMuch = excess(text);
  if (tooMuch !== undefined) {
    report(0, '', tooMuch);
    return undefined;
  }
  const document = parseDocument(text, { lineCounter: lines, version: '1.2', prettyErrors: false, stringKeys: true });
  const errors = causes(text, [...document.errors, ...document.warnings]);
  for (const error of errors)
    report(error.pos[0], '', [`The YAML cannot be read: ${problemOf(error, text)}`, ...mendOf(error)]);
  const isSound = errors.length === 0 && aliasesAreSound(document, text, report);
  return isSound ? document : undefined;
}

/** The parser recurses, so its cost is bounded before it begins (SEC-D-17). */
function excess(text: string): readonly [string, string] | undefined {
  if (Buffer.byteLength(text) > maxBytes)
    return [`The buildspec has more than ${maxBytes / 1024} KiB.`, 'Move long scripts into files of their own.'];
  return deepest(text) > maxDepth
    ? [`The YAML is nested more than ${maxDepth} deep.`, 'Write a flatter file.']
    : undefined;
}

function deepest(text: string): number {
  let [depth, most] = [0, 0];
  for (const character of text) {
    if (character === '[' || character === '{') most = Math.max(most, (depth += 1));
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
  }
  // "- - - a" is a list in a list in a list.
  for (const [marks] of text.matchAll(/^[ \t]*(?:[-?:][ \t]+)+/gm))
    most = Math.max(most, marks.split(/[-?:]/).length - 1);
  return most;
}

function problemOf({ code, message, pos }: YAMLError, text: string): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return `the key "${/^["']?([^"':\n]{0,60})/.exec(text.slice(pos[0]))?.[1]?.trim() ?? ''}" is written twice.`;
    case 'MULTIPLE_DOCS':
      return 'a second document begins here.';
    case 'NON_STRING_KEY':
      return 'a key must be a text.';
    default:
      return (message.split('\n')[0] ?? '').replace(/\.?$/, '.');
  }
}

function mendOf({ code }: YAMLError): readonly [mend: string, rule?: string] {
  switch (code) {
    case 'TAB_AS_INDENT':
      return ['Indent with spaces.'];
    case 'DUPLICATE_KEY':
      return ['Keep one of them, and put what belongs together below it.'];
    case 'MULTIPLE_DOCS':
      return ['Remove it, and the "---" before it.'];
    case 'TAG_RESOLVE_FAILED':
    case 'BAD_SCALAR_START':
    case 'UNEXPECTED_TOKEN':
      return [
        'A text that begins with one of " \' [ { * & ! % @ ` or holds ": " needs quotes around the whole of it.',
        'CP-B-12',
      ];
    default:
      return [
        'Check the indentation and the quotes here and on the line above; texts with ": " or " #" need quotes.',
        'CP-B-12',
      ];
  }
}

/** `*.js` without quotes is an alias to YAML, and one to nothing reads as if nothing were written. */
function aliasesAreSound(document: Document, text: string, report: Report): boolean {
  const anchors = new Set<string>();
  let count = 0;
  let isSound = true;
  visit(document, {
    Node: (_key, node) => {
      if ('anchor' in node && typeof node.anchor === 'string') anchors.add(node.anchor);
    },
    Alias: (_key, { source, range }) => {
      count += 1;
      if (count > maxAliases) return visit.BREAK;
      if (anchors.has(source)) return undefined;
      isSound = false;
      const written = text.slice(range?.[0], range?.[1]).trim();
      report(range?.[0] ?? 0, '', [
        `${written.slice(0, 60)} is read as an alias, and nothing is named &${source.slice(0, 60)}.`,
        `Put a text that begins with "*" into quotes: "${written.slice(0, 60)}".`,
        'CP-B-12',
      ]);
      return undefined;
    },
  });
  if (count > maxAliases) report(0, '', [`The buildspec has more than ${maxAliases} aliases.`, 'Write the parts out.']);
  return isSound && count <= maxAliases;
}
