import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditOf } from '../../src/db/audit.ts';
import { executionsOfPullRequest } from '../../src/db/executions.ts';
import { expireGates } from '../../src/handlers/expire-gates.ts';
import { sweepRepositories } from '../../src/handlers/sweep.ts';
import { lightConfig, lightRepository } from '../seeds.ts';
import { testDatabase } from '../database.ts';
import { setStage, type Stage } from '../stage.ts';
import { deliver, startWorld, type World } from '../world.ts';
import { addPerson, configWithGate, replies, summary } from './people.ts';

const { open, db } = await testDatabase();
let world: World;

beforeAll(async () => {
  world = await startWorld({ database: open });
});

afterAll(() => world.stop());

/** A gate that needs two, with one approval given. */
async function halfApproved(more = ''): Promise<{ stage: Stage; number: number; sha: string; branch: string }> {
  const stage = await setStage(world, { config: configWithGate('{ count: 2 }', more) });
  addPerson(world, stage, 'other');
  const pull = await stage.pullRequest();
  await stage.say(pull.number, 'reviewer', '/approve');
  return { stage, ...pull };
}

async function onBase(stage: Stage, files: Readonly<Record<string, string>>): Promise<void> {
  const change = { branch: 'main', author: `dev-${stage.owner}`, message: 'On the base', files };
  await world.github.commit(stage.repository, change);
  await world.settled();
}

test('a push before the answer is read keeps the gate closed, and the answer names the new head (SEC-A-01, SEC-A-02)', async () => {
  const stage = await setStage(world);
  const { number, sha, branch } = await stage.pullRequest();
  const held = world.github.faults.holdWebhooks({ event: 'pull_request', action: 'synchronize' });
  const newer = await stage.commit(branch, { 'README.md': 'B\n' });
  const late = await stage.say(number, 'reviewer', `/approve ${sha}`);
  expect(late.reactions).toEqual(['eyes', '-1']);
  expect(late.reply).toContain(`The head of the pull request is \`${newer.slice(0, 7)}\` by now`);
  expect(late.reply).toContain(`\`/approve web/Release/Approve ${newer}\``);
  const refusals = db.selectFrom('audit').select('why').where('who', '=', `reviewer-${stage.owner}`);
  expect(await refusals.execute()).toEqual([{ why: expect.stringMatching(/^refused: The head of the pull request/) }]);
  held.release();
  await world.settled();
  expect(stage.check(newer, 'web / Release')).toMatch(/^completed\/action_required/);
  expect(stage.check(sha, 'web')).toMatch(/^completed\/cancelled: Superseded/);
});

test('another base branch voids what was approved, and the gate opens anew for it (SEC-A-13)', async () => {
  const { stage, number, sha } = await halfApproved();
  await stage.commit('next', { 'README.md': 'next\n' });
  await world.github.editPullRequest(stage.repository, number, `dev-${stage.owner}`, { base: 'next' });
  await world.settled();
  const records = await executionsOfPullRequest(db, await repositoryId(stage), number);
  expect(records.map((one) => [one.context.baseRef, one.status])).toEqual([
    ['next', 'InProgress'],
    ['main', 'Stopped'],
  ]);
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/action_required: 0 of 2/);
  const rows = await auditOf(db, records[1]?.execution.id ?? '');
  expect(rows.at(-1)).toMatchObject({ who: `dev-${stage.owner}`, what: 'pipeline-withdraw', why: 'base-changed' });
});

test('an answer that comes before the webhook of another base branch releases nothing (SEC-A-13)', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 1 }') });
  const { number, sha } = await stage.pullRequest();
  await stage.commit('next', { 'README.md': 'next\n' });
  const lost = world.github.faults.dropWebhooks({ event: 'pull_request', times: 1 });
  await world.github.editPullRequest(stage.repository, number, `dev-${stage.owner}`, { base: 'next' });
  expect(lost.struck()).toBe(1);
  const said = await stage.say(number, 'reviewer', '/approve');
  expect(said.reactions).toEqual(['eyes', '-1']);
  expect(said.reply).toContain('goes into another branch by now');
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/action_required/);
});

