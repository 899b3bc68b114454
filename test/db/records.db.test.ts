import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { sql } from 'kysely';
import { auditOf, recordAudit } from '../../src/db/audit.ts';
import {
  checkRunByGithubId,
  intendCheckRun,
  newestCheckRun,
  newestCheckRuns,
  recordCheckRunSent,
} from '../../src/db/check-runs.ts';
import {
  finishDelivery,
  knownDeliveries,
  loadDelivery,
  pruneDeliveries,
  recentDeliveries,
  recordDelivery,
} from '../../src/db/deliveries.ts';
import { claimCommand, commandBySource, commandsOfPullRequest, finishCommand } from '../../src/db/human-commands.ts';
import { headAt, latestHead, recordHead } from '../../src/db/pull-request-heads.ts';
import { claimWords, rememberAccess, rememberedAccess } from '../../src/db/refusals.ts';
import { decisionsFor, recordDecision } from '../../src/db/start-decisions.ts';
import { cursorOf, saveCursor, takeTick } from '../../src/db/ticks.ts';
import { recordVote, votesFor, votesOfExecution, withdrawVotesFrom } from '../../src/db/votes.ts';
import { emptyTables, testDatabase } from '../database.ts';

const { db } = await testDatabase();
beforeEach(() => emptyTables(db));

test.each([
  `'; drop table jobs; --`,
  `%' or '1'='1`,
  '$1 $2 ? :name',
  '\\',
  '"; select 1',
  '{"a":1}',
  'x'.repeat(1_000_000),
])('SEC-D-19 text of whatever kind comes back as it was', async (text) => {
  await saveCursor(db, 'walk', text);
  expect(await cursorOf(db, 'walk')).toBe(text);
  await recordAudit(db, { who: text, what: 'approve', why: 'asked', execution: 'e1', detail: { text } });
  expect(await auditOf(db, 'e1')).toMatchObject([{ who: text, detail: { text } }]);
  const jobs = await sql<{ n: number }>`select count(*)::int as n from jobs`.execute(db);
  expect(jobs.rows).toEqual([{ n: 0 }]);
});

test('SEC-D-21 what people write may be a megabyte, because no index holds it', async () => {
  // Hexadecimal digits of chance: what compresses well would fit into an index after all.
  const text = randomBytes(500_000).toString('hex');
  const ids = { repositoryId: 1, pullRequest: 5, personId: 9, login: 'ada' };
  await claimCommand(db, { ...ids, source: 'comment/1', text });
  await finishCommand(db, 'comment/1', { outcome: '-1', answer: text });
  expect(await commandBySource(db, 'comment/1')).toMatchObject({ text, answer: text });
  const bound = {
    executionId: 'e1',
    stage: 'S',
    action: 'A',
    token: 't',
    headSha: 'a',
    baseSha: null,
    configDigest: 'c',
  };
  const said = { answer: 'approve', channel: 'comment', source: 'comment/1', reason: text } as const;
  await db.transaction().execute((trx) => recordVote(trx, { ...ids, ...bound, ...said }));
  expect((await votesFor(db, 'e1', 't'))[0]?.reason).toBe(text);
  await recordDecision(db, { ...ids, pipeline: 'web', headSha: 'aaa', outcome: 'broken', reason: text });
  expect((await decisionsFor(db, 1, { pullRequest: 5 }))[0]?.reason).toBe(text);
  await recordAudit(db, { who: text, what: 'approve', why: text, execution: 'e2', detail: { text } });
  expect(await auditOf(db, 'e2')).toMatchObject([{ who: text, why: text, detail: { text } }]);
});

