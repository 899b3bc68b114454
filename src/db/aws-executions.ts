import { sql, type Kysely } from 'kysely';
import type { ExecutionId, ExecutionStatus } from '../pipeline/execution.ts';
import type { Database } from './database.ts';
import { newestFirst, readGoodRows, selectExecutions, type ExecutionRecord } from './execution-rows.ts';
import { after, enqueue } from './jobs.ts';

/** Executions that CodePipeline runs: their `host` names the pipeline there and begins with `aws:`. */

/** A pipeline as one repository sees it: the unit that is looked at. */
export interface Watched {
  readonly repositoryId: number;
  readonly pipeline: string;
}

/** Ids only, oldest first. */
export async function liveAwsExecutions(db: Kysely<Database>): Promise<readonly ExecutionId[]> {
  const query = db.selectFrom('executions').select('id').where('live', '=', true).where('host', 'like', 'aws:%');
  return (await query.orderBy('started_at').execute()).map((row) => row.id as ExecutionId);
}

/** For so long after its last change here an ended execution is looked at until a look has found nothing more to come. */
const unsettledMs = 60 * 60_000;

/**
 * What of a pipeline has to be looked at, oldest first: what is live, and what has just ended here and was not seen to be
 * over there. A row that cannot be read does not keep the others from being looked at (SEC-F-46).
 */
export function openAwsRecords(db: Kysely<Database>, watched: Watched): Promise<readonly ExecutionRecord[]> {
  const { repositoryId, pipeline } = watched;
  const ofPipeline = selectExecutions(db).where('repository_id', '=', repositoryId).where('pipeline', '=', pipeline);
  const open = sql<boolean>`(live or state -> 'aws' ->> 'seen' is null and updated_at > ${after(-unsettledMs)})`;
  return readGoodRows(ofPipeline.where('host', 'like', 'aws:%').where(open).orderBy('started_at'));
}

export interface KnownAwsExecution {
  readonly id: ExecutionId;
  /** CodePipeline's id. */
  readonly awsId: string;
  readonly status: ExecutionStatus;
  readonly live: boolean;
}

/** Which of these executions of CodePipeline are on record for this pipeline of this repository. */
export async function knownAwsExecutions(
  db: Kysely<Database>,
  where: Watched,
  awsIds: readonly string[],
): Promise<readonly KnownAwsExecution[]> {
  const { rows } = await sql<KnownAwsExecution>`
    select id, state -> 'aws' ->> 'executionId' as "awsId", status, live from executions
    where repository_id = ${where.repositoryId} and pipeline = ${where.pipeline}
      and state -> 'aws' ->> 'executionId' = any(${awsIds}::text[])`.execute(db);
  return rows;
}

/** The newest execution of a commit that AWS itself started, begun since then: the commit needs no other one (CP-T-1). */
export async function adoptedExecutionOf(
  db: Kysely<Database>,
  { repositoryId, pipeline, headSha, since }: Watched & { readonly headSha: string; readonly since: Date },
): Promise<ExecutionRecord | undefined> {
  const ofCommit = selectExecutions(db).where('repository_id', '=', repositoryId).where('pipeline', '=', pipeline);
  const adopted = ofCommit.where('head_sha', '=', headSha).where('started_at', '>=', since);
  const byAws = adopted.where(sql<boolean>`(state -> 'aws' ->> 'adopted')::boolean`);
  return (await readGoodRows(byAws.$call(newestFirst).limit(1)))[0];
}

/** When a pipeline was looked at and when AWS last told something of it stand in `ticks`. */
const lookTick = ({ repositoryId, pipeline }: Watched): string => `aws-look/${repositoryId}/${pipeline}`;
const eventTick = ({ repositoryId, pipeline }: Watched): string => `aws-event/${repositoryId}/${pipeline}`;

export function recordLook(db: Kysely<Database>, watched: Watched): Promise<void> {
  return touch(db, lookTick(watched));
}

export function recordEvent(db: Kysely<Database>, watched: Watched): Promise<void> {
  return touch(db, eventTick(watched));
}

async function touch(db: Kysely<Database>, name: string): Promise<void> {
  await sql`
    insert into ticks (name, last_run) values (${name}, now())
    on conflict (name) do update set last_run = now()`.execute(db);
}

/** Milliseconds since the pipeline was looked at, and since an event told of it; null: never. */
export async function quietTimes(
  db: Kysely<Database>,
  watched: Watched,
): Promise<{ readonly lookMs: number | null; readonly eventMs: number | null }> {
  const since = (name: string) => sql`
    (select (extract(epoch from now() - last_run) * 1000)::float8 from ticks where name = ${name})`;
  const { rows } = await sql<{ lookMs: number | null; eventMs: number | null }>`
    select ${since(lookTick(watched))} as "lookMs", ${since(eventTick(watched))} as "eventMs"`.execute(db);
  return rows[0] ?? { lookMs: null, eventMs: null };
}

/** Seconds since the live execution that nobody has looked at for longest was seen; 0 when none is live. */
export async function longestUnobserved(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ seconds: number | null }>`
    select extract(epoch from now() - min(greatest(e.started_at, coalesce(t.last_run, e.started_at))))::float8 as seconds
    from executions e left join ticks t on t.name = 'aws-look/' || e.repository_id || '/' || e.pipeline
    where e.live and e.host like 'aws:%'`.execute(db);
  return Math.max(0, rows[0]?.seconds ?? 0);
}

/** Asks for a look at all that runs of a pipeline, at the latest after that time; several requests become one. */
export async function enqueueObservation(
  db: Kysely<Database>,
  { repositoryId, pipeline }: Watched,
  delayMs: number,
): Promise<void> {
  const dedupeKey = `observe/${repositoryId}/${pipeline}`;
  await enqueue(db, { kind: 'observe', payload: { repositoryId, pipeline }, dedupeKey, delayMs });
}
