import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { executionsOfPullRequest } from '../../src/db/executions.ts';
import { handleButton } from '../../src/handlers/button.ts';
import { sweepRepositories } from '../../src/handlers/sweep.ts';
import { testDatabase } from '../database.ts';
import { setStage, type Stage } from '../stage.ts';
import { deliver, startWorld, type World } from '../world.ts';
import { addPerson, configWithGate, forkPullRequest, replies } from './people.ts';

const { open, db } = await testDatabase();
let world: World;

beforeAll(async () => {
  world = await startWorld({ database: open });
});

afterAll(() => world.stop());

const waiting = /^completed\/action_required/;
const one = configWithGate('{ count: 1 }');
const two = configWithGate('{ count: 2 }');

test('SEC-A-06 a review that is found later counts for no commit by what GitHub says of it by then', async () => {
  const stage = await setStage(world, { config: one });
  const { number, branch } = await stage.pullRequest();
  const newer = await stage.commit(branch, { 'README.md': 'B\n' });
  await world.settled();
  // The first look only remembers when it was.
  await sweepRepositories(world.server.deps);
  // Written on the older commit; its webhook is lost, and GitHub has moved it to the newer one since.
  const lost = world.github.faults.dropWebhooks({ event: 'pull_request_review', times: 1 });
  const moved = { state: 'approved', body: '/approve', sha: newer } as const;
  await world.github.review(stage.repository, number, `reviewer-${stage.owner}`, moved);
  expect(lost.struck()).toBe(1);
  await sweepRepositories(world.server.deps);
  await world.settled();
  expect(replies(world, stage, number).at(-1)).toContain('does not know which commit was the head');
  expect(stage.check(newer, 'web / Release')).toMatch(waiting);
});

test('SEC-A-07 after a force-push there and back the commit runs anew, and its old approval does not count', async () => {
  const stage = await setStage(world, { config: two });
  addPerson(world, stage, 'other');
  const { number, sha, branch } = await stage.pullRequest();
  await stage.say(number, 'reviewer', '/approve');
  const by = `dev-${stage.owner}`;
  const away = { branch, author: by, message: 'Another way', files: { 'README.md': 'B\n' } };
  const main = await stage.commit('other-way', { 'README.md': 'C\n' });
  await world.github.commit(stage.repository, { ...away, from: main });
  await world.settled();
  await world.github.push(stage.repository, { branch, by, commits: [], from: sha });
  await world.settled();
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/action_required: 0 of 2/);
  await stage.say(number, 'other', '/approve');
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/action_required: 1 of 2/);
});

test('SEC-A-08 two pull requests with one head have a gate each', async () => {
  const stage = await setStage(world, { config: one });
  await stage.commit('next', { 'README.md': 'next\n' });
  const { number, branch, sha } = await stage.pullRequest();
  const head = { head: branch, base: 'next', author: `dev-${stage.owner}`, title: 'The same, elsewhere' };
  const second = await world.github.openPullRequest(stage.repository, head);
  await world.settled();
  await stage.say(number, 'reviewer', `/approve ${sha}`);
  const ends = await Promise.all([number, second].map((pull) => statusesOf(stage, pull)));
  expect(ends).toEqual([['Succeeded'], ['InProgress']]);
  expect((await stage.say(second, 'reader', '/why')).reply).toContain('0 of 1 approval');
});

test('SEC-A-11 a commit that says it was made long ago, or in the future, is no other commit', async () => {
  const answers = [];
  for (const date of ['1999-01-01T00:00:00Z', '2099-01-01T00:00:00Z']) {
    const stage = await setStage(world, { config: two });
    const author = `dev-${stage.owner}`;
    const change = { branch: 'odd', author, message: 'Odd', files: { 'README.md': 'odd\n' }, at: new Date(date) };
    const sha = await world.github.commit(stage.repository, change);
    const number = await world.github.openPullRequest(stage.repository, { head: 'odd', author, title: 'Odd' });
    await world.settled();
    const said = await stage.say(number, 'reviewer', '/approve');
    answers.push([said.reactions, said.reply?.replace(/<!--.*-->/, ''), stage.check(sha, 'web / Release')]);
  }
  expect(answers[0]).toEqual(answers[1]);
  expect(answers[0]?.[2]).toMatch(/^completed\/action_required: 1 of 2/);
});