describe('deliveries', () => {
  const record = (guid: string) =>
    db.transaction().execute((trx) => recordDelivery(trx, { guid, event: 'push', body: Buffer.from('{}') }));

  test('the first end of a delivery counts', async () => {
    await record('a');
    await finishDelivery(db, 'a', { outcome: 'ignored', reason: 'not ours', repositoryId: 5 });
    await finishDelivery(db, 'a', { outcome: 'handled', reason: 'late' });
    expect(await loadDelivery(db, 'a')).toMatchObject({ outcome: 'ignored' });
    expect(await recentDeliveries(db, { repositoryId: 5, limit: 9 })).toMatchObject([
      { guid: 'a', reason: 'not ours' },
    ]);
    expect(await recentDeliveries(db, { repositoryId: 6, limit: 9 })).toEqual([]);
    expect(await loadDelivery(db, 'b')).toBeNull();
  });

  test('the known ones among many', async () => {
    await record('a');
    expect(await knownDeliveries(db, ['a', 'b'])).toEqual(new Set(['a']));
    expect(await knownDeliveries(db, [])).toEqual(new Set());
  });

  test('SEC-F-44 pruning goes in batches and keeps what is young or was never worked off', async () => {
    for (const guid of ['old1', 'old2', 'old3', 'open', 'young']) await record(guid);
    await sql`update deliveries set received_at = now() - interval '40 days' where guid <> 'young'`.execute(db);
    for (const guid of ['old1', 'old2', 'old3', 'young']) {
      await finishDelivery(db, guid, { outcome: 'handled', reason: '' });
    }
    const before = new Date(Date.now() - 30 * 86_400_000);
    expect(await pruneDeliveries(db, before, 2)).toBe(2);
    expect(await pruneDeliveries(db, before, 2)).toBe(1);
    expect(await pruneDeliveries(db, before, 2)).toBe(0);
    expect(await knownDeliveries(db, ['open', 'young', 'old3'])).toEqual(new Set(['open', 'young']));
  });
});

describe('heads of pull requests', () => {
  const head = (headSha: string, more: object = {}) => ({
    repositoryId: 1,
    number: 5,
    headSha,
    baseRef: 'main',
    baseSha: 'base',
    authorId: 9,
    pushedBy: null,
    ...more,
  });
  const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 12, minute));

  test('SEC-A-01 SEC-A-07 what was head when a comment was written, also after a force push back', async () => {
    await recordHead(db, head('aaa'), at(0));
    await recordHead(db, head('bbb'), at(10));
    await recordHead(db, head('aaa'), at(20));
    expect(await headAt(db, 1, 5, new Date(at(0).getTime() - 1))).toBeNull();
    expect(await headAt(db, 1, 5, at(5))).toBe('aaa');
    expect(await headAt(db, 1, 5, at(10))).toBe('bbb');
    expect(await headAt(db, 1, 5, at(25))).toBe('aaa');
    expect(await headAt(db, 1, 6, at(25))).toBeNull();
  });

  test('the same again adds nothing; another base does', async () => {
    await recordHead(db, head('aaa'));
    await recordHead(db, head('aaa'));
    await recordHead(db, head('aaa', { pushedBy: 4 }));
    expect(await db.selectFrom('pull_request_heads').selectAll().execute()).toHaveLength(1);
    await recordHead(db, head('aaa', { baseRef: 'release' }));
    expect(await latestHead(db, 1, 5)).toMatchObject({ headSha: 'aaa', baseRef: 'release' });
    expect(await db.selectFrom('pull_request_heads').selectAll().execute()).toHaveLength(2);
  });
});

test('start decisions by commit and by pull request, newest first', async () => {
  const decision = {
    repositoryId: 1,
    pipeline: 'web',
    headSha: 'aaa',
    outcome: 'filtered',
    reason: 'docs only',
  } as const;
  await recordDecision(db, decision);
  await recordDecision(db, { ...decision, pullRequest: 5, outcome: 'started', execution: 'e1', reason: 'opened \0' });
  expect(await decisionsFor(db, 1, { sha: 'aaa' })).toMatchObject([
    { outcome: 'started', execution: 'e1', reason: 'opened \uFFFD' },
    { outcome: 'filtered' },
  ]);
  expect(await decisionsFor(db, 1, { pullRequest: 5 })).toHaveLength(1);
  expect(await decisionsFor(db, 2, { sha: 'aaa' })).toEqual([]);
});

