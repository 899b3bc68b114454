import { afterAll, expect, test } from 'vitest';
import { executionsFor } from '../../src/db/executions.ts';
import { sweepAws } from '../../src/handlers/adopt-executions.ts';
import { testDatabase } from '../database.ts';
import { startBoundWorld } from './bound-world.ts';

const { open, db } = await testDatabase();
const bound = await startBoundWorld(
  open,
  [
    { name: 'theirs', starts: 'aws', on: '{ push: [{ branches: { includes: [main] } }] }' },
    { name: 'mixed', starts: 'both', on: '{ pullRequest: [{ filePaths: { includes: [mixed/**] } }] }' },
    { name: 'ours', starts: 'bot', on: '{ pullRequest: [{ filePaths: { includes: [ours/**] } }] }' },
  ],
  { logins: ['dev', 'reviewer', 'releaser'] },
);
const { world, aws, owner, repository, pullRequest, look, newest, say } = bound;
const anna = 'arn:aws:iam::111122223333:user/anna';

afterAll(() => world.stop());

async function record(sha: string, pipeline: string) {
  const { id } = await db.selectFrom('repositories').select('id').where('owner', '=', owner).executeTakeFirstOrThrow();
  const found = (await executionsFor(db, id, sha)).filter((one) => one.pipeline === pipeline);
  expect(found).toHaveLength(1);
  return found[0]!;
}

/** AWS's own trigger starts it for a commit of main, and it runs to its gate. */
async function toTheGate(sha: string): Promise<void> {
  const running = aws.begin('theirs-prod', 'WebhookV2', { App: sha });
  for (const action of ['Unit', 'Lint']) aws.finish(running, action, 'Succeeded');
  await look();
  await look();
}

test('AWS starts a merge by itself: it is its pull request’s, and neither author nor who merged it count for its gate', async () => {
  await look();
  const { number } = await pullRequest('merged');
  const merged = await world.github.mergePullRequest(repository, number, `reviewer-${owner}`);
  await world.settled();
  expect(world.check(repository, merged, 'theirs')).toBe('none');
  await toTheGate(merged);
  expect(world.check(repository, merged, 'theirs / Release')).toMatch(/^completed\/action_required/);
  const { context, execution } = await record(merged, 'theirs');
  expect(context).toMatchObject({ pullRequest: number, lastPusher: { login: `reviewer-${owner}` } });
  expect(context.authors.map((one) => one.login)).toContain(`dev-${owner}`);
  expect(execution.startedBy).toEqual({ kind: 'api', arn: anna });
  expect(await say(number, 'dev', `/approve theirs ${merged}`)).toEqual(['eyes', '-1']);
  expect(await say(number, 'reviewer', `/approve theirs ${merged}`)).toEqual(['eyes', '-1']);
  expect(await say(number, 'releaser', `/approve theirs ${merged}`)).toEqual(['eyes', 'rocket']);
  await look();
  expect(world.check(repository, merged, 'theirs')).toMatch(/^completed\/success/);
});

test('the webhook of a push was lost: who merged is asked of GitHub', async () => {
  const { number } = await pullRequest('lost');
  world.github.setWebhook(`${world.server.url}/nowhere`);
  const merged = await world.github.mergePullRequest(repository, number, `releaser-${owner}`);
  await world.github.settled();
  world.github.setWebhook(`${world.server.url}/api/github/webhooks`);
  await toTheGate(merged);
  const { context } = await record(merged, 'theirs');
  expect(context).toMatchObject({ pullRequest: number, lastPusher: { login: `releaser-${owner}` } });
  expect(context.authors.map((one) => one.login).toSorted()).toEqual([`dev-${owner}`, `releaser-${owner}`]);
});

test('a push straight to the branch: its range and who pushed come from its webhook', async () => {
  for (const author of ['dev', 'releaser']) {
    const commit = { branch: 'main', message: author, files: { [`${author}.txt`]: `${author}\n` } };
    const sha = await world.github.commit(repository, { ...commit, author: `${author}-${owner}` });
    await world.settled();
    await toTheGate(sha);
    const { context } = await record(sha, 'theirs');
    expect(context.lastPusher?.login).toBe(`${author}-${owner}`);
    expect(context.authors.map((one) => one.login)).toEqual([`${author}-${owner}`]);
    expect(context.unmappedAuthors).toEqual([]);
  }
});

