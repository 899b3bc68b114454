import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { deadJobs } from '../src/db/dead-jobs.ts';
import { enqueue, type NewJob } from '../src/db/jobs.ts';
import { TransientError, UserError } from '../src/errors.ts';
import { runWorker, type JobHandlers, type Worker, type WorkerOptions } from '../src/worker.ts';
import { emptyTables, testDatabase } from './database.ts';

const { db, open } = await testDatabase();

let workers: Worker[];
beforeEach(async () => {
  workers = [];
  await emptyTables(db);
});
afterEach(() => Promise.all(workers.map((worker) => worker.drain(0))));

function startWorker(handlers: Partial<JobHandlers>, more: Partial<WorkerOptions> = {}): Worker {
  const worker = runWorker({
    db,
    listen: open.listen,
    handlers,
    worker: `w${workers.length}`,
    host: 'h1',
    concurrency: 4,
    log: pino({ level: 'silent' }),
    ...more,
  });
  workers.push(worker);
  return worker;
}

function tick(name: string, more: Partial<NewJob<'tick'>> = {}) {
  return enqueue(db, { kind: 'tick', payload: { name }, ...more });
}

const jobs = () => db.selectFrom('jobs').selectAll().orderBy('id').execute();

/** Resolved from outside: holds a handler at a known place. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}

test('runs what is due, each job once, and leaves nothing behind', async () => {
  for (let n = 0; n < 30; n += 1) await tick(String(n));
  const done: string[] = [];
  const handlers: Partial<JobHandlers> = { tick: async ({ name }) => void done.push(name) };
  const both = [startWorker(handlers), startWorker(handlers)];
  await Promise.all(both.map((worker) => worker.idle()));
  await expect.poll(jobs).toEqual([]);
  expect(done.toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 30 }, (_, n) => String(n)));
});

test('a committed job wakes a sleeping worker long before its next look', async () => {
  const done = gate();
  const worker = startWorker({ tick: async () => done.open() }, { pollMs: 3_600_000 });
  await worker.idle();
  await tick('now');
  await done.passed;
});

test('without notifications the safety poll finds the job', async () => {
  const done = gate();
  startWorker(
    { tick: async () => done.open() },
    { pollMs: 50, listen: () => Promise.reject(new Error('no listening here')) },
  );
  await tick('found');
  await done.passed;
});

test('a job that is due later runs then, although nobody calls', async () => {
  const done = gate();
  const worker = startWorker({ tick: async () => done.open() }, { pollMs: 3_600_000 });
  await worker.idle();
  await tick('soon', { delayMs: 200 });
  await done.passed;
});

test('never more at once than its concurrency, and jobs of one key never overlap', async () => {
  let running = 0;
  let most = 0;
  const perKey = new Map<string, number>();
  let overlaps = 0;
  const full = gate();
  const handlers: Partial<JobHandlers> = {
    tick: async ({ name }) => {
      running += 1;
      most = Math.max(most, running);
      if (running === 3) full.open();
      perKey.set(name, (perKey.get(name) ?? 0) + 1);
      if (perKey.get(name) !== 1) overlaps += 1;
      await full.passed;
      await sleep(5);
      perKey.set(name, (perKey.get(name) ?? 0) - 1);
      running -= 1;
    },
  };
  const worker = startWorker(handlers, { concurrency: 3 });
  for (let n = 0; n < 24; n += 1) {
    await tick(String(n % 4), { dedupeKey: `key/${n % 4}` });
    await tick(`free ${n}`);
  }
  await worker.idle();
  expect(most).toBe(3);
  expect(overlaps).toBe(0);
});

test('an answer with againAfterMs runs the same job again', async () => {
  let looks = 0;
  const done = gate();
  startWorker({
    tick: async () => {
      looks += 1;
      if (looks < 3) return { againAfterMs: 1 };
      done.open();
      return undefined;
    },
  });
  await tick('poll', { dedupeKey: 'poll' });
  await done.passed;
  await expect.poll(jobs).toEqual([]);
});

test('what an error means decides: try later, try again, or give up with the reason', async () => {
  const worker = startWorker({
    tick: async ({ name }) => {
      if (name === 'away') throw new TransientError('GitHub is away', { retryAfterMs: 90_000 });
      if (name === 'mend') throw new UserError('ci/web.json: add a stage');
      throw new TypeError('undefined is not a function');
    },
  });
  for (const name of ['away', 'mend', 'defect']) await tick(name);
  await worker.idle();
  const left = await jobs();
  expect(left.map((job) => [(job.payload as { name: string }).name, job.dead, job.last_error])).toEqual([
    ['away', false, 'TransientError: GitHub is away'],
    ['mend', true, 'UserError: ci/web.json: add a stage'],
    ['defect', false, 'TypeError: undefined is not a function'],
  ]);
  const { rows } = await sql<{ ms: number }>`
    select (extract(epoch from run_at - now()) * 1000)::float8 as ms from jobs where not dead order by id`.execute(db);
  expect(rows[0]!.ms).toBeGreaterThan(80_000);
  expect(rows[1]!.ms).toBeLessThan(2_000);
});

test('SEC-F-46 a payload that cannot be read becomes a dead job with the reason, and others flow', async () => {
  const done: string[] = [];
  await sql`insert into jobs (kind, payload) values ('tick', '{"nome": 7}')`.execute(db);
  await tick('good');
  const worker = startWorker({ tick: async ({ name }) => void done.push(name) });
  await worker.idle();
  expect(done).toEqual(['good']);
  expect((await deadJobs(db))[0]?.lastError).toContain('cannot read');
});

test('SEC-F-27, SEC-G-07 a handler learns that its lease is gone, and what it did is not recorded', async () => {
  const started = gate();
  const aborted = gate();
  const answers: boolean[] = [];
  const slow: Partial<JobHandlers> = {
    tick: async (_, context) => {
      answers.push(await context.stillMine());
      started.open();
      context.signal.addEventListener('abort', () => aborted.open());
      await aborted.passed;
      answers.push(await context.stillMine());
    },
  };
  await tick('slow');
  startWorker(slow, { leaseMs: 300 });
  await started.passed;
  await sql`update jobs set worker = 'thief', attempts = attempts + 1, lease_until = now() + interval '1 hour'`.execute(
    db,
  );
  await aborted.passed;
  await expect.poll(() => answers).toEqual([true, false]);
  expect(await jobs()).toMatchObject([{ worker: 'thief' }]);
});

test('the heartbeat keeps a long job, so that another worker does not take it', async () => {
  const done = gate();
  let starts = 0;
  const handlers: Partial<JobHandlers> = {
    tick: async () => {
      starts += 1;
      await done.passed;
    },
  };
  await tick('long');
  const first = startWorker(handlers, { leaseMs: 600, pollMs: 50 });
  startWorker(handlers, { leaseMs: 600, pollMs: 50 });
  await sleep(1_500);
  done.open();
  await first.idle();
  expect(starts).toBe(1);
});

test('a job of a killed worker is taken over when its lease runs out', async () => {
  await tick('orphan');
  await sql`update jobs set worker = 'killed', attempts = 1, lease_until = now() + interval '300 milliseconds'`.execute(
    db,
  );
  const done = gate();
  startWorker({ tick: async () => done.open() }, { pollMs: 100 });
  await done.passed;
});

test('drain takes nothing new and waits for what runs', async () => {
  const entered = gate();
  const hold = gate();
  const done: string[] = [];
  const worker = startWorker(
    {
      tick: async ({ name }) => {
        entered.open();
        await hold.passed;
        done.push(name);
      },
    },
    { concurrency: 1 },
  );
  await tick('running');
  await entered.passed;
  await tick('next');
  const drained = worker.drain(60_000);
  hold.open();
  await drained;
  expect(done).toEqual(['running']);
  expect(await jobs()).toMatchObject([{ payload: { name: 'next' }, worker: null, attempts: 0 }]);
});

test('after the deadline drain aborts what still runs and hands it back without a failure', async () => {
  const entered = gate();
  const worker = startWorker({
    tick: (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        entered.open();
      }),
  });
  await tick('endless');
  await entered.passed;
  await worker.drain(10);
  expect(await jobs()).toMatchObject([{ worker: null, failures: 0, attempts: 1, dead: false }]);
});
