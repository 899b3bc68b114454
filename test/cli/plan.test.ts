import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { penstock } from './run-command.ts';

const shelf = mkdtempSync(join(tmpdir(), 'penstock-plan-'));
const prepared = join(shelf, 'prepared');
let repository = prepared;
let count = 0;

beforeAll(() => {
  mkdirSync(prepared);
  git('init', '-q', '-b', 'main');
  write('.github/penstock.yml', configuration());
  write('api/server.js', 'serve()\n'.repeat(20));
  write('docs/index.md', 'Hello\n');
  commit();
  git('checkout', '-q', '-b', 'feature');
});
beforeEach(() => {
  repository = join(shelf, `${(count += 1)}`);
  cpSync(prepared, repository, { recursive: true });
});
afterAll(() => rmSync(shelf, { recursive: true }));

const path = process.env['PATH'] ?? '';

function git(...args: readonly string[]): void {
  const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];
  execFileSync('git', [...who, ...args], { cwd: repository, env: { PATH: path, GIT_CONFIG_GLOBAL: '/dev/null' } });
}

function commit(): void {
  git('add', '-A');
  git('commit', '-q', '-m', 'a change');
}

function write(file: string, text: string): void {
  mkdirSync(dirname(join(repository, file)), { recursive: true });
  writeFileSync(join(repository, file), text);
}

/** Two pipelines, each for a folder of its own; api has a gate, and releases by tags. */
function configuration({ branch = 'main', gate = '1', more = '' } = {}): string {
  const stages = (action: string): string => `
    stages:
      - name: Source
        actions:
          - name: Fetch
            actionTypeId: { category: Source, owner: AWS, provider: CodeStarSourceConnection, version: "1" }
            configuration: { ConnectionArn: "arn:aws:codestar-connections:eu-west-1:111122223333:connection/a", FullRepositoryId: acme/shop, BranchName: main }
            outputArtifacts: [{ name: Tree }]
      - name: Release
        actions:
          - ${action}`;
  return `pipelines:
  api:
    on:
      push: [{ branches: { includes: [main] }, filePaths: { includes: ["api/**"] } }, { tags: { includes: ["v*"] } }]
      pullRequest: [{ events: [OPEN, UPDATED], branches: { includes: [${branch}] }, filePaths: { includes: ["api/**"] } }]
    gates: { Release/Approve: { count: ${gate} } }${stages(
      '{ name: Approve, actionTypeId: { category: Approval, owner: AWS, provider: Manual, version: "1" } }',
    )}
  docs:
    on: { pullRequest: [{ events: [OPEN, UPDATED], filePaths: { includes: ["docs/**"] } }] }${stages(
      '{ name: Publish, actionTypeId: { category: Deploy, owner: AWS, provider: S3, version: "1" }, inputArtifacts: [{ name: Tree }], configuration: { BucketName: acme-docs, Extract: "true" } }',
    )}
${more}`;
}

function plan(...args: readonly string[]): ReturnType<typeof penstock> {
  return penstock(['plan', ...args], { cwd: repository, env: { PATH: path } });
}

test('what is committed, only changed and new counts, and each pipeline says why it starts or not', async () => {
  expect((await plan()).out).toMatch(/^0 files differ from main\.\n/);
  write('api/server.js', 'serve(1)\n');
  commit();
  write('api/new.js', '');
  expect(await plan()).toEqual({
    code: 0,
    err: '',
    out: `2 files differ from main.

Opened as a pull request into main, by the configuration of main:
  ▶ api starts: target branch \`main\` matches \`main\` and \`api/new.js\` changed
      Release/Approve needs 1 person with write access
  – docs does not start: no file under \`docs/**\` changed

Merged, as a push to main, by the configuration of this tree:
  ▶ api starts: branch \`main\` matches \`main\` and \`api/new.js\` changed
      Release/Approve needs 1 person with write access
  – docs does not start: nothing in its triggers starts it for a push
`,
  });
});

test('a file that moves counts where it was and where it is; what git ignores does not count', async () => {
  git('mv', 'api/server.js', 'server.js');
  write('.gitignore', 'docs/built/\n');
  write('docs/built/index.html', '<p>Hello');
  const { out } = await plan('--json');
  expect(JSON.parse(out)).toMatchObject({ changedFiles: ['.gitignore', 'api/server.js', 'server.js'] });
  expect((await plan()).out).toContain('▶ api starts');
});

