import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { testDatabase } from './database.ts';
import { configWithGate, summary } from './handlers/people.ts';
import { setStage, type Stage } from './stage.ts';
import { sweepByHand } from './sweep-by-hand.ts';
import { startWorld, type World } from './world.ts';

const { open } = await testDatabase();
let world: World;
let stage: Stage;

beforeAll(async () => {
  world = await startWorld({ database: open });
});

beforeEach(async () => {
  stage = await setStage(world);
});

afterEach(() => world.github.faults.clear());

afterAll(() => world.stop());

test('with every webhook dropped for ever the story ends right, only later', async () => {
  const { github } = world;
  await sweepByHand(world);
  github.faults.dropWebhooks({ times: Infinity });
  const { number, sha, branch } = await stage.pullRequest({ 'run.sh': 'exit 1\n' });
  expect(github.checks(stage.repository, sha)).toEqual([]);
  await sweepByHand(world);
  expect(stage.check(sha, 'web')).toMatch(/^completed\/failure: Failed in Test/);
  const fixed = await stage.commit(branch, { 'run.sh': 'echo fine\n' });
  await sweepByHand(world);
  expect(stage.check(fixed, 'web')).toMatch(/^completed\/action_required/);
  await github.comment(stage.repository, number, `dev-${stage.owner}`, '/approve');
  await github.comment(stage.repository, number, `reviewer-${stage.owner}`, '/approve');
  await sweepByHand(world);
  expect(stage.check(fixed, 'web')).toMatch(/^completed\/success/);
  const merged = await github.mergePullRequest(stage.repository, number, `dev-${stage.owner}`);
  await sweepByHand(world);
  expect(stage.check(merged, 'web')).toMatch(/^completed\/action_required/);
  const writes = github.writes().length;
  await sweepByHand(world);
  expect(github.writes().length).toBe(writes);
});

test('old webhooks that come late change nothing: GitHub is asked what is true now (SEC-E-16, SEC-E-17)', async () => {
  const { github } = world;
  const { number, sha, branch } = await stage.pullRequest();
  const newer = await stage.commit(branch, { 'README.md': 'newer\n' });
  await world.settled();
  await github.comment(stage.repository, number, `reviewer-${stage.owner}`, '/approve');
  await world.settled();
  expect(stage.check(newer, 'web')).toMatch(/^completed\/success/);
  const before = github.writes().length;
  const sent = github.deliveries().slice();
  for (const delivery of sent) github.redeliver(delivery.id);
  await world.settled();
  expect(github.writes().length).toBe(before);
  expect(stage.check(sha, 'web')).toMatch(/^completed\/cancelled: Superseded/);
});

test('what people asked of an execution that has ended, or in a review, is found too, and obeyed once', async () => {
  const { github } = world;
  await sweepByHand(world);
  const { number, sha, branch } = await stage.pullRequest({ 'run.sh': 'exit 1\n' });
  expect(stage.check(sha, 'web')).toMatch(/^completed\/failure/);
  github.faults.dropWebhooks({ times: Infinity });
  const comment = await github.comment(stage.repository, number, `reviewer-${stage.owner}`, '/retry');
  await sweepByHand(world);
  expect(github.reactions(comment).map((one) => one.content)).toEqual(['eyes', 'rocket']);
  const rounds = () => github.checks(stage.repository, sha).filter((one) => one.name === 'web / Test').length;
  const retried = rounds();
  await sweepByHand(world);
  expect(rounds()).toBe(retried);
  const fixed = await stage.commit(branch, { 'run.sh': 'echo fine\n' });
  await sweepByHand(world);
  await github.review(stage.repository, number, `reviewer-${stage.owner}`, {
    state: 'commented',
    body: `/approve ${fixed}`,
  });
  await sweepByHand(world);
  expect(stage.check(fixed, 'web')).toMatch(/^completed\/success/);
});

test('a review that was dismissed unnoticed takes its answer back', async () => {
  const { github } = world;
  stage = await setStage(world, { config: configWithGate('{ count: 2 }') });
  await sweepByHand(world);
  const { number, sha } = await stage.pullRequest();
  const login = `reviewer-${stage.owner}`;
  const review = await github.review(stage.repository, number, login, { state: 'approved', body: '/approve' });
  await world.settled();
  expect(summary(world, stage, sha)).toContain('1 of 2');
  github.faults.dropWebhooks({ times: Infinity });
  await github.dismissReview(review, `dev-${stage.owner}`);
  await sweepByHand(world);
  expect(summary(world, stage, sha)).toContain('0 of 2');
});

test('a base that was changed unnoticed ends what ran for the other one', async () => {
  const { github } = world;
  await stage.commit('next', { 'README.md': 'next\n' });
  const { number, sha } = await stage.pullRequest();
  github.faults.dropWebhooks({ times: Infinity });
  await github.editPullRequest(stage.repository, number, `dev-${stage.owner}`, { base: 'next' });
  await sweepByHand(world);
  expect(stage.check(sha, 'web')).toMatch(/^completed\/(cancelled|skipped)/);
});
