import { listActionExecutions } from '../src/db/action-executions.ts';
import { executionsFor, recentExecutions } from '../src/db/executions.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase } from './database.ts';
import { setStage } from './stage.ts';
import { startWorld, type World } from './world.ts';

const { open, db } = await testDatabase();
let world: World;

beforeAll(async () => {
  world = await startWorld({ database: open });
});

afterAll(() => world.stop());

test('a pull request runs, waits for a reviewer, refuses its author, and deploys after /approve', async () => {
  const stage = await setStage(world);
  const { number, sha } = await stage.pullRequest();
  expect(world.checks(stage.repository, sha)).toEqual([
    expect.stringMatching(/^web \/ Release: completed\/action_required: Waiting for approval/),
    expect.stringMatching(/^web \/ Source: completed\/success: Succeeded in/),
    expect.stringMatching(/^web \/ Test: completed\/success: Succeeded in/),
    expect.stringMatching(/^web: completed\/action_required: Waiting for approval: comment \/approve/),
  ]);
  const own = await stage.say(number, 'dev', '/approve');
  expect(own.reactions).toEqual(['eyes', '-1']);
  expect(own.reply).toContain(`an author does not count for their own change. Who could: \`reviewer-${stage.owner}\`.`);
  const other = await stage.say(number, 'reviewer', 'Looks fine.\n\n/approve');
  expect(other).toEqual({ reactions: ['eyes', 'rocket'], reply: undefined });
  expect(world.checks(stage.repository, sha)).toEqual([
    expect.stringMatching(/^web \/ Release: completed\/success: Succeeded in/),
    expect.stringMatching(/^web \/ Source: completed\/success/),
    expect.stringMatching(/^web \/ Test: completed\/success/),
    expect.stringMatching(/^web: completed\/success: Succeeded in/),
  ]);
  // One green execution with one approval; the author's refused try adds two reactions and a reply.
  expect(world.github.writes().length - 3).toBeLessThanOrEqual(16);
});

test('a newer commit supersedes the older execution, whose checks say so and whose gate takes no answer', async () => {
  const stage = await setStage(world);
  const { number, sha, branch } = await stage.pullRequest();
  const newer = await stage.commit(branch, { 'README.md': 'better\n' });
  await world.settled();
  expect(stage.check(sha, 'web')).toBe(`completed/cancelled: Superseded by ${newer.slice(0, 7)}`);
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/cancelled/);
  expect(stage.check(newer, 'web / Release')).toMatch(/^completed\/action_required/);
  const late = await stage.say(number, 'reviewer', `/approve ${sha}`);
  expect(late.reactions).toEqual(['eyes', '-1']);
  expect(stage.check(newer, 'web / Release')).toMatch(/^completed\/action_required/);
});

test('the Approve button does what the comment does, for a reviewer, and refuses the author', async () => {
  const stage = await setStage(world);
  const { number, sha } = await stage.pullRequest();
  const click = { checkName: 'web / Release', sha, identifier: 'approve' };
  await world.github.clickButton(stage.repository, { ...click, login: `dev-${stage.owner}` });
  await world.settled();
  expect(world.github.comments(stage.repository, number).at(-1)?.body).toContain(
    'does not count: an author does not count for their own change',
  );
  await world.github.clickButton(stage.repository, { ...click, login: `reviewer-${stage.owner}` });
  await world.settled();
  expect(stage.check(sha, 'web')).toMatch(/^completed\/success/);
});

test('a failing commit shows the end of its log; /retry runs only what failed, as a new run of the same name', async () => {
  const stage = await setStage(world);
  const { number, sha } = await stage.pullRequest({ 'run.sh': 'echo "the pump is missing" >&2\nexit 3\n' });
  expect(stage.check(sha, 'web')).toMatch(/^completed\/failure: Failed in Test/);
  const run = world.github.checks(stage.repository, sha).find((one) => one.name === 'web / Test');
  expect(run?.text).toContain('the pump is missing');
  expect(run?.text).toContain('exit status 3');
  expect(run?.actions.map((one) => one.identifier)).toEqual(['retry', 'retry-all']);
  expect((await stage.say(number, 'dev', '/retry')).reactions).toEqual(['eyes', 'rocket']);
  const runs = world.github.allCheckRuns(stage.repository, sha);
  expect(runs.filter((one) => one.name === 'web / Test').map((one) => one.conclusion)).toEqual(['failure', 'failure']);
  expect(runs.filter((one) => one.name === 'web / Source')).toHaveLength(1);
});

