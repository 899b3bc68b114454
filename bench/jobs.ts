// Jobs per second through the worker, and the time from asking for one to its start. Prints one line of JSON.
import { pino } from 'pino';
import { enqueue } from '../src/db/jobs.ts';
import { runWorker, type Worker } from '../src/worker.ts';
import { benchDatabase, percentile } from './database.ts';

const count = Number(process.env['BENCH_COUNT'] ?? 2_000);
const concurrency = 10;
const open = await benchDatabase();
const { db } = open;

const starts = new Map<string, (at: number) => void>();
function startWorker(): Worker {
  return runWorker({
    db,
    listen: open.listen,
    worker: 'bench',
    host: 'bench',
    concurrency,
    log: pino({ level: 'silent' }),
    handlers: { tick: async ({ name }) => starts.get(name)?.(performance.now()) },
  });
}

async function drainBacklog(): Promise<number> {
  await db.transaction().execute(async (trx) => {
    for (let n = 0; n < count; n += 1) await enqueue(trx, { kind: 'tick', payload: { name: `backlog ${n}` } });
  });
  const started = performance.now();
  const worker = startWorker();
  await worker.idle();
  const seconds = (performance.now() - started) / 1000;
  await worker.drain(1_000);
  return Math.round(count / seconds);
}

async function measureLatency(samples: number): Promise<number[]> {
  const worker = startWorker();
  await worker.idle();
  const waits: number[] = [];
  for (let n = 0; n < samples; n += 1) {
    const { promise, resolve } = Promise.withResolvers<number>();
    starts.set(`one ${n}`, resolve);
    const asked = performance.now();
    await enqueue(db, { kind: 'tick', payload: { name: `one ${n}` } });
    waits.push((await promise) - asked);
    await worker.idle();
  }
  await worker.drain(1_000);
  return waits;
}

const perSecond = await drainBacklog();
const waits = await measureLatency(200);
console.log(
  JSON.stringify({
    bench: 'jobs',
    engine: open.engine,
    concurrency,
    jobs: count,
    perSecond,
    startP50Ms: percentile(waits, 0.5),
    startP95Ms: percentile(waits, 0.95),
  }),
);
await open.close();