test('a configuration that changes on the base branch closes the gate with the way out; /run opens a new one (SEC-A-14)', async () => {
  const { stage, number, sha } = await halfApproved();
  await onBase(stage, { '.github/penstock.yml': configWithGate('{ count: 1 }') });
  expect(summary(world, stage, sha)).toContain('takes no approval any more');
  const refused = await stage.say(number, 'other', '/approve');
  expect(refused.reactions).toEqual(['eyes', '-1']);
  expect(refused.reply).toContain('comment `/run web`');
  await stage.say(number, 'dev', '/run web');
  expect((await stage.say(number, 'other', '/approve')).reactions).toEqual(['eyes', 'rocket']);
  expect(stage.check(sha, 'web')).toMatch(/^completed\/success/);
});

test('closing voids approvals, and while it is closed nobody can answer (SEC-A-16, SEC-A-17)', async () => {
  const { stage, number, sha } = await halfApproved();
  const login = `other-${stage.owner}`;
  const held = world.github.faults.holdWebhooks({ event: 'check_run' });
  await world.github.clickButton(stage.repository, { checkName: 'web / Release', sha, identifier: 'approve', login });
  await world.github.closePullRequest(stage.repository, number, `dev-${stage.owner}`);
  await world.settled();
  held.release();
  expect((await stage.say(number, 'other', '/approve')).reply).toContain('No gate waits');
  await world.github.review(stage.repository, number, login, { state: 'approved', body: '/approve' });
  await world.settled();
  expect(replies(world, stage, number).at(-1)).toContain('No gate waits');
  expect(stage.check(sha, 'web')).toBe('completed/cancelled: Stopped: The pull request was closed');
  await world.github.reopenPullRequest(stage.repository, number, `dev-${stage.owner}`);
  await world.settled();
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/action_required: 0 of 2/);
});

test('a review of a commit does not count for the next one, whose push was only swept up, nor does a late one (SEC-A-05)', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 2 }') });
  const { number, sha, branch } = await stage.pullRequest();
  const review = { state: 'approved', body: '/approve', sha } as const;
  await world.github.review(stage.repository, number, `reviewer-${stage.owner}`, review);
  await world.settled();
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/action_required: 1 of 2/);
  const lost = world.github.faults.dropWebhooks({ event: 'pull_request', action: 'synchronize', times: 1 });
  const newer = await stage.commit(branch, { 'README.md': 'B\n' });
  await sweepRepositories(world.server.deps);
  await world.settled();
  expect(lost.struck()).toBe(1);
  expect(stage.check(newer, 'web / Release')).toMatch(/^completed\/action_required: 0 of 2/);
  await world.github.review(stage.repository, number, `reviewer-${stage.owner}`, review);
  await world.settled();
  expect(replies(world, stage, number).at(-1)).toContain(`When you wrote this the head was \`${sha.slice(0, 7)}\``);
  expect(stage.check(newer, 'web / Release')).toMatch(/^completed\/action_required: 0 of 2/);
});

test('a dismissed review, and one that asks for changes, take the approval back; the check says so (SEC-B-18)', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 2 }') });
  const { number, sha } = await stage.pullRequest();
  const login = `reviewer-${stage.owner}`;
  const approving = { state: 'approved', body: '/approve' } as const;
  const review = await world.github.review(stage.repository, number, login, approving);
  await world.settled();
  expect(stage.check(sha, 'web / Release')).toMatch(/1 of 2/);
  await world.github.dismissReview(review, `dev-${stage.owner}`);
  await world.settled();
  expect(stage.check(sha, 'web / Release')).toMatch(/0 of 2/);
  await stage.say(number, 'reviewer', '/approve');
  expect(stage.check(sha, 'web / Release')).toMatch(/1 of 2/);
  await world.github.review(stage.repository, number, login, { state: 'changes_requested', body: 'Wait.' });
  await world.settled();
  expect(stage.check(sha, 'web / Release')).toMatch(/0 of 2/);
  const why = await stage.say(number, 'reader', '/why');
  expect(why.reply).toContain(`The answer of \`${login}\` does not count: it was withdrawn`);
});

