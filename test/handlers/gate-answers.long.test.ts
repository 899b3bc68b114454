import { afterAll, beforeAll, expect, test } from 'vitest';
import { executionsOfPullRequest } from '../../src/db/executions.ts';
import { votesOfExecution } from '../../src/db/votes.ts';
import { sweepRepositories } from '../../src/handlers/sweep.ts';
import { testDatabase } from '../database.ts';
import { setStage, type Stage } from '../stage.ts';
import { startWorld, type World } from '../world.ts';
import { addPerson, configWithGate, replies } from './people.ts';

const { open, db } = await testDatabase();
let world: World;

beforeAll(async () => {
  world = await startWorld({ database: open });
});

afterAll(() => world.stop());

/** A commit of the author's that somebody else pushes. */
async function pushFor(stage: Stage, branch: string, pusher: string): Promise<string> {
  const sha = await world.github.commit(stage.repository, {
    branch,
    author: `dev-${stage.owner}`,
    by: `${pusher}-${stage.owner}`,
    message: 'Pushed by another',
    files: { 'README.md': `by ${pusher}\n` },
  });
  await world.settled();
  return sha;
}

test('several answers in one comment are taken in their order: the last one is the one that counts', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 2 }') });
  const { number, sha } = await stage.pullRequest();
  const both = await stage.say(number, 'reviewer', '/approve\n/reject on second thoughts');
  expect(both.reply).toContain('Counted: 1 of 2');
  expect(stage.check(sha, 'web / Release')).toBe(`completed/failure: Rejected by reviewer-${stage.owner}`);
  const started = await stage.say(number, 'reviewer', '/rerun\n/stop abandon\n/rerun web');
  expect(started.reply).toBeUndefined();
  const known = await executionsOfPullRequest(db, await idOf(stage), number);
  expect([known.length, known.filter(({ live }) => live).length]).toEqual([3, 1]);
});

test('whoever pushed the head does not count, however its execution was started (SEC-B-02)', async () => {
  const stage = await setStage(world, { config: configWithGate('{}') });
  addPerson(world, stage, 'pusher');
  const { number, branch } = await stage.pullRequest();
  await pushFor(stage, branch, 'pusher');
  await world.github.closePullRequest(stage.repository, number, `pusher-${stage.owner}`);
  await world.settled();
  await world.github.reopenPullRequest(stage.repository, number, `pusher-${stage.owner}`);
  await world.settled();
  const { reply } = await stage.say(number, 'pusher', '/approve');
  expect(reply).toContain('whoever pushed or merged last does not count');
});

test('whoever pushed the branch before it became a pull request, or whose push was only swept up, does not count (SEC-B-02)', async () => {
  const stage = await setStage(world, { config: configWithGate('{}') });
  addPerson(world, stage, 'pusher');
  await pushFor(stage, 'feature', 'pusher');
  const head = { head: 'feature', author: `dev-${stage.owner}`, title: 'A change' };
  const number = await world.github.openPullRequest(stage.repository, head);
  await world.settled();
  const refused = 'whoever pushed or merged last does not count';
  expect((await stage.say(number, 'pusher', '/plan')).reply).toContain(refused);
  expect((await stage.say(number, 'pusher', '/approve')).reply).toContain(refused);
  const lost = world.github.faults.dropWebhooks({ event: 'pull_request', action: 'synchronize', times: 1 });
  const swept = await pushFor(stage, 'feature', 'reviewer');
  expect(lost.struck()).toBe(1);
  await sweepRepositories(world.server.deps);
  await world.settled();
  expect((await stage.say(number, 'reviewer', `/approve ${swept}`)).reply).toContain(refused);
  expect((await stage.say(number, 'pusher', `/approve ${swept}`)).reactions).toEqual(['eyes', 'rocket']);
});

test('a closed pull request starts nothing again, and an answer that was refused then counts at no time (SEC-A-16)', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 2 }') });
  const { number, sha } = await stage.pullRequest();
  await world.github.closePullRequest(stage.repository, number, `dev-${stage.owner}`);
  await world.settled();
  for (const again of ['/rerun', '/retry', '/rollback web/Release', '/override web/Release']) {
    const answer = await stage.say(number, 'reviewer', again);
    expect([again, answer.reactions, answer.reply]).toEqual([
      again,
      ['eyes', '-1'],
      expect.stringContaining('is closed'),
    ]);
  }
  expect(stage.check(sha, 'web')).toBe('completed/cancelled: Stopped: The pull request was closed');
  const [ended] = await executionsOfPullRequest(db, await idOf(stage), number);
  expect(await votesOfExecution(db, ended?.execution.id ?? '')).toEqual([]);
});

