import { readdir, readFile, realpath, stat } from 'node:fs/promises';
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
  if (named !== undefined && isInline(named)) return checked(named, undefined);
  const path = named ?? 'buildspec.yml';
  const read = await readInside(primary, path);
  if ('text' in read) return checked(read.text, path);
  const mend = named === undefined ? await mendOfDefault(primary) : mendOfNamed(named);
  const message = `the buildspec ${path.slice(0, 300)} ${read.problem} ${read.problem === absent ? mend : ''}`.trim();
  return { ok: false, message, lines: [], problems: [] };
}

/** A whole buildspec, as YAML or as JSON in one line, where else a path stands. */
function isInline(named: string): boolean {
  return named.includes('\n') || /^\s*(?:\{|version\s*:)/.test(named);
}

const absent = 'does not exist in the primary source.';

/** Who wrote `buildspec.yaml` or `Buildspec.yml` has not forgotten it. */
async function mendOfDefault(primary: string): Promise<string> {
  const names = await readdir(primary).catch(() => []);
  const near = names.find((name) => /^\.?build[-_]?spec\.ya?ml$/i.test(name));
  return near === undefined
    ? 'Add it, or name another file under projects: in .github/penstock.yml.'
    : `There is ${near}: rename it, or name it under projects: in .github/penstock.yml.`;
}

function mendOfNamed(path: string): string {
  return /^(arn:|s3:)/.test(path)
    ? 'A buildspec in S3 is not read here: add the file to the repository, and name it there.'
    : 'Correct the path, or add the file.';
}

function checked(text: string, path: string | undefined): BuildspecFound {
  const read = readBuildspec(text, path ?? 'BuildspecOverride');
  if (read.ok) return read;
  const lines = read.problems.map(formatProblem);
  const more = lines.length > 1 ? ` (and ${lines.length - 1} more, see the log)` : '';
  const problems = path === undefined ? [] : read.problems;
  return { ok: false, message: `${lines[0] ?? ''}${more}`, lines, problems };
}

type ReadInside = { readonly text: string } | { readonly problem: string };

/** Reads a file below a directory of outside content: never through a link that leads out. */
async function readInside(directory: string, path: string): Promise<ReadInside> {
  if (path.startsWith('/') || path.split('/').includes('..') || path.includes('\0')) return { problem: absent };
  try {
    const root = await realpath(directory);
    const file = await realpath(join(root, path));
    if (!file.startsWith(`${root}/`)) return { problem: absent };
    const found = await stat(file);
    if (!found.isFile()) return { problem: 'is no file. Name a file.' };
    if (found.size > maxBytes)
      return { problem: `has more than ${maxBytes / 1024} KiB. Move long scripts into files of their own.` };
    return { text: await readFile(file, 'utf8') };
  } catch {
    return { problem: absent };
  }
}
