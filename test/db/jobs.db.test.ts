import { sql } from 'kysely';
import { beforeEach, describe, expect, test } from 'vitest';
import { deadJobs, queueFigures, reviveDeadJob } from '../../src/db/dead-jobs.ts';
import { buryLostJobs, failJob, releaseJob, rescheduleJob } from '../../src/db/job-endings.ts';
import {
  claimDueJobs,
  enqueue,
  extendLease,
  finishJob,
  hurryJob,
  nextDueInMs,
  type Claim,
  type ClaimedJob,
} from '../../src/db/jobs.ts';
import { emptyTables, testDatabase } from '../database.ts';

const { db } = await testDatabase();
beforeEach(() => emptyTables(db));

const kinds = ['tick', 'report'] as const;

function claim(more: Partial<Claim> = {}) {
  return claimDueJobs(db, { worker: 'w1', host: 'h1', kinds, limit: 10, leaseMs: 30_000, ...more });
}

async function claimOne(more: Partial<Claim> = {}): Promise<ClaimedJob> {
  const [job] = await claim(more);
  if (job === undefined) throw new Error('nothing was due');
  return job;
}

function tick(name: string, more: object = {}) {
  return enqueue(db, { kind: 'tick', payload: { name }, ...more });
}

const names = (jobs: readonly ClaimedJob[]) => jobs.map((job) => (job.payload as { name: string }).name);
const rows = () => db.selectFrom('jobs').selectAll().orderBy('id').execute();
const expireLeases = () =>
  sql`update jobs set lease_until = now() - interval '1 second' where worker is not null`.execute(db);
const makeDue = () => sql`update jobs set run_at = now() where worker is null`.execute(db);
/** Milliseconds from now, by the database's clock, until the only job is due. */
async function dueInMs(): Promise<number> {
  const found = await sql<{
    ms: number;
  }>`select (extract(epoch from run_at - now()) * 1000)::float8 as ms from jobs`.execute(db);
  return found.rows[0]!.ms;
}

describe('claiming', () => {
  test('oldest due first, never what is not due, never more than asked for', async () => {
    await tick('later', { delayMs: 60_000 });
    await tick('second', { runAt: new Date(Date.now() - 1_000) });
    await tick('first', { runAt: new Date(Date.now() - 9_000) });
    await tick('third');
    expect(names(await claim({ limit: 1 }))).toEqual(['first']);
    expect(names(await claim({ limit: 5 }))).toEqual(['second', 'third']);
    expect(await claim()).toEqual([]);
    expect(await nextDueInMs(db, { host: 'h1', kinds })).toBeGreaterThan(50_000);
  });

  test('two claimers at once share the jobs, none twice', async () => {
    for (let n = 0; n < 20; n += 1) await tick(String(n));
    const shares = await Promise.all(['a', 'b', 'c'].map((worker) => claim({ worker, limit: 8 })));
    const all = shares.flatMap(names);
    expect(all).toHaveLength(20);
    expect(new Set(all).size).toBe(20);
  });

  test('a job of another host or of an unknown kind stays for those who can do it', async () => {
    await tick('theirs', { host: 'h2' });
    await tick('mine', { host: 'h1' });
    await tick('anybody');
    await enqueue(db, { kind: 'refresh', payload: { execution: 'e1' } });
    expect(names(await claim()).toSorted()).toEqual(['anybody', 'mine']);
    expect(names(await claim({ host: 'h2' }))).toEqual(['theirs']);
    expect(await claim({ kinds: ['refresh'] })).toHaveLength(1);
  });

  test('a job enqueued in a transaction is there after the commit only', async () => {
    await db.transaction().execute(async (trx) => {
      await enqueue(trx, { kind: 'tick', payload: { name: 'kept' } });
    });
    await db
      .transaction()
      .execute(async (trx) => {
        await enqueue(trx, { kind: 'tick', payload: { name: 'gone' } });
        throw new Error('no');
      })
      .catch(() => {});
    expect(names(await claim())).toEqual(['kept']);
  });
});

