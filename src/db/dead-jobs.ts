import { sql, type Kysely } from 'kysely';
import type { Database } from './database.ts';

export interface DeadJob {
  readonly id: number;
  readonly kind: string;
  readonly payload: unknown;
  readonly failures: number;
  readonly lastError: string | null;
  readonly createdAt: Date;
}

/** Jobs that were given up, newest first. They stay until they are revived or deleted. */
export function deadJobs(db: Kysely<Database>, limit = 100): Promise<readonly DeadJob[]> {
  return db
    .selectFrom('jobs')
    .where('dead', '=', true)
    .select(['id', 'kind', 'payload', 'failures', 'last_error as lastError', 'created_at as createdAt'])
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

/** Lets a dead job run again from its first attempt. False when there is no such dead job. */
export function reviveDeadJob(db: Kysely<Database>, id: number): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const dead = await trx.deleteFrom('jobs').where('id', '=', id).where('dead', '=', true).returningAll().execute();
    const [job] = dead;
    if (job === undefined) return false;
    // Inserted anew, so that a waiting job of the same key simply stays the one.
    await sql`
      insert into jobs (kind, payload, dedupe_key, host, created_at)
      values (${job.kind}, ${JSON.stringify(job.payload)}::jsonb, ${job.dedupe_key}, ${job.host}, ${job.created_at})
      on conflict (dedupe_key) where worker is null and not dead
      do update set run_at = least(jobs.run_at, excluded.run_at)
      returning pg_notify('penstock_jobs', '')`.execute(trx);
    return true;
  });
}

export interface QueueFigures {
  readonly waiting: number;
  readonly running: number;
  readonly dead: number;
  /** How late the oldest due job is. */
  readonly lagMs: number;
}

/** For /metrics and `penstock doctor`. */
export async function queueFigures(db: Kysely<Database>): Promise<QueueFigures> {
  const { rows } = await sql<QueueFigures>`
    select count(*) filter (where not dead and worker is null) as waiting,
      count(*) filter (where worker is not null) as running,
      count(*) filter (where dead) as dead,
      coalesce(extract(epoch from max(now() - run_at) filter (where not dead and worker is null and run_at <= now()))
        * 1000, 0)::float8 as "lagMs"
    from jobs`.execute(db);
  return rows[0] as QueueFigures;
}
