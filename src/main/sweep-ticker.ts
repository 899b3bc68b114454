import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import { enqueue } from '../db/jobs.ts';
import { describeError } from '../errors.ts';
import { sweeps } from '../handlers/sweep.ts';

/** Asks for each sweep when its time comes. Replicas may all ask: one job per sweep, and `takeTick` lets one through. */
export function startSweepTicker(db: Kysely<Database>, log: Logger): () => void {
  const timers = Object.entries(sweeps).map(([name, { everyMs }]) => {
    // A little sooner than the interval, so that a tick is never just missed and waits twice as long.
    const timer = setInterval(() => void ask(db, log, name), everyMs * 0.95);
    void ask(db, log, name);
    return timer;
  });
  return () => timers.forEach((timer) => clearInterval(timer));
}

async function ask(db: Kysely<Database>, log: Logger, name: string): Promise<void> {
  try {
    await enqueue(db, { kind: 'tick', payload: { name }, dedupeKey: `tick/${name}`, maxAttempts: 3 });
  } catch (error) {
    log.warn({ sweep: name, error: describeError(error) }, 'a sweep could not be asked for');
  }
}