describe('check runs', () => {
  const intent = { repositoryId: 1, headSha: 'aaa', name: 'web / Build', executionId: 'e1', stage: 'Build', n: 1 };
  const sent = { digest: 'd1', status: 'in_progress', conclusion: null, githubId: 77 };

  test('the intent comes first and is one row, however often it is repeated', async () => {
    const first = await intendCheckRun(db, intent);
    expect(first).toMatchObject({ n: 1, githubId: null, sentDigest: null });
    expect((await intendCheckRun(db, intent)).id).toBe(first.id);
    await recordCheckRunSent(db, first.id, sent);
    expect(await newestCheckRun(db, intent)).toMatchObject({ githubId: 77, sentDigest: 'd1', status: 'in_progress' });
  });

  test('newest of each stage, by GitHub id only within its repository', async () => {
    const first = await intendCheckRun(db, intent);
    await recordCheckRunSent(db, first.id, sent);
    const second = await intendCheckRun(db, { ...intent, n: 2 });
    await intendCheckRun(db, { ...intent, name: 'web', stage: '' });
    expect((await newestCheckRuns(db, 'e1')).map(({ stage, n }) => [stage, n])).toEqual([
      ['', 1],
      ['Build', 2],
    ]);
    expect((await newestCheckRun(db, intent))?.id).toBe(second.id);
    expect((await checkRunByGithubId(db, 1, 77))?.id).toBe(first.id);
    expect(await checkRunByGithubId(db, 2, 77)).toBeNull();
  });

  test('checks that stand for no execution are told apart by commit and name', async () => {
    const alone = { ...intent, executionId: null, stage: '', name: 'web' };
    const first = await intendCheckRun(db, alone);
    expect((await intendCheckRun(db, alone)).id).toBe(first.id);
    expect((await intendCheckRun(db, { ...alone, headSha: 'bbb' })).id).not.toBe(first.id);
    expect(await newestCheckRun(db, { ...alone, executionId: 'e1' })).toBeNull();
  });
});

describe('commands of people', () => {
  const command = {
    source: 'comment/1',
    repositoryId: 1,
    pullRequest: 5,
    personId: 9,
    login: 'ada',
    text: '/approve \0',
    claimer: 'delivery-1',
  };

  test('SEC-E-16 one claimer gets it, also again after a failure; the others do not', async () => {
    expect(await claimCommand(db, command)).toBe('new');
    expect(await claimCommand(db, { ...command, claimer: 'sweep' })).toBe('known');
    expect(await claimCommand(db, command)).toBe('new');
    await finishCommand(db, 'comment/1', { outcome: 'rocket', answer: 'done' });
    await finishCommand(db, 'comment/1', { outcome: 'other', answer: 'late' });
    expect(await claimCommand(db, command)).toBe('known');
    expect(await commandBySource(db, 'comment/1')).toMatchObject({ outcome: 'rocket', text: '/approve \uFFFD' });
    expect(await commandsOfPullRequest(db, 1, 5)).toHaveLength(1);
  });

  test('of twenty at once one gets it', async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, n) => claimCommand(db, { ...command, claimer: `d${n}` })),
    );
    expect(all.filter((claim) => claim === 'new')).toHaveLength(1);
  });

  test('an abandoned claim can be taken over', async () => {
    const { claimer: _, ...anonymous } = command;
    await claimCommand(db, anonymous);
    expect(await claimCommand(db, anonymous)).toBe('known');
    await sql`update human_commands set claimed_at = now() - interval '3 minutes'`.execute(db);
    expect(await claimCommand(db, anonymous)).toBe('new');
    expect(await claimCommand(db, anonymous)).toBe('known');
  });
});

describe('votes', () => {
  const vote = {
    repositoryId: 1,
    pullRequest: 5,
    executionId: 'e1',
    stage: 'Release',
    action: 'Approve',
    token: 't1',
    headSha: 'aaa',
    baseSha: null,
    configDigest: 'c1',
    personId: 9,
    login: 'ada',
    answer: 'approve',
    channel: 'comment',
    source: 'comment/1',
    reason: 'looks good',
  } as const;
  const record = (more: object = {}) => db.transaction().execute((trx) => recordVote(trx, { ...vote, ...more }));

  test('one comment answers one gate once, and another gate too', async () => {
    expect(await record()).toBe('new');
    expect(await record({ answer: 'reject' })).toBe('known');
    expect(await record({ token: 't2' })).toBe('new');
    expect(await record({ source: 'comment/2', answer: 'reject' })).toBe('new');
    expect(await votesFor(db, 'e1', 't1')).toMatchObject([{ ...vote }, { answer: 'reject', source: 'comment/2' }]);
    expect(await votesOfExecution(db, 'e1')).toHaveLength(3);
  });

  test('SEC-A-12 a vote without the commit that it is for cannot be stored', async () => {
    await expect(record({ headSha: null })).rejects.toMatchObject({ code: '23502' });
    await expect(record({ configDigest: null })).rejects.toMatchObject({ code: '23502' });
  });

  test('a token of another execution finds nothing', async () => {
    await record();
    expect(await votesFor(db, 'e2', 't1')).toEqual([]);
  });

  test('withdrawn with the comment or review that it came from', async () => {
    await record();
    await record({ token: 't2' });
    await record({ source: 'comment/2' });
    expect(await withdrawVotesFrom(db, 'comment/1')).toBe(2);
    expect(await withdrawVotesFrom(db, 'comment/1')).toBe(0);
    expect((await votesOfExecution(db, 'e1')).map((one) => one.answer)).toEqual(['withdrawn', 'withdrawn', 'approve']);
  });
});

