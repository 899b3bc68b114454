import { readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Buildspec } from '../buildspec/buildspec.ts';
import { readBuildspec } from '../buildspec/read-buildspec.ts';
import { formatProblem, type Problem } from '../pipeline/problem.ts';

export type BuildspecFound =
  | { readonly ok: true; readonly buildspec: Buildspec }
  | {
      readonly ok: false;
      readonly message: string;
      /** For the log, one for each problem. */
      readonly lines: readonly string[];
      /** Those that stand in a file of the source. */
      readonly problems: readonly Problem[];
    };

const maxBytes = 256 * 1024;

/** The buildspec of a build: what the action or the project names, or `buildspec.yml` of the primary source (CP 9.1). */
export async function findBuildspec(primary: string, named: string | undefined): Promise<BuildspecFound> {
  if (named !== undefined && (named.includes('\n') || /^version\s*:/.test(named))) return checked(named, undefined);
  const path = named ?? 'buildspec.yml';
  const text = await readInside(primary, path);
  if (text !== undefined) return checked(text, path);
  const mend =
    named === undefined
      ? 'Add it, or name another file under projects: in .github/penstock.yml.'
      : 'Correct the path, or add the file.';
  return {
    ok: false,
    message: `the buildspec ${path} does not exist in the primary source. ${mend}`,
    lines: [],
    problems: [],
  };
}

function checked(text: string, path: string | undefined): BuildspecFound {
  const read = readBuildspec(text, path ?? 'BuildspecOverride');
  if (read.ok) return read;
  const lines = read.problems.map(formatProblem);
  const more = lines.length > 1 ? ` (and ${lines.length - 1} more, see the log)` : '';
  const problems = path === undefined ? [] : read.problems;
  return { ok: false, message: `${lines[0] ?? ''}${more}`, lines, problems };
}

/** Reads a file below a directory of outside content: never through a link that leads out. */
async function readInside(directory: string, path: string): Promise<string | undefined> {
  if (path.startsWith('/') || path.split('/').includes('..') || path.includes('\0')) return undefined;
  try {
    const root = await realpath(directory);
    const file = await realpath(join(root, path));
    const found = await stat(file);
    if (!file.startsWith(`${root}/`) || !found.isFile() || found.size > maxBytes) return undefined;
    return await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
}