test('a command that was edited or deleted before it is read does nothing (SEC-B-19, SEC-B-20, SEC-B-21)', async () => {
  const stage = await setStage(world);
  const { number, sha } = await stage.pullRequest();
  const { github } = world;
  const held = github.faults.holdWebhooks({ event: 'issue_comment', action: 'created' });
  const comment = await github.comment(stage.repository, number, `reviewer-${stage.owner}`, '/approve');
  await github.editComment(comment, `dev-${stage.owner}`, '/approve now');
  held.release();
  await world.settled();
  expect(github.reactions(comment)).toEqual([]);
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/action_required/);
  const rows = await db.selectFrom('audit').select(['what', 'who']).where('what', '=', 'text-edited').execute();
  expect(rows).toContainEqual({ what: 'text-edited', who: `dev-${stage.owner}` });
});

test('the author is refused by comment, review and button (SEC-B-01)', async () => {
  const stage = await setStage(world);
  world.github.setPermission(stage.repository, `dev-${stage.owner}`, 'admin');
  const { number, sha } = await stage.pullRequest();
  const login = `dev-${stage.owner}`;
  await world.github.comment(stage.repository, number, login, '/approve');
  await world.github.review(stage.repository, number, login, { state: 'commented', body: '/approve' });
  await world.github.clickButton(stage.repository, { checkName: 'web / Release', sha, identifier: 'approve', login });
  await world.settled();
  const refusals = replies(world, stage, number).filter((body) => body.includes('an author does not count'));
  expect(refusals).toHaveLength(3);
});

test('one comment delivered five times is one vote (SEC-B-30)', async () => {
  const { stage, number, sha } = await halfApproved();
  const mine = world.github
    .deliveries()
    .filter((one) => one.event === 'issue_comment')
    .at(-1);
  if (!mine) throw new Error('no delivery of the comment');
  // GitHub delivers again under the same number; a captured delivery may come under others.
  world.github.redeliver(mine.id);
  for (let times = 0; times < 4; times += 1) await deliver(world, mine.event, JSON.stringify(mine.payload));
  await world.settled();
  const [record] = await executionsOfPullRequest(db, await repositoryId(stage), number);
  const votes = await db
    .selectFrom('votes')
    .selectAll()
    .where('execution_id', '=', record?.execution.id ?? '')
    .execute();
  expect(votes).toHaveLength(1);
  expect(stage.check(sha, 'web / Release')).toMatch(/1 of 2/);
});

test('after a rejection an approval comes too late, and the retried gate asks again (SEC-A-09, SEC-B-17)', async () => {
  const { stage, number, sha } = await halfApproved();
  await stage.say(number, 'other', '/reject Release not today');
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/failure: Rejected/);
  expect(summary(world, stage, sha)).toMatch(/rejected by comment[^]*not today/);
  const late = await stage.say(number, 'reviewer', '/approve');
  expect(late.reply).toContain(`Too late: \`Release/Approve\` was rejected by \`other-${stage.owner}\`.`);
  await stage.say(number, 'dev', '/retry');
  expect(stage.check(sha, 'web / Release')).toMatch(/0 of 2/);
});

