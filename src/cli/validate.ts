import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { repositoryConfigPath } from '../config/repository.ts';
import { readServerConfig } from '../config/server.ts';
import { readDefinition, type ReadDefinition } from '../pipeline/read-definition.ts';
import { problemLines, type Problem } from '../pipeline/problem.ts';
import type { CliIo } from './command.ts';
import { loadFolder } from './load-folder.ts';

/** Checks files as the server would, and answers 1 when one of them has an error. */
export async function runValidate(args: readonly string[], io: CliIo): Promise<number> {
  const options = { json: { type: 'boolean', default: false } } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const paths = positionals.length === 0 ? ['.'] : positionals;
  const checked = paths.map((path) => (path === '-' ? checkInput() : check(resolve(io.cwd, path), io.cwd)));
  const problems = (await Promise.all(checked)).flat();
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  if (values.json) io.out(JSON.stringify({ ok: errors === 0, problems }, null, 2));
  else io.out([...problems.map(problemLines), summary(errors, problems.length - errors)].join('\n'));
  return errors === 0 ? 0 : 1;
}

/** A declaration that another program writes. */
async function checkInput(): Promise<readonly Problem[]> {
  return problemsOf(readDefinition(await text(process.stdin), '(stdin)'));
}

function problemsOf(read: ReadDefinition): readonly Problem[] {
  return read.ok ? read.warnings : read.problems;
}

async function check(path: string, cwd: string): Promise<readonly Problem[]> {
  const found = await stat(path).catch(() => undefined);
  const shown = relative(cwd, path) || '.';
  if (found === undefined) return [missing(shown, `Name a file, or a folder with ${repositoryConfigPath}.`)];
  if (found.isDirectory()) return checkRepository(path, cwd);
  const name = basename(path);
  if (/^penstock\.ya?ml$/.test(name)) return checkRepository(dirname(dirname(path)), cwd);
  const written = await readFile(path, 'utf8');
  if (/^penstock\.server\.ya?ml$/.test(name)) {
    const read = readServerConfig(written, shown);
    return read.ok ? [] : read.problems;
  }
  return problemsOf(readDefinition(written, shown));
}

/** A folder as if it were a repository at one commit: the same reader as for pull requests. */
async function checkRepository(folder: string, cwd: string): Promise<readonly Problem[]> {
  const loaded = await loadFolder(folder);
  switch (loaded.kind) {
    case 'none':
      return [
        missing(
          join(relative(cwd, folder), repositoryConfigPath),
          'Write one, as in docs/configuration.md, or name the file of a declaration.',
        ),
      ];
    case 'broken':
      return below(folder, cwd, loaded.problems);
    case 'ok':
      return below(folder, cwd, [...Object.values(loaded.brokenPipelines).flat(), ...loaded.warnings]);
    default:
      return loaded satisfies never;
  }
}

/** A problem like others, so that what stands in other files is told all the same. */
function missing(file: string, mend: string): Problem {
  return { severity: 'error', file, line: 1, column: 1, path: '', message: `${file} does not exist.`, mend };
}

/** Paths from where the person is, so that a terminal can open them. */
function below(folder: string, cwd: string, problems: readonly Problem[]): readonly Problem[] {
  return problems.map((problem) => ({ ...problem, file: relative(cwd, join(folder, problem.file)) }));
}

function summary(errors: number, warnings: number): string {
  const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
  return errors + warnings === 0 ? 'No problems.' : `${count(errors, 'error')}, ${count(warnings, 'warning')}.`;
}
