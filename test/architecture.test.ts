import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { importProblems } from './architecture/import-table.ts';
import { longFunctions } from './architecture/long-functions.ts';
import {
  noBarrels,
  nobodyElseTakesTheEnvironment,
  pureFoldersHaveNoClockAndNoChance,
  queriesLiveInTheDatabaseFolder,
  testsMockNoneOfOurModules,
  transactionsUseTheirOwnHandle,
} from './architecture/rules.ts';
import { parseSource, readSources, withoutComments } from './architecture/source.ts';

const sources = readSources('src/**/*.ts');
const migrations = readSources('migrations/*.ts');
const tests = readSources('test/**/*.ts');

describe('the code keeps its own rules', () => {
  test('every file imports only what its folder may import', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(sources.flatMap((file) => importProblems(file))).toEqual([]);
  });

  const rules = [
    pureFoldersHaveNoClockAndNoChance,
    nobodyElseTakesTheEnvironment,
    queriesLiveInTheDatabaseFolder,
    transactionsUseTheirOwnHandle,
    noBarrels,
  ];
  test.each(rules.map((rule) => [rule.name, rule] as const))('%s', (_name, rule) => {
    expect([...sources, ...migrations].flatMap(rule)).toEqual([]);
  });

  test('no function is longer than 80 lines', () => {
    const { files, problems } = longFunctions(['src', 'migrations'], 80);
    expect(files).toBeGreaterThan(50);
    expect(problems).toEqual([]);
  });

  test('no test replaces a module of ours', () => {
    expect(tests.flatMap(testsMockNoneOfOurModules)).toEqual([]);
  });
});

describe('the rules notice what they are for', () => {
  const problemsOf = (rule: (file: ReturnType<typeof parseSource>) => readonly string[], path: string, text: string) =>
    rule(parseSource(path, text)).length;

  test.each([
    ['src/pipeline/x.ts', "import { open } from '../db/open.ts';"],
    ['src/pipeline/x.ts', "import { readFileSync } from 'node:fs';"],
    ['src/render/x.ts', "export { a } from '../handlers/push.ts';"],
    ['src/github/x.ts', "import { a } from '../pipeline/glob.ts';"],
    ['src/providers/x.ts', "import { Octokit } from '@octokit/rest';"],
    ['src/handlers/x.ts', "import { a } from '../github/octokit-github.ts';"],
    ['src/web/x.ts', "import { a } from '../db/executions.ts';"],
    ['src/web/x.ts', "const a = await import('../main.ts');"],
    ['src/demo/github/x.ts', "import type { A } from '../../github/github.ts';"],
    ['src/main.ts', "import { Octokit } from '@octokit/rest';"],
    ['src/new-folder/x.ts', 'export const a = 1;'],
  ])('%s may not say %s', (path, text) => {
    expect(problemsOf((file) => importProblems(file), path, text)).toBe(1);
  });

  test.each([
    ['src/pipeline/x.ts', "import { createHash } from 'node:crypto';"],
    ['src/pipeline/x.ts', "import { hash } from 'node:crypto';"],
    ['src/github/x.ts', "import type { A } from '../pipeline/execution.ts';"],
    ['src/providers/x.ts', "import { type A, type B } from '../github/github.ts';"],
    ['src/web/x.ts', "// import { a } from '../db/executions.ts';"],
  ])('%s may say %s', (path, text) => {
    expect(problemsOf((file) => importProblems(file), path, text)).toBe(0);
  });

  test.each([
    [pureFoldersHaveNoClockAndNoChance, 'src/render/x.ts', 'const at = new Date();', 1],
    [pureFoldersHaveNoClockAndNoChance, 'src/render/x.ts', 'const at = new Date(given);', 0],
    [pureFoldersHaveNoClockAndNoChance, 'src/db/x.ts', 'const at = new Date();', 0],
    [pureFoldersHaveNoClockAndNoChance, 'src/pipeline/x.ts', "import { randomUUID } from 'node:crypto';", 2],
    [pureFoldersHaveNoClockAndNoChance, 'src/pipeline/x.ts', '// Date.now() would not do', 0],
    [nobodyElseTakesTheEnvironment, 'src/worker.ts', "process.env['HOME']", 1],
    [nobodyElseTakesTheEnvironment, 'src/cli.ts', "process.env['HOME']", 0],
    [queriesLiveInTheDatabaseFolder, 'src/handlers/x.ts', "db.selectFrom('jobs')", 1],
    [queriesLiveInTheDatabaseFolder, 'src/handlers/x.ts', "import { sql } from 'kysely';", 1],
    [queriesLiveInTheDatabaseFolder, 'src/handlers/x.ts', "import type { Kysely } from 'kysely';", 0],
    [transactionsUseTheirOwnHandle, 'src/db/x.ts', 'db.transaction().execute(async (trx) => save(db, f(1)))', 1],
    [transactionsUseTheirOwnHandle, 'src/db/x.ts', 'db.transaction().execute((trx) => save(trx)); read(db)', 0],
    [
      transactionsUseTheirOwnHandle,
      'src/db/x.ts',
      "deps.db.transaction().setIsolationLevel('serializable').execute((trx) => deps.db.fn())",
      1,
    ],
    [noBarrels, 'src/db/index.ts', 'export const a = 1;', 1],
    [noBarrels, 'src/db/all.ts', "export * from './jobs.ts';", 1],
    [testsMockNoneOfOurModules, 'test/x.test.ts', ['vi', "mock('../src/worker.ts')"].join('.'), 1],
    [testsMockNoneOfOurModules, 'test/x.test.ts', ['vi', "mock('node:os')"].join('.'), 0],
  ])('%o in %s: %s', (rule, path, text, expected) => {
    expect(problemsOf(rule, path, text)).toBe(expected);
  });

  test('a function of 81 lines is found', () => {
    const directory = mkdtempSync(join(tmpdir(), 'penstock-long-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const body = '  work();\n'.repeat(79);
    writeFileSync(join(directory, 'a.ts'), `function short() {\n${body.slice(10)}}\nfunction long() {\n${body}}\n`);
    expect(longFunctions([directory], 80).problems).toEqual([expect.stringContaining('`long`')]);
  });

  test('comments are cut, strings and patterns are kept', () => {
    const text = "const a = 'http://x'; // gone\nconst b = /\\/\\/[/*]/; /* gone */ const c = `//${a}`;";
    expect(withoutComments(text)).toBe("const a = 'http://x'; \nconst b = /\\/\\/[/*]/;  const c = `//${a}`;");
  });
});
