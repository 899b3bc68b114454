import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { headOf } from '../../src/main/local-git.ts';
import { localSource } from '../../src/main/local-source.ts';
import { openArtifactStore } from '../../src/providers/artifact-store.ts';
import type { StartedAction } from '../../src/providers/provider.ts';
import { listFiles, unzip } from '../../src/providers/zip.ts';

let root: string;
let tree: string;
const env = { PATH: process.env['PATH'], HOME: '/nonexistent' };
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'penstock-source-test-'));
  tree = join(root, 'tree');
  mkdirSync(tree);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text = path): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

function git(...args: readonly string[]): string {
  const who = ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'init.defaultBranch=main'];
  return execFileSync('git', [...who, ...args], { cwd: tree, env, encoding: 'utf8' });
}

/** What a build would find, and the variables of the source action. */
async function take(directory = tree, environment: Readonly<Record<string, string | undefined>> = env) {
  const store = openArtifactStore(join(root, 'store'));
  const location = { bucket: 'b', key: 'k' };
  const provider = localSource(store, { directory, home: join(tree, '.penstock/run'), env: environment });
  const action = { outputs: [{ name: 'Tree', location }], log: { write: () => {} } };
  const report = await provider.start(action as unknown as StartedAction<unknown>);
  const to = mkdtempSync(join(root, 'out-'));
  if (report.kind === 'failed') return { to, files: [], variables: {}, problem: report.error.message };
  await unzip({ file: (await store.get(location))?.file ?? '' }, to);
  const files = (await listFiles(to, { directoryLinks: true })).map(({ path }) => path);
  return { to, files, variables: report.kind === 'succeeded' ? report.outputVariables : {} };
}

test('a build finds what is committed, changed or new, but nothing that git ignores, that was removed, or that is ours', async () => {
  for (const path of ['kept.txt', 'removed.txt', 'deep/er/file.txt']) write(path);
  write('.gitignore', 'build/\n');
  git('init', '-q');
  git('add', '.');
  git('commit', '-q', '-m', 'First words\n\nand more');
  rmSync(join(tree, 'removed.txt'));
  for (const path of ['new.txt', 'build/out.o', '.penstock/run/database/x']) write(path);
  const { files, variables } = await take();
  expect(files).toEqual(['.gitignore', 'deep/er/file.txt', 'kept.txt', 'new.txt']);
  const commit = git('rev-parse', 'HEAD').trim();
  expect(variables).toMatchObject({ CommitId: commit, BranchName: 'main', CommitMessage: 'First words' });
});

test('a folder of a repository is taken by itself, and an ignored one as it is', async () => {
  for (const path of ['top.txt', 'part/a.txt', 'made/b.txt', 'made/node_modules/c.txt']) write(path);
  write('.gitignore', 'made/\n');
  git('init', '-q');
  expect((await take(join(tree, 'part'))).files).toEqual(['a.txt']);
  expect((await take(join(tree, 'made'))).files).toEqual(['b.txt']);
});

test('outside git everything is taken except node_modules and what is ours', async () => {
  for (const path of ['a.txt', 'node_modules/b.txt', 'sub/node_modules/c.txt', '.penstock/run/logs/d.log']) write(path);
  const { files, variables } = await take();
  expect(files).toEqual(['a.txt']);
  expect(variables).toMatchObject({ CommitId: '0'.repeat(40), BranchName: 'local', FullRepositoryName: 'local/tree' });
});

test('called by a hook of another repository, it is this one that counts', async () => {
  write('a.txt');
  git('init', '-q');
  git('add', '.');
  git('commit', '-q', '-m', 'One');
  const hook = { ...env, GIT_DIR: join(root, 'elsewhere'), GIT_INDEX_FILE: join(root, 'index') };
  expect((await take(tree, hook)).files).toEqual(['a.txt']);
  expect((await headOf({ directory: tree, env: hook })).commit).toBe(git('rev-parse', 'HEAD').trim());
});

test('links below the folder stay links, also those to directories; a name that is no UTF-8 is told at once', async () => {
  write('v2/a.txt');
  for (const [target, name] of [
    ['v2', 'current'],
    ['v2/a.txt', 'a'],
    ['/etc/passwd', 'out'],
    ['gone', 'dangling'],
  ] as const)
    symlinkSync(target, join(tree, name));
  const { to, files } = await take();
  expect(files).toEqual(['a', 'current', 'v2/a.txt']);
  expect(['a', 'current'].map((name) => readlinkSync(join(to, name)))).toEqual(['v2/a.txt', 'v2']);
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/b`), Buffer.from([0xff])]), '');
  expect((await take()).problem).toContain('its name is not UTF-8. Rename it, or leave it out.');
});
