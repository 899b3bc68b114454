import { afterAll, beforeAll, expect, test } from 'vitest';
import { executionsOfPullRequest } from '../../src/db/executions.ts';
import { decisionsFor } from '../../src/db/start-decisions.ts';
import { testDatabase } from '../database.ts';
import { setStage } from '../stage.ts';
import { startWorld, type World } from '../world.ts';
import { configWithGate, forkPullRequest, summary } from './people.ts';

const { open, db } = await testDatabase();
let world: World;

beforeAll(async () => {
  world = await startWorld({ database: open });
});

afterAll(() => world.stop());

test('a fork runs for one named commit with the configuration of the base, and its next push waits again (SEC-C-01, SEC-C-02, SEC-C-03, SEC-C-07)', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 1 }') });
  const evil = configWithGate('{ allowAuthor: true }').replace('web:', 'mine:');
  const { number, sha, fork, outsider } = await forkPullRequest(world, stage, {
    '.github/penstock.yml': evil,
    'ci/web.pipeline.json': '{}',
    '.github/CODEOWNERS': '* @nobody\n',
  });
  expect(stage.check(sha, 'web')).toMatch(/^completed\/action_required: From a fork/);
  expect(summary(world, stage, sha, 'web')).toContain(`ok-to-test ${sha}`);
  expect(stage.check(sha, 'mine')).toBe('none');
  expect((await stage.say(number, 'reviewer', `/ok-to-test ${sha.slice(0, 12)}`)).reactions).toEqual(['eyes', '-1']);
  expect((await stage.say(number, 'reader', `/ok-to-test ${sha}`)).reactions).toEqual(['eyes', '-1']);
  expect((await stage.say(number, 'reviewer', `/ok-to-test ${sha}`)).reactions).toEqual(['eyes', 'rocket']);
  expect(summary(world, stage, sha)).toContain('from a fork: without secrets and without network');
  const told =
    'This pull request changes `.github/penstock.yml` and `ci/web.pipeline.json` and `.github/CODEOWNERS`. That holds after the merge;';
  expect([summary(world, stage, sha), summary(world, stage, sha, 'web')]).toEqual(
    Array(2).fill(expect.stringContaining(told)),
  );
  const short = await stage.say(number, 'reviewer', '/approve');
  expect(short.reply).toContain('all 40 digits');
  const next = await world.github.commit(fork, {
    branch: 'patch',
    author: outsider,
    message: 'More',
    files: { 'run.sh': 'env\n' },
  });
  await world.settled();
  expect(stage.check(next, 'web')).toMatch(/^completed\/action_required: From a fork/);
  expect(stage.check(sha, 'web')).toMatch(/^completed\/cancelled: Superseded/);
  const records = await executionsOfPullRequest(db, await repositoryId(stage.owner), number);
  expect(records).toHaveLength(1);
  expect(records[0]?.context).toMatchObject({ fork: true, headSha: sha });
});

test('a fork that waits is remembered as held, with the delivery that asked, and started only when it was allowed', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 1 }') });
  const { number, sha } = await forkPullRequest(world, stage);
  const repository = await repositoryId(stage.owner);
  const held = { pipeline: 'web', headSha: sha, pullRequest: number, outcome: 'held', execution: null };
  const waiting = await decisionsFor(db, repository, { pullRequest: number });
  expect(waiting).toMatchObject([held]);
  expect(waiting[0]?.reason).toContain(`comment \`/penstock ok-to-test ${sha}\``);
  expect(waiting[0]?.delivery).toBeTruthy();
  await stage.say(number, 'reviewer', `/ok-to-test ${sha}`);
  expect(await decisionsFor(db, repository, { pullRequest: number })).toMatchObject([{ outcome: 'started' }, held]);
  expect(summary(world, stage, sha)).not.toContain('This pull request changes');
});

test('closing takes the permission away: opened again, the same commit waits, and its check says what to copy (SEC-A-16)', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 1 }') });
  const { number, sha, outsider } = await forkPullRequest(world, stage);
  await stage.say(number, 'reviewer', `/ok-to-test ${sha}`);
  await world.github.closePullRequest(stage.repository, number, outsider);
  await world.settled();
  expect(stage.check(sha, 'web')).toMatch(/^completed\/cancelled: Stopped/);
  await world.github.reopenPullRequest(stage.repository, number, outsider);
  await world.settled();
  expect(stage.check(sha, 'web')).toMatch(/^completed\/action_required: From a fork/);
  expect((await stage.say(number, 'reviewer', `/ok-to-test ${sha}`)).reactions).toEqual(['eyes', 'rocket']);
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/action_required: Waiting/);
});

test('the button allows the commit that it stands on, and nothing when the branch moved on (SEC-C-02)', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 1 }') });
  const { number, sha, fork, outsider } = await forkPullRequest(world, stage);
  const login = `reviewer-${stage.owner}`;
  const held = world.github.faults.holdWebhooks({ event: 'pull_request', action: 'synchronize' });
  const next = await world.github.commit(fork, {
    branch: 'patch',
    author: outsider,
    message: 'More',
    files: { 'a.txt': 'a\n' },
  });
  await world.github.clickButton(stage.repository, { checkName: 'web', sha, identifier: 'ok-to-test', login });
  await world.settled();
  expect(await executionsOfPullRequest(db, await repositoryId(stage.owner), number)).toEqual([]);
  held.release();
  await world.settled();
  await world.github.clickButton(stage.repository, { checkName: 'web', sha: next, identifier: 'ok-to-test', login });
  await world.settled();
  expect(stage.check(next, 'web / Test')).toMatch(/^completed\/success/);
  // A later pull request of the same person waits like the first (SEC-C-04).
  await world.github.commit(fork, {
    branch: 'again',
    from: next,
    author: outsider,
    message: 'Again',
    files: { 'b.txt': 'b\n' },
  });
  const second = await world.github.openPullRequest(stage.repository, {
    head: `${outsider}:again`,
    author: outsider,
    title: 'Again',
  });
  await world.settled();
  expect(await executionsOfPullRequest(db, await repositoryId(stage.owner), second)).toEqual([]);
  const [waiting] = await decisionsFor(db, await repositoryId(stage.owner), { pullRequest: second });
  expect(waiting).toMatchObject({ outcome: 'held', execution: null });
  expect(stage.check(waiting?.headSha ?? '', 'web')).toMatch(/^completed\/action_required: From a fork/);
});

async function repositoryId(owner: string): Promise<number> {
  return (await db.selectFrom('repositories').select('id').where('owner', '=', owner).executeTakeFirstOrThrow()).id;
}
