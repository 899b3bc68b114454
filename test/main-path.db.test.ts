import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { testDatabase } from './database.ts';
import { startWorld, type World } from './world.ts';

const { open } = await testDatabase();
let world: World;
const repository = 'acme/web';

beforeAll(async () => {
  world = await startWorld({ database: open });
  const { github } = world;
  for (const login of ['dev', 'reviewer', 'reader']) github.createAccount({ login });
  const seedDirectory = join(import.meta.dirname, '../examples/web');
  await github.createRepository({ owner: 'acme', name: 'web', seedDirectory });
  for (const login of ['dev', 'reviewer']) github.setPermission(repository, login, 'write');
  github.setPermission(repository, 'reader', 'read');
  github.install({ owner: 'acme' });
  await world.settled();
});

afterAll(() => world.stop());

let branch = 0;
let number = 0;
let sha = '';

beforeEach(async () => {
  const { github } = world;
  branch += 1;
  sha = await github.commit(repository, {
    branch: `feature-${branch}`,
    author: 'dev',
    message: 'Say where it is',
    files: { 'README.md': `The pool, ${branch}.\n` },
  });
  number = await github.openPullRequest(repository, {
    head: `feature-${branch}`,
    author: 'dev',
    title: 'Say where it is',
  });
  await world.settled();
});

test('a pull request runs, waits for a reviewer, refuses its author, and deploys after /approve', async () => {
  const { github } = world;
  expect(world.checks(repository, sha)).toEqual([
    expect.stringMatching(/^web \/ Release: completed\/action_required: Waiting for approval/),
    expect.stringMatching(/^web \/ Source: completed\/success: Succeeded in/),
    expect.stringMatching(/^web \/ Test: completed\/success: Succeeded in/),
    expect.stringMatching(/^web: completed\/action_required: Waiting for approval: comment \/approve/),
  ]);
  const own = await github.comment(repository, number, 'dev', '/approve');
  await world.settled();
  expect(github.reactions(own).map((one) => one.content)).toEqual(['eyes', '-1']);
  expect(github.comments(repository, number).at(-1)?.body).toContain('they are the author. Who could: `reviewer`.');
  const other = await github.comment(repository, number, 'reviewer', 'Looks fine.\n\n/approve');
  await world.settled();
  expect(github.reactions(other).map((one) => one.content)).toEqual(['eyes', 'rocket']);
  expect(world.checks(repository, sha)).toEqual([
    expect.stringMatching(/^web \/ Release: completed\/success: Succeeded in/),
    expect.stringMatching(/^web \/ Source: completed\/success/),
    expect.stringMatching(/^web \/ Test: completed\/success/),
    expect.stringMatching(/^web: completed\/success: Succeeded in/),
  ]);
});

test('one green execution with one approval takes at most 16 writes to GitHub', async () => {
  const { github } = world;
  const before = github.writes().length;
  const pushed = await github.commit(repository, {
    branch: `feature-${branch}`,
    author: 'dev',
    message: 'Once more',
    files: { 'README.md': `Again, ${branch}.\n` },
  });
  await world.settled();
  const superseding = github.writes().length;
  await github.comment(repository, number, 'reviewer', '/approve');
  await world.settled();
  expect(world.check(repository, pushed, 'web')).toMatch(/^completed\/success/);
  // What ends the older execution (its gate and its aggregate) is not part of the green one.
  const ending = github.allCheckRuns(repository, sha).filter((run) => run.conclusion === 'cancelled').length;
  expect(superseding).toBeGreaterThan(before);
  expect(github.writes().length - before - ending).toBeLessThanOrEqual(16);
});

test('a newer commit supersedes the older execution, whose checks say so and whose gate takes no answer', async () => {
  const { github } = world;
  const newer = await github.commit(repository, {
    branch: `feature-${branch}`,
    author: 'dev',
    message: 'Better',
    files: { 'README.md': `Better, ${branch}.\n` },
  });
  await world.settled();
  expect(world.check(repository, sha, 'web')).toBe(`completed/cancelled: Superseded by ${newer.slice(0, 7)}`);
  expect(world.check(repository, sha, 'web / Release')).toMatch(/^completed\/cancelled/);
  expect(world.check(repository, newer, 'web / Release')).toMatch(/^completed\/action_required/);
  const late = await github.comment(repository, number, 'reviewer', `/approve ${sha}`);
  await world.settled();
  expect(github.reactions(late).map((one) => one.content)).toEqual(['eyes', '-1']);
});

test('the Approve button does what the comment does, for a reviewer', async () => {
  const { github } = world;
  await github.clickButton(repository, { checkName: 'web / Release', sha, identifier: 'approve', login: 'reviewer' });
  await world.settled();
  expect(world.check(repository, sha, 'web')).toMatch(/^completed\/success/);
});

test('a failing commit fails its check with the line of the log that matters, and /retry runs only what failed', async () => {
  const { github } = world;
  const broken = await github.commit(repository, {
    branch: `feature-${branch}`,
    author: 'dev',
    message: 'Break the hours',
    files: { 'site/hours.js': 'export const week = [];\n' },
  });
  await world.settled();
  expect(world.check(repository, broken, 'web')).toMatch(/^completed\/failure: Failed in Test/);
  const run = github.checks(repository, broken).find((one) => one.name === 'web / Test');
  expect(run?.text).toContain('Running command node --test');
  expect(run?.actions.map((one) => one.identifier)).toEqual(['retry', 'retry-all']);
  const comment = await github.comment(repository, number, 'dev', '/retry');
  await world.settled();
  expect(github.reactions(comment).map((one) => one.content)).toEqual(['eyes', 'rocket']);
  expect(github.allCheckRuns(repository, broken).filter((one) => one.name === 'web / Test')).toHaveLength(2);
});

test('a reader may ask for the status but stops nothing', async () => {
  const { github } = world;
  const status = await github.comment(repository, number, 'reader', '/status');
  await world.settled();
  expect(github.reactions(status).map((one) => one.content)).toEqual(['eyes', '+1']);
  expect(github.comments(repository, number).at(-1)?.body).toContain('Waiting for approval');
  const stop = await github.comment(repository, number, 'reader', '/stop');
  await world.settled();
  expect(github.reactions(stop).map((one) => one.content)).toEqual(['eyes', '-1']);
  expect(github.comments(repository, number).at(-1)?.body).toContain('needs write access');
});

test('closing a pull request stops what runs for it; reopening starts again', async () => {
  const { github } = world;
  await github.closePullRequest(repository, number, 'dev');
  await world.settled();
  expect(world.check(repository, sha, 'web')).toMatch(/^completed\/cancelled: Stopped/);
  await github.reopenPullRequest(repository, number, 'dev');
  await world.settled();
  expect(world.check(repository, sha, 'web')).toMatch(/^completed\/action_required/);
});

test('a merge runs on main; its gate is answered in the pull request that was merged', async () => {
  const { github } = world;
  const merged = await github.mergePullRequest(repository, number, 'reviewer');
  await world.settled();
  expect(world.check(repository, merged, 'web')).toMatch(/^completed\/action_required/);
  const merger = await github.comment(repository, number, 'reviewer', '/approve');
  await world.settled();
  expect(github.reactions(merger).map((one) => one.content)).toEqual(['eyes', '-1']);
  github.createAccount({ login: 'releaser' });
  github.setPermission(repository, 'releaser', 'write');
  await github.comment(repository, number, 'releaser', '/approve');
  await world.settled();
  expect(world.check(repository, merged, 'web')).toMatch(/^completed\/success/);
});
