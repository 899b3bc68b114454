import { sql, type Kysely, type Transaction } from 'kysely';
import type { Database } from './database.ts';
import { readGoodRows, selectExecutions, type ExecutionRecord } from './execution-rows.ts';

/** The queue for one stage over all lanes of a pipeline. Everything that changes it holds the stage's row lock. */
export interface ExclusiveStage {
  readonly repositoryId: number;
  readonly pipeline: string;
  readonly stage: string;
}

/** Which lock an execution has or asks for; read without its state, so that a damaged row stops nobody else. */
export async function lockWishOf(
  db: Kysely<Database>,
  execution: string,
): Promise<{ readonly repositoryId: number; readonly pipeline: string; readonly stage: string | null } | undefined> {
  return db
    .selectFrom('executions')
    .select(['repository_id as repositoryId', 'pipeline'])
    .select(sql<string | null>`case when live then state->'lock'->>'stage' end`.as('stage'))
    .where('id', '=', execution)
    .executeTakeFirst();
}

/** Until the transaction ends, nobody else joins, leaves or is granted. Always taken before the lock of a lane. */
export async function lockExclusiveStage(trx: Transaction<Database>, at: ExclusiveStage): Promise<void> {
  const key = columns(at);
  await trx
    .insertInto('exclusive_stages')
    .values(key)
    .onConflict((oc) => oc.columns(['repository_id', 'pipeline', 'stage']).doNothing())
    .execute();
  await sql`select 1 from exclusive_stages where ${isAt(at)} for update`.execute(trx);
}

/** At the end of the queue; who stands in it already keeps the place. */
export async function joinExclusiveStage(
  trx: Transaction<Database>,
  at: ExclusiveStage,
  execution: string,
): Promise<void> {
  await trx
    .insertInto('exclusive_places')
    .values({ ...columns(at), execution_id: execution })
    .onConflict((oc) => oc.columns(['execution_id', 'stage']).doNothing())
    .execute();
}

/** Takes everybody out who ended or does not want this lock any more: they may have gone without giving it back. */
export async function dropGonePlaces(trx: Transaction<Database>, at: ExclusiveStage): Promise<void> {
  await sql`
    delete from exclusive_places where ${isAt(at)} and not exists (
      select 1 from executions e
      where e.id = exclusive_places.execution_id and e.live and e.state->'lock'->>'stage' = exclusive_places.stage
    )`.execute(trx);
}

/** Gives a free lock to the first in the queue; a held one stays where it is. */
export async function grantFirstPlace(trx: Transaction<Database>, at: ExclusiveStage): Promise<void> {
  await sql`
    update exclusive_places set granted_at = clock_timestamp()
    where ticket = (select min(ticket) from exclusive_places where ${isAt(at)})
      and not exists (select 1 from exclusive_places held where ${isAt(at)} and held.granted_at is not null)`.execute(
    trx,
  );
}

export interface ExclusivePlace {
  readonly execution: string;
  readonly granted: boolean;
}

/** The holder first, then those who wait, next one first. */
export async function readExclusiveQueue(db: Kysely<Database>, at: ExclusiveStage): Promise<readonly ExclusivePlace[]> {
  const { rows } = await sql<ExclusivePlace>`
    select execution_id as execution, granted_at is not null as granted from exclusive_places
    where ${isAt(at)} order by granted_at is null, ticket`.execute(db);
  return rows;
}

/** Whose execution is in the stage now. */
export async function holderOfExclusiveStage(
  db: Kysely<Database>,
  { repositoryId, pipeline, stage }: ExclusiveStage,
): Promise<{ readonly pullRequest?: number; readonly headSha: string } | undefined> {
  const row = await db
    .selectFrom('exclusive_places as place')
    .innerJoin('executions', 'executions.id', 'place.execution_id')
    .select(['executions.pull_request as pullRequest', 'executions.head_sha as headSha'])
    .where('place.repository_id', '=', repositoryId)
    .where('place.pipeline', '=', pipeline)
    .where('place.stage', '=', stage)
    .where('place.granted_at', 'is not', null)
    .executeTakeFirst();
  if (!row) return undefined;
  return { headSha: row.headSha, ...(row.pullRequest === null ? {} : { pullRequest: row.pullRequest }) };
}

/** The executions of a queue that this version can read, by id. */
export async function executionsInQueue(
  db: Kysely<Database>,
  places: readonly ExclusivePlace[],
): Promise<ReadonlyMap<string, ExecutionRecord>> {
  if (places.length === 0) return new Map();
  const ids = places.map((place) => place.execution);
  const records = await readGoodRows(selectExecutions(db).where('id', 'in', ids));
  return new Map(records.map((record) => [record.execution.id, record]));
}

function columns({ repositoryId, pipeline, stage }: ExclusiveStage) {
  return { repository_id: repositoryId, pipeline, stage };
}

function isAt({ repositoryId, pipeline, stage }: ExclusiveStage) {
  return sql<boolean>`(repository_id = ${repositoryId} and pipeline = ${pipeline} and stage = ${stage})`;
}