test('an approved gate is asked again when it runs again itself, and not when only what failed after it does (SEC-A-09)', async () => {
  const stage = await setStage(world, { config: configWithGate('{}') });
  const path = 'ci/web.pipeline.json';
  const declaration = JSON.parse(lightRepository(stage.owner)[path] ?? '') as {
    pipeline: { stages: { actions: Record<string, unknown>[] }[] };
  };
  const [, tests, release] = declaration.pipeline.stages;
  const failing = {
    ...tests?.actions[0],
    name: 'Publish',
    runOrder: 2,
    commands: ['exit 1'],
    outputArtifacts: undefined,
  };
  release?.actions.splice(1, 1, failing);
  await onBase(stage, { [path]: JSON.stringify(declaration) });
  const { number, sha } = await stage.pullRequest();
  await stage.say(number, 'reviewer', '/approve');
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/failure/);
  await stage.say(number, 'dev', '/retry');
  const [record] = await executionsOfPullRequest(db, await repositoryId(stage), number);
  const [gate, publish] = record?.execution.stages.at(-1)?.actions ?? [];
  expect([gate?.status, gate?.attempt, publish?.status, publish?.attempt]).toEqual(['Succeeded', 1, 'Failed', 2]);
  expect((await stage.say(number, 'dev', '/retry web/Release all')).reactions).toEqual(['eyes', 'rocket']);
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/action_required: Waiting for approval/);
  expect((await stage.say(number, 'reader', '/why')).reply).toContain('0 of 1 approval');
});

test('a gate ends at its time limit, its check says so, and later answers are told (SEC-A-18)', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 2, expireAfter: 1h }') });
  const { number, sha } = await stage.pullRequest();
  await stage.say(number, 'reviewer', '/approve');
  const at = (minutes: number) => ({ ...world.server.deps, now: () => new Date(Date.now() + minutes * 60_000) });
  await expireGates(at(59));
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/action_required: 1 of 2/);
  await expireGates(at(61));
  await world.settled();
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/timed_out: Nobody approved in time: \/retry/);
  const late = await stage.say(number, 'dev', '/approve');
  expect(late.reply).toContain('Too late: `Release/Approve` ended: the gate expired.');
});

test('presses of people without rights are answered, in the pull request (SEC-B-27, SEC-B-05)', async () => {
  const stage = await setStage(world);
  const { number, sha } = await stage.pullRequest({ 'run.sh': 'exit 1\n' });
  const login = `reviewer-${stage.owner}`;
  // GitHub shows buttons to writers; this one loses the right before the press is read.
  const held = [
    world.github.faults.holdWebhooks({ event: 'check_run' }),
    world.github.faults.holdWebhooks({ event: 'check_suite' }),
  ];
  await world.github.clickButton(stage.repository, { checkName: 'web / Test', sha, identifier: 'retry', login });
  await world.github.rerequestSuite(stage.repository, { sha, login });
  world.github.setPermission(stage.repository, login, 'read');
  for (const fault of held) fault.release();
  await world.settled();
  expect(replies(world, stage, number).filter((body) => body.includes('needs write access'))).toHaveLength(2);
  expect((await stage.say(number, 'reader', '/retry')).reply).toContain('`retry` needs write access');
  const [record] = await executionsOfPullRequest(db, await repositoryId(stage), number);
  expect(record?.execution.stages.at(-1)?.attempt).toBe(1);
  const rows = await auditOf(db, record?.execution.id ?? '');
  expect(rows.filter(({ who, why }) => who === login && why.startsWith('not allowed'))).toHaveLength(2);
});

test('where only /penstock is heard, a bare command is left alone, and lines to copy have the prefix (SEC-A-03)', async () => {
  const stage = await setStage(world, {
    config: `${lightConfig}    gates:\n      Release/Approve: { requireSha: true }\ncommands: { bare: false }\n`,
  });
  const { number, sha } = await stage.pullRequest();
  expect((await stage.say(number, 'reviewer', '/approve')).reactions).toEqual([]);
  const short = await stage.say(number, 'reviewer', '/penstock approve');
  expect(short.reply).toContain(`\`/penstock approve web/Release/Approve ${sha}\``);
  expect((await stage.say(number, 'reviewer', `/penstock approve ${sha}`)).reactions).toEqual(['eyes', 'rocket']);
});

async function repositoryId(stage: Stage): Promise<number> {
  const query = db.selectFrom('repositories').select('id').where('owner', '=', stage.owner);
  return (await query.executeTakeFirstOrThrow()).id;
}
