import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

export interface SourceFile {
  /** From the root of the checkout, with slashes: `src/pipeline/glob.ts`. */
  readonly path: string;
  /** Without comments, so that words in prose are not taken for code. */
  readonly code: string;
  readonly imports: readonly Import[];
}

export interface Import {
  /** A package or `node:` name, or the path of one of our files: `src/errors.ts`. */
  readonly target: string;
  readonly own: boolean;
  readonly typesOnly: boolean;
  /** The part between `import` and `from`. */
  readonly clause: string;
}

const root = join(import.meta.dirname, '../..');

export function readSources(pattern: string): readonly SourceFile[] {
  return globSync(pattern, { cwd: root })
    .toSorted()
    .map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')));
}

export function parseSource(path: string, text: string): SourceFile {
  const code = withoutComments(text);
  return { path, code, imports: [...staticImports(path, code), ...dynamicImports(path, code)] };
}

function staticImports(path: string, code: string): Import[] {
  const statement =
    /^(?:import\s+(type\s+)?(?:([^;'"]*?)\s+from\s+)?|export\s+(type\s+)?(\{[^}]*\}|\*(?:\s+as\s+\w+)?)\s+from\s+)['"]([^'"]+)['"]/gm;
  return [...code.matchAll(statement)].map(([, importType, imported, exportType, exported, target = '']) => {
    const clause = imported ?? exported ?? '';
    const typesOnly = importType !== undefined || exportType !== undefined || onlyInlineTypes(clause);
    return { ...resolve(path, target), typesOnly, clause };
  });
}

function dynamicImports(path: string, code: string): Import[] {
  const call = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;
  return [...code.matchAll(call)].map(([, target = '']) => ({
    ...resolve(path, target),
    typesOnly: false,
    clause: 'import()',
  }));
}

function onlyInlineTypes(clause: string): boolean {
  const inside = /^\{([^}]*)\}$/.exec(clause.trim())?.[1];
  const names = (inside ?? '').split(',').filter((name) => name.trim() !== '');
  return names.length > 0 && names.every((name) => name.trim().startsWith('type '));
}

function resolve(path: string, target: string): { target: string; own: boolean } {
  if (!target.startsWith('.')) return { target, own: false };
  return { target: normalize(join(dirname(path), target)), own: true };
}

/** Cuts comments and leaves strings, template texts and regular expressions as they are. */
export function withoutComments(text: string): string {
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(?<=[=(,:[!&|?{};\n]\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\//g;
  return text.replace(token, (found) => (/^\/[/*]/.test(found) ? '' : found));
}