test('from a folder inside, the whole repository is meant', async () => {
  write('api/new.js', '');
  const inside = await penstock(['plan'], { cwd: join(repository, 'docs'), env: { PATH: path } });
  expect(inside).toEqual(await plan());
  expect(inside).toEqual(await plan(join(repository, 'api')));
});

test('the base is where GitHub has it: what only the local branch has differs too', async () => {
  git('update-ref', 'refs/remotes/origin/trunk', 'HEAD');
  git('symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/trunk');
  git('checkout', '-q', '-b', 'trunk');
  write('api/new.js', '');
  commit();
  const { out } = await plan();
  expect(out).toMatch(/^1 file differs from trunk\.\n/);
  expect(out).toContain('– api does not start: target branch `trunk` is not in includes `main`');
});

test('a configuration that the branch changes is told as what holds after the merge; a tag when it is named', async () => {
  write('api/new.js', '');
  write('.github/penstock.yml', configuration({ branch: 'next', gate: '2' }));
  const { code, out } = await plan('--tag', 'v1.0.0');
  expect(code).toBe(0);
  expect(out).toContain(`▶ api starts: target branch \`main\` matches \`main\` and \`api/new.js\` changed
      Release/Approve needs 1 person with write access
      after the merge: it does not start: target branch`);
  expect(out).toContain(`Merged, as a push to main, by the configuration of this tree:
  ▶ api starts: branch \`main\` matches \`main\` and \`api/new.js\` changed
      Release/Approve needs 2 people with write access`);
  expect(out).toMatch(/Tagged v1\.0\.0, by the configuration of this tree:\n {2}▶ api starts: tag `v1\.0\.0` matches/);
});

test('a first configuration starts nothing before it is merged', async () => {
  git('checkout', '-q', '--orphan', 'bare');
  git('rm', '-q', '--cached', '.github/penstock.yml');
  git('commit', '-q', '-m', 'without');
  const { code, out } = await plan('--into', 'bare');
  expect(code).toBe(0);
  expect(out).toContain('bare has no .github/penstock.yml, so nothing starts');
  expect(out).toContain('Merged, as a push to bare, by the configuration of this tree:\n  – api does not start');
});

test('a broken configuration of the tree is told with its place, and the exit code is 1', async () => {
  write('.github/penstock.yml', configuration({ more: 'pipelins: {}\n' }));
  const { code, out } = await plan();
  expect(code).toBe(1);
  expect(out).toContain('by the configuration of main:\n  – api');
  expect(out).toMatch(/this tree:\n {2}\.github\/penstock\.yml:\d+:1: `pipelins` is not a key that Penstock knows\./);
});

test('one broken pipeline is told with its place while the others are planned, and the exit code is 1', async () => {
  write('.github/penstock.yml', configuration({ more: '  shop: { definition: ci/none.json }\n' }));
  const { code, out } = await plan();
  expect(code).toBe(1);
  expect(out).toMatch(/ {2}– shop does not start: its declaration is broken: .*ci\/none\.json/);
  expect(out).toContain('  – docs does not start');
});

test('a pipeline whose declaration CodePipeline holds is not guessed at', async () => {
  write('.github/penstock.yml', configuration({ more: '  shop: { engine: aws }\n' }));
  const { code, out } = await plan();
  expect(code).toBe(0);
  expect(out).toContain(
    '– shop does not start: CodePipeline holds its declaration; /plan in the pull request reads it',
  );
});

test.each([
  [['--into', 'nope'], /^There is no branch nope in .*\. Fetch it, or name another\.$/],
  [['/'], /^\/ is not in a git repository\. Name the folder of one\.$/],
  [['a', 'b'], /^penstock plan takes one folder\.$/],
])('plan %j says what is wrong with it', async (args, words) => {
  const { code, err } = await plan(...args);
  expect(code).toBe(args.length === 2 && args[0] === 'a' ? 2 : 1);
  expect(err.split('\n')[0]).toMatch(words);
});
