import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
  type YAMLError,
} from 'yaml';
import type { Locate, Path } from './finding.ts';
import type { Problem } from './problem.ts';
import { causes } from './yaml-causes.ts';

/**
 * A text of YAML or JSON (YAML 1.2 reads JSON) with the places of its values. The text comes from outside: its size, its
 * depth and what its aliases unfold to are bounded.
 */
export type Source =
  /** `problems` tell of keys that stand twice, whose last value counts, and of JSON that is none. */
  | { readonly ok: true; readonly value: unknown; readonly locate: Locate; readonly problems: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const longestText = 1_000_000;
const mostAliases = 100;
/** Of one file; more are counted. */
export const mostProblems = 500;

export function readSource(marked: string, file: string): Source {
  const text = marked.startsWith('\uFEFF') ? marked.slice(1) : marked;
  if (text.length > longestText) {
    const message = `The file has ${text.length} characters; at most ${longestText} are read.`;
    return failure(file, 1, 1, message, 'Make it smaller.');
  }
  if (text.includes('\u0000'))
    return failure(file, 1, 1, 'The file is not UTF-8; it looks like UTF-16.', 'Save it as UTF-8.');
  const lines = new LineCounter();
  try {
    // The library's own check for unique keys takes quadratic time.
    const options = { prettyErrors: false, uniqueKeys: false, logLevel: 'error' } as const;
    const document = parseDocument(text, { ...options, lineCounter: lines });
    const broken = syntaxProblems(document, lines, text, file);
    const odd = [...commentsAsKeys(document, lines, file), ...unknownAnchors(document, lines, file)];
    const problems = broken.length > 0 ? broken : odd;
    const overflow = problems.find(({ message }) => /^Maximum call stack|Stack overflow/.test(message));
    if (overflow) return failure(file, overflow.line, overflow.column, 'Too many levels are nested.', 'Nest less.');
    if (problems.length > 0) return { ok: false, problems };
    const value: unknown = document.toJS({ maxAliasCount: mostAliases });
    const told = [
      ...repeatedKeys(document, lines, file),
      ...(isMap(document.contents) ? notJson(text, file) : []),
      ...notUtf8(text, lines, file),
    ].slice(0, mostProblems);
    return { ok: true, value, locate: (path) => locateIn(document, lines, path), problems: told };
  } catch (error) {
    // The library throws for aliases that unfold too far and for nesting that it cannot follow.
    const message = error instanceof Error ? error.message : String(error);
    return failure(
      file,
      1,
      1,
      `The file cannot be read: ${message}.`,
      'Write it out with fewer aliases and less nesting.',
    );
  }
}

function failure(file: string, line: number, column: number, message: string, mend: string): Source {
  return { ok: false, problems: [{ severity: 'error', file, line, column, path: '', message, mend }] };
}

function syntaxProblems(document: Document, lines: LineCounter, text: string, file: string): Problem[] {
  const errors = causes(text, document.errors).map((error) => {
    const { offset, message, mend } = inWords(error, text);
    return problemAt(file, lines, offset, message, mend);
  });
  // Without its tag `!Ref Bucket` would read as the text "Bucket".
  const tags = causes(text, document.warnings).map((warning) => {
    const mend = 'Write the value itself: functions of CloudFormation do not work here.';
    return problemAt(file, lines, warning.pos[0], `${warning.message.split('\n')[0]}.`, mend);
  });
  return [...errors, ...tags];
}

/** What people do and the parser has no words for. */
function inWords(error: YAMLError, text: string): { offset: number; message: string; mend: string } {
  const offset = error.pos[0];
  const comment = slashComment(text, offset);
  if (comment !== undefined) return { offset: comment, ...noComments };
  const said = (error.message.split('\n')[0] ?? '').replace(/\.*$/, '.');
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return { offset, message: said, mend: 'Indent every line with spaces.' };
    case 'MULTIPLE_DOCS':
      return { offset, message: 'A second document begins here.', mend: 'Keep one of them, without the --- between.' };
    default:
      return { offset, message: said, mend: syntaxMend(said) };
  }
}

function syntaxMend(said: string): string {
  const close = /end with an? ([\]}])/.exec(said)?.[1] ?? /Missing closing (.)quote/.exec(said)?.[1];
  if (close !== undefined) return `Close it with ${close} where it ends, here or in the lines above.`;
  if (said.startsWith('Nested mappings') || said.endsWith('start at the same column.')) {
    return 'Begin all keys of a map in one column, and put a text that holds ": " in quotes.';
  }
  return 'Mend the syntax; JSON and YAML are both read.';
}