test('SEC-A-15 a merge of the base into the branch is a new commit, and voids what was approved', async () => {
  const stage = await setStage(world, { config: two });
  const { number, sha, branch } = await stage.pullRequest();
  await stage.say(number, 'reviewer', '/approve');
  expect(stage.check(sha, 'web / Release')).toMatch(/: 1 of 2/);
  await stage.commit('main', { 'OTHER.md': 'from main\n' });
  // What GitHub's "Update branch" does: a merge of the base, made by GitHub for whoever pressed it.
  const update = { head: 'main', base: branch, author: `dev-${stage.owner}`, title: `Merge main into ${branch}` };
  const merging = await world.github.openPullRequest(stage.repository, update);
  const updated = await world.github.mergePullRequest(stage.repository, merging, `dev-${stage.owner}`);
  await world.settled();
  expect(stage.check(sha, 'web')).toMatch(/^completed\/cancelled: Superseded/);
  expect(stage.check(updated, 'web / Release')).toMatch(/^completed\/action_required: 0 of 2/);
});

test('SEC-B-03 a member of the organisation without write access approves nothing, whatever the comment says of them', async () => {
  const stage = await setStage(world, { config: one });
  const login = addPerson(world, stage, 'member', 'read').login;
  world.github.createTeam({ organization: stage.owner, slug: 'staff', members: [login] });
  const { number, sha } = await stage.pullRequest();
  const said = await stage.say(number, 'member', '/approve');
  const told = world.github.deliveries().filter(({ event }) => event === 'issue_comment');
  expect(JSON.stringify(told.map(({ payload }) => payload['comment']))).toContain('"author_association":"MEMBER"');
  expect(said.reactions).toEqual(['eyes', '-1']);
  expect(said.reply).toContain('write access');
  expect(stage.check(sha, 'web / Release')).toMatch(waiting);
});

test('SEC-B-20 a command that was deleted before it is read does nothing, and the deletion is on record', async () => {
  const stage = await setStage(world, { config: one });
  const { number, sha } = await stage.pullRequest();
  const login = `reviewer-${stage.owner}`;
  const held = world.github.faults.holdWebhooks({ event: 'issue_comment', action: 'created' });
  const comment = await world.github.comment(stage.repository, number, login, '/approve');
  await world.github.deleteComment(comment, login);
  held.release();
  await world.github.settled();
  const told = world.github
    .deliveries()
    .findLast(({ event, action }) => event === 'issue_comment' && action === 'created');
  if (!told) throw new Error('the comment was not told of');
  // GitHub may only be late to show it: it is looked for again.
  await expect.poll(() => lastErrorOf(told.guid)).toContain(`GitHub does not show issue-comment ${comment} yet`);
  // For a minute, which the other stories need not wait for.
  await sql`delete from jobs where kind = 'delivery' and payload ->> 'guid' = ${told.guid}`.execute(db);
  const at = new Date(Date.now() - 60_000).toISOString();
  const aMinuteOld = { ...Object(told.payload['comment']), created_at: at, updated_at: at };
  const { guid } = await deliver(world, 'issue_comment', JSON.stringify({ ...told.payload, comment: aMinuteOld }));
  await expect.poll(() => reasonOf(guid)).toBe('it was deleted before it was read');
  await expect
    .poll(() => db.selectFrom('audit').select(['what', 'who', 'why']).where('who', '=', login).execute())
    .toEqual([{ what: 'text-deleted', who: login, why: `issue-comment/${comment} by ${login}` }]);
  expect(stage.check(sha, 'web / Release')).toMatch(waiting);
});