test('two actions of one runOrder that take two seconds each run side by side', async () => {
  const stage = await setStage(world, { beside: { left: ['sleep 2'], right: ['sleep 2'] } });
  const { sha } = await stage.pullRequest();
  expect(stage.check(sha, 'web / Test')).toMatch(/^completed\/success/);
  const [record] = await executionsFor(db, (await repositoryId(sha)) ?? 0, sha);
  const rows = await listActionExecutions(db, record?.execution.id ?? '');
  const [left, right] = ['left', 'right'].map((name) => rows.find((row) => row.action === name));
  expect(left?.startedAt.getTime()).toBeLessThan(right?.endedAt?.getTime() ?? 0);
  expect(right?.startedAt.getTime()).toBeLessThan(left?.endedAt?.getTime() ?? 0);
});

async function repositoryId(sha: string): Promise<number | undefined> {
  const recent = await recentExecutions(db, { limit: 50 });
  return recent.find((record) => record.context.headSha === sha)?.repositoryId;
}

test('a rejection fails the stage and names who said no and why', async () => {
  const stage = await setStage(world);
  const { number, sha } = await stage.pullRequest();
  await stage.say(number, 'reviewer', '/reject Release the hours are wrong');
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/failure: Rejected/);
  const run = world.github.checks(stage.repository, sha).find((one) => one.name === 'web / Release');
  expect(run?.summary).toContain('the hours are wrong');
});

test('a reader may ask for the status but stops nothing; a writer does', async () => {
  const stage = await setStage(world);
  const { number, sha } = await stage.pullRequest();
  const status = await stage.say(number, 'reader', '/status');
  expect(status.reactions).toEqual(['eyes', '+1']);
  expect(status.reply).toContain('Waiting for approval');
  const stop = await stage.say(number, 'reader', '/stop');
  expect(stop.reactions).toEqual(['eyes', '-1']);
  expect(stop.reply).toContain('needs write access');
  await stage.say(number, 'reviewer', '/stop abandon wrong branch');
  expect(stage.check(sha, 'web')).toMatch(/^completed\/cancelled: Stopped/);
});

test('closing a pull request stops what runs for it; reopening starts again', async () => {
  const stage = await setStage(world);
  const { number, sha } = await stage.pullRequest();
  await world.github.closePullRequest(stage.repository, number, `dev-${stage.owner}`);
  await world.settled();
  expect(stage.check(sha, 'web')).toMatch(/^completed\/cancelled: Stopped/);
  await world.github.reopenPullRequest(stage.repository, number, `dev-${stage.owner}`);
  await world.settled();
  expect(stage.check(sha, 'web')).toMatch(/^completed\/action_required/);
});

test('a merge runs on main; its gate is answered in the merged pull request, not by who merged', async () => {
  const stage = await setStage(world);
  const { number } = await stage.pullRequest();
  const merged = await world.github.mergePullRequest(stage.repository, number, `reviewer-${stage.owner}`);
  await world.settled();
  expect(stage.check(merged, 'web')).toMatch(/^completed\/action_required/);
  const merger = await stage.say(number, 'reviewer', '/approve');
  expect(merger.reactions).toEqual(['eyes', '-1']);
  world.github.createAccount({ login: `releaser-${stage.owner}` });
  world.github.setPermission(stage.repository, `releaser-${stage.owner}`, 'write');
  expect((await stage.say(number, 'releaser', '/approve')).reactions).toEqual(['eyes', 'rocket']);
  expect(stage.check(merged, 'web')).toMatch(/^completed\/success/);
});