const noComments = {
  message: 'A comment with // or /* cannot be read.',
  mend: 'Leave it out: JSON has no comments. In a file named .yml a comment begins with #.',
};

/** To YAML the comment and the key after it are one key. */
function commentsAsKeys(document: Document, lines: LineCounter, file: string): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Pair(_key, { key }) {
      if (!isScalar(key) || key.type !== 'PLAIN' || !/^\/[/*]/.test(String(key.value))) return undefined;
      problems.push(problemAt(file, lines, key.range?.[0] ?? 0, noComments.message, noComments.mend));
      return visit.BREAK;
    },
  });
  return problems;
}

function unknownAnchors(document: Document, lines: LineCounter, file: string): Problem[] {
  const known = new Set<string>();
  const problems: Problem[] = [];
  visit(document, {
    Node(_key, node) {
      if (!isAlias(node)) return void (node.anchor !== undefined && known.add(node.anchor));
      if (known.has(node.source)) return undefined;
      const message = `No anchor &${node.source} stands before the alias *${node.source}.`;
      problems.push(problemAt(file, lines, node.range?.[0] ?? 0, message, `Write &${node.source} at its first use.`));
      return undefined;
    },
  });
  return problems.slice(0, mostProblems);
}

/** Where a comment as of C begins in what is meant as JSON, outside of quotes, on the line of a place or before it. */
function slashComment(text: string, place: number): number | undefined {
  if (!/^\s*(?:[{[]|\/[/*])/.test(text)) return undefined;
  const end = text.indexOf('\n', place);
  const before = text.slice(0, end < 0 ? text.length : end);
  const outside = before.replaceAll(/"(?:[^"\\\n]|\\.)*"/g, (quoted) => '"'.repeat(quoted.length));
  const found = /(?<![^\s,[{}\]"])(?:\/\/|\/\*)/.exec(outside);
  return found?.index;
}

/** What a file in another encoding reads as. */
function notUtf8(text: string, lines: LineCounter, file: string): Problem[] {
  const offset = text.indexOf('\uFFFD');
  if (offset < 0) return [];
  const message = 'A sign here is not UTF-8, so the text is not what was written.';
  return [{ ...problemAt(file, lines, offset, message, 'Save the file as UTF-8.'), severity: 'warning' }];
}

/** YAML takes more than JSON does, but the AWS CLI does not. */
function notJson(text: string, file: string): Problem[] {
  if (!file.endsWith('.json')) return [];
  try {
    JSON.parse(text);
    return [];
  } catch (error) {
    const place = /line (\d+) column (\d+)/.exec(String(error));
    const [line, column] = [Number(place?.[1] ?? 1), Number(place?.[2] ?? 1)];
    const message = 'This is not JSON, whatever the name says; it is read as YAML.';
    const mend = 'Mend it, or name the file .yml: tools of AWS take only JSON.';
    return [{ severity: 'warning', file, line, column, path: '', message, mend }];
  }
}

function repeatedKeys(document: Document, lines: LineCounter, file: string): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Map(_key, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        const mend = 'Keep only one of the two.';
        if (seen.has(name)) {
          problems.push(problemAt(file, lines, key.range?.[0] ?? 0, `The key ${name} stands twice here.`, mend));
        }
        seen.add(name);
      }
    },
  });
  return problems;
}

function problemAt(file: string, lines: LineCounter, offset: number, message: string, mend: string): Problem {
  const { line, col } = lines.linePos(offset);
  return { severity: 'error', file, line, column: col, path: '', message, mend };
}

/**
 * The place of the key, for list entries of the entry; for what is not there, of the nearest thing around it. What stands
 * behind an alias is told where the alias stands: what is wrong with the anchor's own use is told there already.
 */
function locateIn(document: Document, lines: LineCounter, path: Path): { line: number; column: number } {
  let node: unknown = document.contents;
  let at: Node | null = document.contents;
  for (const part of path) {
    const step = stepInto(node, part);
    if (!step) break;
    node = step.value;
    at = step.place ?? at;
  }
  const { line, col } = lines.linePos(at?.range?.[0] ?? 0);
  return { line, column: col };
}

function stepInto(node: unknown, part: string | number): { value: unknown; place: Node | undefined } | undefined {
  if (isMap(node)) {
    const pair = node.items.findLast(({ key }) => String(isScalar(key) ? key.value : key) === String(part));
    return pair && { value: pair.value, place: isNode(pair.key) ? pair.key : undefined };
  }
  if (!isSeq(node) || typeof part !== 'number') return undefined;
  const item = node.items[part];
  return item === undefined ? undefined : { value: item, place: isNode(item) ? item : undefined };
}
