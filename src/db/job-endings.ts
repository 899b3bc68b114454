import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { Database } from './database.ts';
import { after, handedOut, type ClaimedJob } from './jobs.ts';
import { plainText } from './json.ts';

/** How a hand-out ends other than by being done. `lost`: the worker did not hold the job any more. */
export type Ending = 'waits' | 'dead' | 'lost';

const transientLimit = 1000;

export interface Failure {
  readonly error: string;
  /** The other side was away: tried again without counting towards max_attempts. */
  readonly transient: boolean;
  /** Not before this many milliseconds. */
  readonly retryAfterMs?: number;
  /** Trying again cannot help. */
  readonly final?: boolean;
}

/** The job has looked and wants to look again. Earlier failures are forgotten. */
export function rescheduleJob(db: Kysely<Database>, job: ClaimedJob, againAfterMs: number): Promise<Ending> {
  const runAt = after(againAfterMs);
  return putBack(db, job, {
    mine: sql`run_at = ${runAt}, failures = 0, last_error = null`,
    successor: sql`run_at = least(run_at, ${runAt})`,
  });
}

/** Hands the job back untouched: this worker stops before it could do it. */
export function releaseJob(db: Kysely<Database>, job: ClaimedJob): Promise<Ending> {
  return putBack(db, job, { mine: sql`run_at = least(run_at, now())`, successor: sql`run_at = least(run_at, now())` });
}

/** Backs off 1, 2, 4 ... 300 s with jitter; dead after max_attempts failures in a row (a thousand transient ones). */
export async function failJob(db: Kysely<Database>, job: ClaimedJob, failure: Failure): Promise<Ending> {
  const error = plainText(failure.error);
  const limit = failure.transient ? sql`${transientLimit}` : sql`max_attempts`;
  const buried = await sql`
    update jobs set dead = true, worker = null, lease_until = null, failures = failures + 1, last_error = ${error}
    where ${handedOut(job)} and (${failure.final ?? false} or failures + 1 >= ${limit})`.execute(db);
  if (buried.numAffectedRows) return 'dead';
  const runAt = sql`now() + greatest(make_interval(secs => ${(failure.retryAfterMs ?? 0) / 1000}),
    make_interval(secs => least(300, power(2, ${job.failures}::float8)) * (0.75 + random() / 2)))`;
  const spare = failure.transient ? 1 : 0;
  const counted = sql`failures = ${job.failures + 1}, last_error = ${error}`;
  return putBack(db, job, {
    mine: sql`run_at = ${runAt}, max_attempts = max_attempts + ${spare}, ${counted}`,
    successor: sql`run_at = greatest(run_at, ${runAt}), max_attempts = max_attempts + ${spare}, ${counted}`,
  });
}

/** Buries jobs that have killed or lost their worker max_attempts times. Answers how many. */
export async function buryLostJobs(db: Kysely<Database>): Promise<number> {
  const { numAffectedRows } = await sql`
    update jobs set dead = true, worker = null, lease_until = null, failures = failures + 1,
      last_error = coalesce(last_error || '; ', '') || 'its worker ' || worker || ' vanished while it ran'
    where worker is not null and lease_until < now() and failures + 1 >= max_attempts`.execute(db);
  return Number(numAffectedRows ?? 0);
}

interface PutBack {
  readonly mine: RawBuilder<unknown>;
  /** When a successor of the same key waits already, it takes over and this row goes. */
  readonly successor: RawBuilder<unknown>;
}

async function putBack(db: Kysely<Database>, job: ClaimedJob, change: PutBack): Promise<Ending> {
  for (let tries = 0; ; tries += 1) {
    try {
      return (await waitAgain(db, job, change)) ? 'waits' : await giveToSuccessor(db, job, change);
    } catch (error) {
      // Somebody enqueued the same key between the two looks.
      if ((error as { code?: string }).code !== '23505' || tries === 5) throw error;
    }
  }
}

async function waitAgain(db: Kysely<Database>, job: ClaimedJob, { mine }: PutBack): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update jobs set worker = null, lease_until = null, ${mine}
    where ${handedOut(job)} and not exists (
      select 1 from jobs w where w.dedupe_key = jobs.dedupe_key and w.worker is null and not w.dead)`.execute(db);
  return Boolean(numAffectedRows);
}

function giveToSuccessor(db: Kysely<Database>, job: ClaimedJob, { mine, successor }: PutBack): Promise<Ending> {
  return db.transaction().execute(async (trx) => {
    const held = await sql`select 1 from jobs where ${handedOut(job)} for update`.execute(trx);
    if (held.rows.length === 0) return 'lost';
    const taken = await sql`
      update jobs set ${successor}
      where dedupe_key = ${job.dedupeKey} and worker is null and not dead`.execute(trx);
    if (taken.numAffectedRows) await trx.deleteFrom('jobs').where('id', '=', job.id).execute();
    else await sql`update jobs set worker = null, lease_until = null, ${mine} where id = ${job.id}`.execute(trx);
    return 'waits';
  });
}