test('a pipeline that its filters leave out concludes as skipped, with the reason; /run starts it all the same', async () => {
  const stage = await setStage(world);
  const { number, sha } = await stage.pullRequest({ 'docs/page.md': 'words\n' });
  expect(stage.check(sha, 'web')).toMatch(/^completed\/skipped: Skipped: /);
  const status = await stage.say(number, 'reader', '/status');
  expect(status.reply).toContain('every changed file is excluded by');
  await stage.say(number, 'dev', '/run web LEVEL=full');
  expect(stage.check(sha, 'web')).toMatch(/^completed\/action_required/);
});

test('a broken configuration concludes as a failure with file, line and mend', async () => {
  const stage = await setStage(world, { config: 'pipelines:\n  web:\n    definitoin: ci/web.pipeline.json\n' });
  const { sha } = await stage.pullRequest();
  const [check] = world.github.checks(stage.repository, sha);
  expect(check?.conclusion).toBe('failure');
  expect(check?.summary).toContain('.github/penstock.yml:3');
  expect(check?.summary).toContain('definition');
});

test('a pipeline with an action that cannot run here fails its check before anything runs, and says why (CP-P-6)', async () => {
  const stage = await setStage(world, { last: { category: 'Deploy', provider: 'EKS' } });
  const { sha } = await stage.pullRequest();
  expect(stage.check(sha, 'web')).toMatch(/^completed\/failure: /);
  const [check] = world.github.checks(stage.repository, sha);
  expect(check?.summary).toContain("Provider: 'EKS'");
  expect(check?.summary).toMatch(/ci\/web\.pipeline\.json:\d+/);
  const asking = await setStage(world, {
    last: { category: 'Invoke', provider: 'Lambda', configuration: { FunctionName: 'ask' } },
  });
  const pushed = await asking.pullRequest();
  expect(asking.check(pushed.sha, 'web')).toMatch(/^completed\/failure: Failed: ActionType/);
  const told = world.github.checks(asking.repository, pushed.sha).find(({ name }) => name === 'web');
  expect(told?.summary).toContain('The operator allows functions for this repository in penstock.server.yml');
});

test('a pull request from a fork waits until a person with write access names its full commit', async () => {
  const stage = await setStage(world);
  const { github } = world;
  const outsider = `outsider-${stage.owner}`;
  github.createAccount({ login: outsider });
  const fork = await github.forkRepository(stage.repository, outsider);
  const sha = await github.commit(fork.fullName, {
    branch: 'patch',
    author: outsider,
    message: 'Help',
    files: { 'run.sh': 'echo hi\n' },
  });
  const number = await github.openPullRequest(stage.repository, {
    head: `${outsider}:patch`,
    author: outsider,
    title: 'Help',
  });
  await world.settled();
  expect(stage.check(sha, 'web')).toMatch(/^completed\/action_required: From a fork/);
  expect((await stage.say(number, 'reviewer', '/ok-to-test')).reactions).toEqual(['eyes', '-1']);
  expect((await stage.say(number, 'outsider', `/ok-to-test ${sha}`)).reactions).toEqual(['eyes', '-1']);
  expect((await stage.say(number, 'reviewer', `/ok-to-test ${sha}`)).reactions).toEqual(['eyes', 'rocket']);
  expect(stage.check(sha, 'web / Test')).toMatch(/^completed\/success/);
});

test('a merge group gets its verdict at once, and the push to the queue branch starts nothing', async () => {
  const stage = await setStage(world);
  const { number } = await stage.pullRequest();
  const group = await world.github.enterMergeQueue(stage.repository, number, `reviewer-${stage.owner}`);
  await world.settled();
  expect(world.checks(stage.repository, group.headSha)).toEqual([
    'web: completed/success: Passed on to the merge queue',
  ]);
});

test("GitHub's own re-run of a check runs the stage again, and of everything runs what failed", async () => {
  const stage = await setStage(world);
  const { sha } = await stage.pullRequest({ 'run.sh': 'exit 1\n' });
  const login = `dev-${stage.owner}`;
  await world.github.rerequestCheck(stage.repository, { checkName: 'web / Test', sha, login });
  await world.settled();
  await world.github.rerequestSuite(stage.repository, { sha, login });
  await world.settled();
  const runs = world.github.allCheckRuns(stage.repository, sha).filter((one) => one.name === 'web / Test');
  expect(runs).toHaveLength(3);
  expect(runs.every((one) => one.status === 'completed')).toBe(true);
});