test('SEC-B-24 several commands in one comment are obeyed in their order and answered in one reply', async () => {
  const stage = await setStage(world, { config: one });
  const { number, sha } = await stage.pullRequest();
  const before = replies(world, stage, number).length;
  const said = await stage.say(
    number,
    'reviewer',
    'First:\n\n/hold web/Release wait\n/release web/Release\n/approve\n/why',
  );
  expect(said.reactions).toEqual(['eyes', 'rocket']);
  expect(said.reply).toMatch(/hold web\/Release wait`: done\.[^]*release[^]*approve`: done\.[^]*why`/);
  expect(replies(world, stage, number)).toHaveLength(before + 1);
  expect(stage.check(sha, 'web')).toMatch(/^completed\/success/);
});

test('SEC-B-25 words of a title, a commit message and a line of the diff are no commands', async () => {
  const stage = await setStage(world, { config: one });
  const author = `dev-${stage.owner}`;
  const sha = await world.github.commit(stage.repository, {
    branch: 'f',
    author,
    message: '/stop',
    files: { 'README.md': 'x\n' },
  });
  const pull = { head: 'f', author, title: '/stop', body: '/stop' };
  const number = await world.github.openPullRequest(stage.repository, pull);
  await world.settled();
  await world.github.reviewComment(stage.repository, number, `reviewer-${stage.owner}`, {
    path: 'README.md',
    line: 1,
    body: '/approve',
  });
  await world.settled();
  expect(stage.check(sha, 'web / Release')).toMatch(waiting);
  expect(replies(world, stage, number)).toEqual([]);
});

test('SEC-B-26, SEC-B-14 a button that is unknown, or stands on a check run of before or of another app, does nothing', async () => {
  const stage = await setStage(world, { config: one });
  const { number, sha } = await stage.pullRequest();
  const login = `reviewer-${stage.owner}`;
  const old = world.github.checks(stage.repository, sha).find(({ name }) => name === 'web / Release');
  const held = world.github.faults.holdWebhooks({ event: 'check_run' });
  await world.github.clickButton(stage.repository, { checkName: 'web / Release', sha, identifier: 'approve', login });
  await stage.say(number, 'reviewer', '/reject Release not today');
  await stage.say(number, 'dev', '/retry');
  held.release();
  await world.settled();
  expect(stage.check(sha, 'web / Release')).toMatch(waiting);
  const newest = world.github.checks(stage.repository, sha).find(({ name }) => name === 'web / Release');
  expect(newest?.id).not.toBe(old?.id);
  const repository = (await world.server.deps.github.installedRepositories()).find(
    ({ owner }) => owner === stage.owner,
  );
  const person = { id: addPerson(world, stage, 'other').id, login: `other-${stage.owner}`, bot: false };
  for (const [checkRunId, identifier, why] of [
    [newest?.id ?? 0, 'launch', 'not one of ours'],
    [(newest?.id ?? 0) + 1_000_000, 'approve', 'not one that Penstock posted'],
  ] as const) {
    const event = {
      kind: 'button',
      checkName: 'web / Release',
      externalId: '',
      repository: repository!,
      checkRunId,
      identifier,
      headSha: sha,
      sender: person,
    } as const;
    expect((await handleButton(world.server.deps, event, 'test')).reason).toContain(why);
  }
  // The check run of another app under our name and id, and ours at another commit (SEC-B-14).
  const told = world.github
    .deliveries()
    .findLast(({ event, action }) => event === 'check_run' && action === 'requested_action');
  if (!told) throw new Error('the press was not told of');
  const { check_run: pressed, ...press } = told.payload;
  const real = { ...(pressed as object), id: newest?.id };
  const tell = async (run: object) => {
    expect((await deliver(world, 'check_run', JSON.stringify({ ...press, check_run: run }))).status).toBe(202);
    await world.settled();
  };
  for (const forged of [{ app: { id: 999 } }, { head_sha: 'f'.repeat(40) }]) await tell({ ...real, ...forged });
  expect(stage.check(sha, 'web / Release')).toMatch(waiting);
  // The same press of the run itself counts.
  await tell(real);
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/success/);
});

test('SEC-B-28 a button on a fork finds its pull request by the check run: GitHub names none', async () => {
  const stage = await setStage(world, { config: one });
  const { number, sha } = await forkPullRequest(world, stage);
  await stage.say(number, 'reviewer', `/ok-to-test ${sha}`);
  world.github.setPermission(stage.repository, `outsider-${stage.owner}`, 'write');
  const press = { checkName: 'web / Release', sha, identifier: 'approve' };
  await world.github.clickButton(stage.repository, { ...press, login: `outsider-${stage.owner}` });
  await world.settled();
  expect(lastPayload('check_run')['check_run']).toMatchObject({ pull_requests: [] });
  expect(replies(world, stage, number).at(-1)).toContain('an author does not count for their own change');
  await world.github.clickButton(stage.repository, { ...press, login: `reviewer-${stage.owner}` });
  await world.settled();
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/success/);
});

const goings: readonly (readonly [string, (fork: string, by: string) => Promise<unknown>])[] = [
  ['deleted', (fork, by) => world.github.deleteRepository(fork, by)],
  ['renamed', (fork, by) => world.github.renameRepository(fork, 'elsewhere', by)],
  ['out of sight, as a private one is: GitHub tells of no repository of the head', () => tellWithoutHead()],
  [
    'deleted, and told of without a repository of the head',
    async (fork, by) => {
      await world.github.deleteRepository(fork, by);
      await tellWithoutHead();
    },
  ],
];

/** The last event of a pull request once more, as GitHub tells it when the repository of its head cannot be seen. */
async function tellWithoutHead(): Promise<void> {
  const payload = lastPayload('pull_request') as { readonly pull_request: { readonly head: object } };
  const { pull_request: pull } = payload;
  const told = { ...payload, action: 'synchronize', pull_request: { ...pull, head: { ...pull.head, repo: null } } };
  expect((await deliver(world, 'pull_request', JSON.stringify(told))).status).toBe(202);
}

test.each(goings)('SEC-C-15 when the fork is %s, the checks of its execution still conclude', async (_how, go) => {
  const stage = await setStage(world, { config: one });
  const { number, sha, fork, outsider } = await forkPullRequest(world, stage);
  await stage.say(number, 'reviewer', `/ok-to-test ${sha}`);
  await go(fork, outsider);
  await world.settled();
  expect(stage.check(sha, 'web / Release')).toMatch(waiting);
  expect((await stage.say(number, 'reader', '/why')).reply).toContain('0 of 1 approval');
  expect((await stage.say(number, 'reviewer', `/reject Release ${sha} gone`)).reactions).toEqual(['eyes', 'rocket']);
  expect(stage.check(sha, 'web')).toMatch(/^completed\/failure: Rejected/);
});

test('SEC-C-16 a rollback takes nothing but what succeeded in that stage of that pipeline before', async () => {
  const stage = await setStage(world, { config: one });
  const { number } = await stage.pullRequest();
  const forked = await forkPullRequest(world, stage);
  await stage.say(forked.number, 'reviewer', `/ok-to-test ${forked.sha}`);
  await stage.say(forked.number, 'reviewer', `/approve ${forked.sha}`);
  const [foreign] = await executionsOfPullRequest(db, await repositoryId(stage), forked.number);
  expect(foreign?.status).toBe('Succeeded');
  for (const [target, mark, words] of [
    [foreign?.execution.id, '-1', 'No earlier execution of `web` succeeded in `Test`'],
    [forked.sha, 'confused', 'is not an execution'],
  ] as const) {
    const said = await stage.say(number, 'reviewer', `/rollback web/Test ${target}`);
    expect(said.reactions).toEqual(['eyes', mark]);
    expect(said.reply).toContain(words);
  }
  expect(await statusesOf(stage, number)).toEqual(['InProgress']);
});

test('SEC-C-18, SEC-C-01 whoever gets write access later may allow commits from then on; what waited goes on waiting', async () => {
  const stage = await setStage(world, { config: one });
  const { number, sha, fork, outsider } = await forkPullRequest(world, stage);
  await world.github.convertToDraft(stage.repository, number, outsider);
  await world.github.markReady(stage.repository, number, outsider);
  await deliver(world, 'pull_request', JSON.stringify({ ...lastPayload('pull_request'), action: 'labeled' }));
  await world.github.closePullRequest(stage.repository, number, outsider);
  await world.github.reopenPullRequest(stage.repository, number, outsider);
  await world.settled();
  expect(await statusesOf(stage, number)).toEqual([]);
  const refused = await stage.say(number, 'outsider', `/ok-to-test ${sha}`);
  expect(refused.reactions).toEqual(['eyes', '-1']);
  world.github.setPermission(stage.repository, outsider, 'write');
  await world.settled();
  expect(stage.check(sha, 'web')).toMatch(/^completed\/action_required: From a fork/);
  const change = { branch: 'patch', author: outsider, message: 'More', files: { 'run.sh': 'echo more\n' } };
  const next = await world.github.commit(fork, change);
  await world.settled();
  expect(stage.check(next, 'web')).toMatch(/^completed\/action_required: From a fork/);
  expect((await stage.say(number, 'outsider', `/ok-to-test ${next}`)).reactions).toEqual(['eyes', 'rocket']);
  expect(await statusesOf(stage, number)).toEqual(['InProgress']);
});

async function statusesOf(stage: Stage, number: number): Promise<readonly string[]> {
  return (await executionsOfPullRequest(db, await repositoryId(stage), number)).map(({ status }) => status);
}

function lastPayload(event: string): Readonly<Record<string, unknown>> {
  return (
    world.github
      .deliveries()
      .filter((delivery) => delivery.event === event)
      .at(-1)?.payload ?? {}
  );
}

async function repositoryId(stage: Stage): Promise<number> {
  const query = db.selectFrom('repositories').select('id').where('owner', '=', stage.owner);
  return (await query.executeTakeFirstOrThrow()).id;
}

async function lastErrorOf(guid: string): Promise<string | null | undefined> {
  const waiting = db.selectFrom('jobs').select('last_error').where('kind', '=', 'delivery');
  return (await waiting.where(sql`payload ->> 'guid'`, '=', guid).executeTakeFirst())?.last_error;
}

async function reasonOf(guid: string): Promise<string | null | undefined> {
  return (await db.selectFrom('deliveries').select('reason').where('guid', '=', guid).executeTakeFirst())?.reason;
}