test('the webhook of a push straight to the branch was lost: GitHub tells who pushed, and from where', async () => {
  const commit = { branch: 'main', message: 'lost', author: `dev-${owner}`, files: { 'lost.txt': 'x\n' } };
  world.github.setWebhook(`${world.server.url}/nowhere`);
  const sha = await world.github.commit(repository, { ...commit, by: `releaser-${owner}` });
  await world.github.settled();
  world.github.setWebhook(`${world.server.url}/api/github/webhooks`);
  await toTheGate(sha);
  const { context } = await record(sha, 'theirs');
  expect(context.lastPusher?.login).toBe(`releaser-${owner}`);
  expect(context.authors.map((one) => one.login).toSorted()).toEqual([`dev-${owner}`, `releaser-${owner}`]);
  expect(context.unmappedAuthors).toEqual([]);
});

test('an approval given in the console is shown with the ARN of who gave it, and nothing is answered a second time', async () => {
  const { sha } = await pullRequest('console', 'ours/a.txt');
  const running = newest('ours-prod');
  for (const action of ['Unit', 'Lint']) aws.finish(running, action, 'Succeeded');
  await look();
  expect(world.check(repository, sha, 'ours / Release')).toMatch(/^completed\/action_required/);
  const answers = () => aws.calls.filter((one) => one.call === 'PutApprovalResult').length;
  const before = answers();
  aws.finish(running, 'Approve', 'Succeeded', { updatedBy: anna, summary: 'looks fine' });
  await look();
  expect(world.check(repository, sha, 'ours')).toMatch(/^completed\/success/);
  const [release] = world.github.checks(repository, sha).filter((one) => one.name === 'ours / Release');
  expect(`${release?.summary}\n${release?.text}`).toContain('arn:aws:iam::111122223333:user/anna');
  expect(answers()).toBe(before);
});

test('with `starts: both` a pull request is started once, and what the console or a schedule starts is shown too', async () => {
  const begun = () => aws.executions.filter((one) => one.pipeline === 'mixed-prod').length;
  const before = begun();
  const { sha } = await pullRequest('both', 'mixed/a.txt');
  await look();
  expect(begun()).toBe(before + 1);
  expect(world.check(repository, sha, 'mixed / Build')).toMatch(/^in_progress/);
  const main = await world.github.commit(repository, {
    branch: 'main',
    author: `dev-${owner}`,
    message: 'Nightly',
    files: { 'nightly.txt': 'x\n' },
  });
  await world.settled();
  const nightly = aws.begin('mixed-prod', 'CloudWatchEvent', { App: main });
  await look();
  await look();
  expect(begun()).toBe(before + 2);
  expect(world.check(repository, main, 'mixed / Build')).toMatch(/^in_progress/);
  aws.finish(nightly, 'Lint', 'Succeeded');
  aws.finish(nightly, 'Unit', 'Failed');
  await look();
  expect(world.check(repository, main, 'mixed')).toMatch(/^completed\/failure/);
});

test('a commit that the console started before its pull request came is not started again (CP-T-1)', async () => {
  const files = { 'mixed/early.txt': 'early\n' };
  const author = `dev-${owner}`;
  const sha = await world.github.commit(repository, { branch: 'early', author, message: 'Early', files });
  await world.settled();
  const begun = () => aws.executions.filter((one) => one.pipeline === 'mixed-prod').length;
  aws.begin('mixed-prod', 'StartPipelineExecution', { App: sha });
  await look();
  await look();
  const before = begun();
  await world.github.openPullRequest(repository, { head: 'early', author, title: 'Early' });
  await world.settled();
  expect(begun()).toBe(before);
  await record(sha, 'mixed');
  expect(world.check(repository, sha, 'mixed / Build')).toMatch(/^in_progress/);
});

test('a pipeline with `starts: bot` shows only its own, and GitHub is asked once about each of the others', async () => {
  const { sha } = await pullRequest('strange', 'ours/b.txt');
  await look();
  aws.begin('ours-prod', 'CloudWatchEvent', { App: sha });
  let calls = 0;
  world.github.onExchange(({ path }) => void (calls += path.endsWith(`/commits/${sha}/pulls`) ? 1 : 0));
  const asked = () => calls;
  await look();
  const before = asked();
  expect(before).toBeGreaterThan(0);
  await look();
  await look();
  expect(asked()).toBe(before);
  await record(sha, 'ours');
});

test('the sweep asks for a look at every bound pipeline that was not looked at for a minute', async () => {
  await look();
  const waiting = () => db.selectFrom('jobs').select('dedupe_key').where('kind', '=', 'observe').execute();
  const before = (await waiting()).length;
  await sweepAws(world.server.deps);
  expect(await waiting()).toHaveLength(before);
  await db
    .updateTable('ticks')
    .set({ last_run: new Date(Date.now() - 70_000) })
    .where('name', 'like', 'aws-look/%')
    .execute();
  await db.deleteFrom('jobs').where('kind', '=', 'observe').execute();
  await sweepAws(world.server.deps);
  expect(await waiting()).toHaveLength(3);
});