describe('dedupe keys', () => {
  test('one waiting job per key; the earlier time counts', async () => {
    await tick('a', { dedupeKey: 'k', delayMs: 60_000 });
    await tick('b', { dedupeKey: 'k', delayMs: 10_000 });
    await tick('c', { dedupeKey: 'k', delayMs: 90_000 });
    expect(await rows()).toHaveLength(1);
    expect(await dueInMs()).toBeLessThan(10_001);
  });

  test('news while it runs makes one successor, which waits until the running one has ended', async () => {
    await tick('first', { dedupeKey: 'k' });
    const running = await claimOne();
    await tick('again', { dedupeKey: 'k' });
    await tick('and again', { dedupeKey: 'k' });
    expect(await claim({ worker: 'w2' })).toEqual([]);
    expect(await finishJob(db, running)).toBe(true);
    expect(names(await claim({ worker: 'w2' }))).toEqual(['again']);
  });

  test('a running job that wants another look gives way to its waiting successor', async () => {
    await tick('poll', { dedupeKey: 'k' });
    const running = await claimOne();
    await hurryJob(db, 'k');
    expect(await rescheduleJob(db, running, 60_000)).toBe('waits');
    expect(await rows()).toHaveLength(1);
    expect(await claim()).toHaveLength(1);
  });

  test('hurry brings a waiting job forward, and without a job of that key does nothing', async () => {
    await tick('poll', { dedupeKey: 'k', delayMs: 60_000 });
    await hurryJob(db, 'other');
    expect(await claim()).toEqual([]);
    await hurryJob(db, 'k');
    expect(await claim()).toHaveLength(1);
    expect(await rows()).toHaveLength(1);
  });

  test('a failed job whose successor waits passes its backoff and its count on', async () => {
    await tick('a', { dedupeKey: 'k' });
    const running = await claimOne();
    await tick('b', { dedupeKey: 'k' });
    expect(await failJob(db, running, { error: 'no', transient: true, retryAfterMs: 60_000 })).toBe('waits');
    expect(await rows()).toMatchObject([{ failures: 1, last_error: 'no', payload: { name: 'b' } }]);
    expect(await claim()).toEqual([]);
  });

  test('many enqueuers of one key while it is given back over and over leave one row', async () => {
    await tick('x', { dedupeKey: 'k' });
    for (let round = 0; round < 10; round += 1) {
      const job = await claimOne();
      await Promise.all([rescheduleJob(db, job, 0), ...[1, 2, 3].map(() => tick('x', { dedupeKey: 'k' }))]);
      expect(await rows()).toHaveLength(1);
    }
  });
});

describe('leases', () => {
  test('SEC-F-26 a job whose lease ran out goes to another worker, and the first one changes nothing any more', async () => {
    await tick('a');
    const first = await claimOne();
    expect(await claim({ worker: 'w2' })).toEqual([]);
    await expireLeases();
    const second = await claimOne({ worker: 'w2' });
    expect(second).toMatchObject({ id: first.id, attempts: 2, failures: 1 });

    expect(await extendLease(db, first, 30_000)).toBe(false);
    expect(await finishJob(db, first)).toBe(false);
    expect(await rescheduleJob(db, first, 0)).toBe('lost');
    expect(await releaseJob(db, first)).toBe('lost');
    expect(await failJob(db, first, { error: 'late', transient: false })).toBe('lost');
    expect(await failJob(db, first, { error: 'late', transient: false, final: true })).toBe('lost');
    expect(await rows()).toMatchObject([{ worker: 'w2', last_error: null, dead: false }]);
    expect(await extendLease(db, second, 30_000)).toBe(true);
    expect(await finishJob(db, second)).toBe(true);
  });

  test('SEC-F-27 the same worker with an older hand-out is fenced off too', async () => {
    await tick('a');
    const first = await claimOne();
    await expireLeases();
    const second = await claimOne();
    expect(await finishJob(db, first)).toBe(false);
    expect(await finishJob(db, second)).toBe(true);
  });

  test('SEC-F-32 a job that kills its worker every time is given up', async () => {
    await tick('poison', { maxAttempts: 3 });
    for (let n = 0; n < 3; n += 1) {
      await claimOne();
      await expireLeases();
      expect(await buryLostJobs(db)).toBe(n < 2 ? 0 : 1);
    }
    expect(await claim()).toEqual([]);
    expect(await deadJobs(db)).toMatchObject([
      { kind: 'tick', failures: 3, lastError: 'its worker w1 vanished while it ran' },
    ]);
  });

  test('released, it is due at once and nothing counts as a failure', async () => {
    await tick('a');
    await releaseJob(db, await claimOne());
    expect(await claimOne({ worker: 'w2' })).toMatchObject({ failures: 0, attempts: 2 });
  });
});

