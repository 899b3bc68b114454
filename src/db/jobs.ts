import { sql, type Kysely } from 'kysely';
import type { Database } from './database.ts';
import type { JobKind, JobPayloads } from './job-payloads.ts';
import { jsonText } from './json.ts';

/**
 * The queue. Rules that everything here keeps:
 * - Only the database's clock counts. NOTIFY is a hint, polling is the truth.
 * - A job that has not started (worker is null) is the only one of its dedupe key. While it runs, one successor may
 *   wait; it is not claimed before the running one has ended, so work of one key never overlaps.
 * - (worker, attempts) names one hand-out. Who lost the lease changes nothing any more.
 */

export interface NewJob<K extends JobKind> {
  readonly kind: K;
  readonly payload: JobPayloads[K];
  readonly dedupeKey?: string;
  readonly runAt?: Date;
  readonly delayMs?: number;
  /** Only this host's workers may claim it. */
  readonly host?: string;
  /** Failures in a row until it is dead; 8 unless told otherwise. Transient failures do not count. */
  readonly maxAttempts?: number;
}

/** One hand-out of a job to a worker. */
export interface ClaimedJob {
  readonly id: number;
  readonly kind: JobKind;
  readonly payload: unknown;
  readonly dedupeKey: string | null;
  readonly worker: string;
  readonly attempts: number;
  /** Failures in a row before this hand-out. */
  readonly failures: number;
}

/** Adds a job, or brings the waiting one of the same dedupe key forward. With a transaction, it counts on commit. */
export async function enqueue<K extends JobKind>(db: Kysely<Database>, job: NewJob<K>): Promise<void> {
  const runAt = job.runAt === undefined ? after(job.delayMs ?? 0) : sql`${job.runAt}::timestamptz`;
  await sql`
    insert into jobs (kind, payload, dedupe_key, host, run_at, max_attempts)
    values (${job.kind}, ${jsonText(job.payload)}::jsonb, ${job.dedupeKey ?? null}, ${job.host ?? null}, ${runAt},
            ${job.maxAttempts ?? 8})
    on conflict (dedupe_key) where worker is null and not dead
    do update set run_at = least(jobs.run_at, excluded.run_at)
    returning pg_notify('penstock_jobs', '')`.execute(db);
}

/**
 * Makes the job of this key run now. When it is running already it runs once more afterwards, because it may have
 * looked before the news came. No job, no effect.
 */
export async function hurryJob(db: Kysely<Database>, dedupeKey: string): Promise<void> {
  await sql`
    insert into jobs (kind, payload, dedupe_key, host, max_attempts)
    select kind, payload, dedupe_key, host, max_attempts from (
      select * from jobs where dedupe_key = ${dedupeKey} and worker is not null
      union all
      select * from jobs where dedupe_key = ${dedupeKey} and worker is null and not dead) same limit 1
    on conflict (dedupe_key) where worker is null and not dead
    do update set run_at = least(jobs.run_at, now())
    returning pg_notify('penstock_jobs', '')`.execute(db);
}

/** Takes back a request that nobody has begun with: what it asked for is done. */
export async function dropWaitingJob(db: Kysely<Database>, dedupeKey: string): Promise<void> {
  await sql`delete from jobs where dedupe_key = ${dedupeKey} and worker is null and not dead`.execute(db);
}

export interface Claim {
  readonly worker: string;
  readonly host: string;
  readonly kinds: readonly JobKind[];
  readonly limit: number;
  readonly leaseMs: number;
}

/** Takes due jobs, oldest due first. A job whose worker vanished is handed out again, which counts as a failure. */
export async function claimDueJobs(db: Kysely<Database>, claim: Claim): Promise<readonly ClaimedJob[]> {
  const { rows } = await sql<ClaimedJob>`
    with due as materialized (
      select id from jobs j
      where not dead and run_at <= now() and (worker is null or lease_until < now()) and ${claimable(claim)}
        and (worker is null or failures + 1 < max_attempts)
        and not exists (
          select 1 from jobs r where r.dedupe_key = j.dedupe_key and r.id <> j.id and r.worker is not null)
      order by run_at, id limit ${claim.limit} for update skip locked
    )
    update jobs set worker = ${claim.worker}, lease_until = ${after(claim.leaseMs)}, attempts = attempts + 1,
      failures = failures + case when worker is null then 0 else 1 end
    from due where jobs.id = due.id
    returning jobs.id, kind, payload, dedupe_key as "dedupeKey", worker, attempts, failures`.execute(db);
  return rows.toSorted((a, b) => a.id - b.id);
}

/**
 * Milliseconds until the next waiting job is due, 0 when one became due in the last `sinceMs`; undefined when there is
 * none. Jobs due for longer are not counted: a claim has seen them, and they wait for another one of their key.
 */
export async function nextDueInMs(db: Kysely<Database>, claim: Pick<Claim, 'host' | 'kinds'>, sinceMs = 0) {
  const { rows } = await sql<{ ms: number | null }>`
    select (extract(epoch from min(run_at) - now()) * 1000)::float8 as ms from jobs
    where not dead and worker is null and run_at > ${after(-sinceMs)} and ${claimable(claim)}`.execute(db);
  const ms = rows[0]?.ms ?? undefined;
  return ms === undefined ? undefined : Math.max(0, ms);
}

/** Done. False: another worker has it by now, and what this one did may be done again. */
export async function finishJob(db: Kysely<Database>, job: ClaimedJob): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('jobs').where(handedOut(job)).executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Renews leases. Answers the ids that are still held; the others belong to somebody else or are gone. */
export async function extendLeases(db: Kysely<Database>, jobs: readonly ClaimedJob[], leaseMs: number) {
  const rows = await db
    .updateTable('jobs')
    .set({ lease_until: sql<Date>`${after(leaseMs)}` })
    .where((eb) => eb.or(jobs.map(handedOut)))
    .returning('id')
    .execute();
  return new Set(rows.map((row) => row.id));
}

/** `stillMine`: asked of the database right before a side effect. Renews the lease when it is. */
export async function extendLease(db: Kysely<Database>, job: ClaimedJob, leaseMs: number): Promise<boolean> {
  return (await extendLeases(db, [job], leaseMs)).has(job.id);
}

function claimable({ host, kinds }: Pick<Claim, 'host' | 'kinds'>) {
  return sql<boolean>`(host is null or host = ${host}) and kind = any(${kinds}::text[])`;
}

/** The fence: true only for the hand-out that this worker holds. */
export function handedOut(job: ClaimedJob) {
  return sql<boolean>`(jobs.id = ${job.id} and jobs.worker = ${job.worker} and jobs.attempts = ${job.attempts})`;
}

/** A moment from now, by the database's clock. */
export function after(ms: number) {
  return sql<Date>`(now() + make_interval(secs => ${ms / 1000}))`;
}