test('a commit that is not the head any more is not run again; the answer names the line for the head', async () => {
  const config = configWithGate('{}').replace('[main, next] }', '[main, next] }, filePaths: { excludes: ["docs/**"] }');
  const stage = await setStage(world, { config });
  const { number, branch } = await stage.pullRequest();
  // The same files as the base again, and words that no pipeline is for.
  const head = await stage.commit(branch, { 'README.md': null, 'docs/words.md': 'words\n' });
  await world.settled();
  expect(stage.check(head, 'web')).toMatch('completed/skipped');
  for (const again of ['/rerun', '/retry']) {
    const { reply } = await stage.say(number, 'reviewer', again);
    expect(reply).toContain(
      `is not the head of the pull request any more. To start the pipeline for \`${head.slice(0, 7)}\``,
    );
    expect(reply).toContain('comment `/run web`');
  }
});

test('a review that asks for changes takes the approval back, whatever else it asks (SEC-B-18)', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 2 }') });
  const { number, sha } = await stage.pullRequest();
  await stage.say(number, 'reviewer', '/approve');
  expect(stage.check(sha, 'web / Release')).toMatch('1 of 2 approvals');
  const changes = { state: 'changes_requested', body: 'Not yet.\n\n/why' } as const;
  await world.github.review(stage.repository, number, `reviewer-${stage.owner}`, changes);
  await world.settled();
  expect(stage.check(sha, 'web / Release')).toMatch('0 of 2 approvals');
  expect(replies(world, stage, number).at(-1)).toContain('0 of 2 approvals');
});

test('a gate that takes buttons only shows no line to copy, and what was said elsewhere replaces no answer', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 2, channels: [button] }') });
  addPerson(world, stage, 'other');
  const { number, sha } = await stage.pullRequest();
  const press = async (name: string, identifier: string) => {
    const click = { checkName: 'web / Release', sha, identifier, login: `${name}-${stage.owner}` };
    await world.github.clickButton(stage.repository, click);
    await world.settled();
  };
  const shown = world.github.checks(stage.repository, sha).find(({ name }) => name === 'web / Release');
  expect(shown?.title).toBe('0 of 2 approvals of Release: see how inside');
  expect(shown?.summary).toContain('Press **Approve** or **Reject** on this page.');
  expect(shown?.summary).not.toContain('/approve');
  await press('reviewer', 'approve');
  const said = await stage.say(number, 'reviewer', '/reject');
  expect(said.reply).toContain('answers by comment are not taken here, only by button');
  const why = await stage.say(number, 'reviewer', '/why');
  expect(why.reply).toContain('**1 of 2 approvals**');
  expect(why.reply).toContain('- To approve, press the button on its check\n');
  await press('other', 'approve');
  expect(stage.check(sha, 'web / Release')).toMatch('completed/success');
});

async function idOf({ repository }: Stage): Promise<number> {
  const [owner = ''] = repository.split('/');
  const known = db.selectFrom('repositories').select('id').where('owner', '=', owner);
  return (await known.executeTakeFirstOrThrow()).id;
}

test('an approval that was refused because the configuration had changed is no answer, also when it changes back (SEC-A-14)', async () => {
  const config = configWithGate('{ count: 2 }');
  const stage = await setStage(world, { config });
  addPerson(world, stage, 'other');
  const { number, sha } = await stage.pullRequest();
  const configure = (text: string) => stage.commit('main', { '.github/penstock.yml': text });
  await configure(`${config}# another one\n`);
  await world.settled();
  const refused = await stage.say(number, 'reviewer', '/approve');
  expect(refused.reactions).toEqual(['eyes', '-1']);
  expect(refused.reply).toContain('The configuration on the base branch changed');
  await configure(config);
  await world.settled();
  await stage.say(number, 'other', '/approve');
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/action_required: 1 of 2/);
});