describe('failures', () => {
  test('back off longer each time, then dead with the last error', async () => {
    await tick('bad', { maxAttempts: 4 });
    const delays: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      expect(await failJob(db, await claimOne(), { error: `broke ${n}`, transient: false })).toBe('waits');
      delays.push(await dueInMs());
      await makeDue();
    }
    expect(delays[0]).toBeGreaterThan(500);
    expect(delays[1]).toBeGreaterThan(1_200);
    expect(delays[2]).toBeGreaterThan(2_500);
    expect(delays[2]).toBeLessThan(6_000);
    expect(await failJob(db, await claimOne(), { error: 'broke 3', transient: false })).toBe('dead');
    expect(await deadJobs(db)).toMatchObject([{ failures: 4, lastError: 'broke 3', payload: { name: 'bad' } }]);
    expect(await claim()).toEqual([]);
  });

  test('SEC-F-14 the other side being away does not use up attempts, and its retry-after is kept', async () => {
    await tick('away', { maxAttempts: 2 });
    for (let n = 0; n < 12; n += 1) {
      expect(await failJob(db, await claimOne(), { error: '502', transient: true, retryAfterMs: 400_000 })).toBe(
        'waits',
      );
      expect(await dueInMs()).toBeGreaterThan(399_000);
      await makeDue();
    }
    expect(await failJob(db, await claimOne(), { error: 'bug', transient: false })).toBe('waits');
    await makeDue();
    expect(await failJob(db, await claimOne(), { error: 'bug', transient: false })).toBe('dead');
  });

  test('a look that works forgets earlier failures', async () => {
    await tick('a');
    await failJob(db, await claimOne(), { error: 'no', transient: false });
    await makeDue();
    await rescheduleJob(db, await claimOne(), 0);
    expect(await rows()).toMatchObject([{ failures: 0, last_error: null }]);
  });

  test('an error text that Postgres would refuse is stored all the same', async () => {
    await tick('a');
    await failJob(db, await claimOne(), { error: 'nul \0 and \ud800', transient: false });
    expect(await rows()).toMatchObject([{ last_error: 'nul \uFFFD and \uFFFD' }]);
  });

  test('a dead job can be revived, and one of the same key that waits already takes its place', async () => {
    await tick('bad', { dedupeKey: 'k', maxAttempts: 1 });
    await failJob(db, await claimOne(), { error: 'no', transient: false });
    await tick('fresh', { dedupeKey: 'k', delayMs: 60_000 });
    const [dead] = await deadJobs(db);
    expect(await reviveDeadJob(db, dead!.id)).toBe(true);
    expect(await reviveDeadJob(db, dead!.id)).toBe(false);
    expect(names(await claim())).toEqual(['fresh']);
    expect(await queueFigures(db)).toEqual({ waiting: 0, running: 1, dead: 0, lagMs: 0 });
  });
});
