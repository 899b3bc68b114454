import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prepareDatabase } from '../prepared-home.ts';
import { penstock } from './run-command.ts';
import { canary, commands, runProject } from './run-project.ts';

// Processes that each open a database: slow on a busy machine.
const patience = { timeout: 120_000 };
const { folder: project, env, declare, run } = runProject();
afterAll(() => rmSync(project, { recursive: true, force: true }));

describe('penstock run, called wrongly, starts nothing and', () => {
  beforeAll(() => {
    declare('good.yml', commands('one', ['true']), 'variables: [{ name: MODE }, { name: LEVEL, defaultValue: low }]\n');
    declare('bad.yml', commands('one', ['true']).replace('name: Tree', 'name: Forest'));
    mkdirSync(join(project, 'ci'));
    writeFileSync(join(project, 'ci/web.pipeline.yml'), 'name: web\n');
    writeFileSync(join(project, 'penstock.yml'), 'pipelines: {}\n');
  });

  test.each<[string, readonly string[], number, RegExp]>([
    ['asks for a declaration', [], 2, /Which declaration\?[^]*penstock run </],
    ['refuses two', ['good.yml', 'bad.yml'], 2, /bad\.yml is too much/],
    ['knows its options', ['good.yml', '--keep'], 2, /--keep/],
    ['names a file that is not there', ['none.yml'], 1, /^none\.yml cannot be read/],
    ['names what a folder has', ['ci'], 1, /^ci cannot be read\..* This folder has ci\/web\.pipeline\.yml\.$/m],
    ['says that the configuration is not a declaration', ['penstock.yml'], 1, /Name one of the declarations/],
    ['names a folder that is not there', ['good.yml', '--source', 'nowhere'], 1, /nowhere is not a folder/],
    ['tells where a declaration is wrong', ['bad.yml'], 1, /^bad\.yml:21:\d+: .*Forest[^]*bad\.yml has 1 error;/],
    [
      'guesses the variable that was meant',
      ['good.yml', '--var', 'MODES=x'],
      1,
      /no such variable. Did you mean MODE\?/,
    ],
    ['asks for a variable without a value', ['good.yml'], 1, /needs a value for MODE: add --var MODE=value/],
    ['wants a variable written in full', ['good.yml', '--var', 'MODE'], 2, /--var MODE: write it as NAME=value/],
    ['wants secrets to be set', ['good.yml', '--secret', 'GONE'], 1, /environment variable GONE is not set/],
    [
      'wants a file of secrets to exist',
      ['good.yml', '--secret-file', 'no.env'],
      1,
      /no\.env cannot be read \(ENOENT\)/,
    ],
  ])('%s', async (_, args, code, said) => {
    const ran = await penstock(['run', ...args], { cwd: project, env });
    expect([ran.code, ran.out, ran.err]).toEqual([code, '', expect.stringMatching(said)]);
    expect(existsSync(join(project, 'home'))).toBe(false);
  });

  test('does not repeat a value that was given instead of the name of a variable', async () => {
    const ran = await penstock(['run', 'good.yml', '--secret', `API_KEY=${canary}x`], { cwd: project, env });
    expect([ran.code, ran.err.includes(canary)]).toEqual([1, false]);
    expect(ran.err).toContain('--secret API_KEY=…');
  });

  test('with --json gives the problems of the declaration to a machine', async () => {
    const ran = await penstock(['run', 'bad.yml', '--json'], { cwd: project, env });
    const told = JSON.parse(ran.out) as { event: string; problems: { line: number; rule: string }[] };
    expect([ran.code, told.event, told.problems[0]?.line]).toEqual([1, 'problems', 21]);
  });
});

test(
  'a run tells its events as JSON, takes variables and secrets, prints no secret (SEC-D-09), and leaves its results as files',
  patience,
  async () => {
    await prepareDatabase(join(project, 'home/run/database'));
    const variables = `
        environmentVariables:
          - { name: MODE, value: '#{variables.MODE}', type: PLAINTEXT }
          - { name: KEY, value: API_KEY, type: SECRETS_MANAGER }`;
    const lines = ['test "$MODE" = fast', 'echo "the key is $KEY"', 'tr a-z A-Z < word.txt > loud.txt'];
    const outputs = `
        outputArtifacts: [{ name: Loud, files: [loud.txt] }]`;
    const deploy = `
      - name: put
        runOrder: 2
        actionTypeId: { category: Deploy, owner: AWS, provider: S3, version: '1' }
        configuration: { BucketName: words, Extract: 'true' }
        inputArtifacts: [{ name: Loud }]`;
    const file = declare(
      'full.yml',
      commands('shout', lines, variables + outputs) + deploy,
      'variables: [{ name: MODE }]\n',
    );
    const ran = await run([file, '--json', '--var', 'MODE=fast', '--secret', 'API_KEY']);
    expect([ran.code, ran.err]).toEqual([0, '']);
    const events = ran.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
    expect(events[0]).toMatchObject({ event: 'start', pipeline: 'words' });
    expect(events).toContainEqual({ event: 'log', stage: 'Work', action: 'shout', attempt: 1, line: 'the key is ***' });
    const told = events.filter(({ event }) => event === 'action').map(({ action, state }) => `${action} ${state}`);
    expect(told).toEqual(
      ['Checkout', 'shout', 'put'].flatMap((action) => [`${action} InProgress`, `${action} Succeeded`]),
    );
    const end = events.at(-1) as unknown as {
      artifacts: { name: string }[];
      objects: { name: string; file: string }[];
    };
    expect(end).toMatchObject({ event: 'end', status: 'Succeeded' });
    expect(end.artifacts.map(({ name }) => name)).toEqual(['Tree', 'Loud']);
    expect(end.objects.map(({ name }) => name)).toEqual(['s3://words/loud.txt']);
    expect(readFileSync(end.objects[0]?.file ?? '', 'utf8')).toBe('HERON\n');
    const logs = globSync('home/run/logs/**/*.log', { cwd: project }).map((log) =>
      readFileSync(join(project, log), 'utf8'),
    );
    expect([ran.out, ...logs].filter((text) => text.includes(canary))).toEqual([]);
  },
);

test('a run that fails says why and answers 1; what ran beside it is told to its end', patience, async () => {
  const file = declare(
    'red.yml',
    commands('bad', ['echo word.txt:1: too quiet; exit 3']) + commands('good', ['cat word.txt']),
  );
  const ran = await run([file]);
  expect([ran.code, ran.err]).toEqual([1, '']);
  expect(ran.out).toMatch(/ {2}Work\/bad \| word\.txt:1: too quiet\n/);
  expect(ran.out).toMatch(/^✗ Work\/bad {2}Failed: .*3/m);
  expect(ran.out).toMatch(/^✓ Work\/good {2}Succeeded/m);
  expect(ran.out).toMatch(
    /^✗ words: Failed in [\d.]+s\n {2}✓ Source +Succeeded +[\d.]+s\n {2}✗ Work +Failed +[\d.]+s\n {6}bad: One of its commands failed\. /m,
  );
  expect(ran.out.split('Commands run ').length, 'the isolation is told once').toBe(2);
  // eslint-disable-next-line no-control-regex -- colours begin with it
  expect(ran.out, 'no colours in a pipe').not.toMatch(/\x1b/);
});