describe('refusals', () => {
  const ada = { repositoryId: 1, personId: 9 };
  const later = (column: 'told_at' | 'asked_at', seconds: number) =>
    sql`update refusals set ${sql.ref(column)} = now() - make_interval(secs => ${seconds})`.execute(db);

  test('SEC-G-02 of many at one moment one has words, and again when its delivery is tried again', async () => {
    const many = Array.from({ length: 10 }, (_, index) => claimWords(db, { ...ada, source: `comment/${index}` }));
    const worded = (await Promise.all(many)).indexOf(true);
    expect((await Promise.all(many)).filter(Boolean)).toHaveLength(1);
    expect(await claimWords(db, { ...ada, source: `comment/${worded}` })).toBe(true);
    expect(await claimWords(db, { ...ada, personId: 8, source: 'comment/20' })).toBe(true);
    expect(await claimWords(db, { ...ada, repositoryId: 2, source: 'comment/21' })).toBe(true);
    await later('told_at', 599);
    expect(await claimWords(db, { ...ada, source: 'comment/22' })).toBe(false);
    await later('told_at', 601);
    expect(await claimWords(db, { ...ada, source: 'comment/23' })).toBe(true);
  });

  test('SEC-G-02 the access of somebody who goes on is known for a minute, and forgotten with new words', async () => {
    await rememberAccess(db, { ...ada, permission: 'read' });
    expect(await rememberedAccess(db, ada)).toBeNull();
    await claimWords(db, { ...ada, source: 'comment/1' });
    expect(await rememberedAccess(db, ada)).toBeNull();
    await rememberAccess(db, { ...ada, permission: 'read' });
    expect(await rememberedAccess(db, ada)).toBe('read');
    expect(await rememberedAccess(db, { ...ada, personId: 8 })).toBeNull();
    await later('asked_at', 30);
    await rememberAccess(db, { ...ada, permission: 'read' });
    await sql`update refusals set asked_at = asked_at - interval '31 seconds'`.execute(db);
    expect(await rememberedAccess(db, ada)).toBeNull();
    await rememberAccess(db, { ...ada, permission: 'none' });
    expect(await rememberedAccess(db, ada)).toBe('none');
    await later('told_at', 601);
    await claimWords(db, { ...ada, source: 'comment/2' });
    expect(await rememberedAccess(db, ada)).toBeNull();
  });
});

describe('ticks', () => {
  test('SEC-F-33 one caller per interval', async () => {
    const taken = await Promise.all(Array.from({ length: 10 }, () => takeTick(db, 'sweep', 60_000)));
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect(await takeTick(db, 'other', 60_000)).toBe(true);
    await sql`update ticks set last_run = now() - interval '61 seconds' where name = 'sweep'`.execute(db);
    expect(await takeTick(db, 'sweep', 60_000)).toBe(true);
  });

  test('a cursor stays where it was put', async () => {
    expect(await cursorOf(db, 'walk')).toBeNull();
    await saveCursor(db, 'walk', 'a');
    await saveCursor(db, 'walk', 'b');
    expect(await cursorOf(db, 'walk')).toBe('b');
  });
});

test('audit entries in order, whatever text they hold', async () => {
  await recordAudit(db, {
    who: 'ada',
    what: 'approve',
    why: 'asked \0',
    execution: 'e1',
    detail: { sha: 'a\0\ud800' },
  });
  await recordAudit(db, { who: 'penstock', what: 'expire', why: 'no answer', execution: 'e1' });
  expect(await auditOf(db, 'e1')).toMatchObject([
    { who: 'ada', detail: { sha: 'a\uFFFD\uFFFD' } },
    { what: 'expire', detail: {} },
  ]);
});
