import type { Kysely, Transaction } from 'kysely';
import type { Execution, LaneKey } from '../pipeline/execution.ts';
import type { Database } from './database.ts';
import { newestFirst, readRows, selectExecutions, type ExecutionRecord } from './execution-rows.ts';
import { jsonText } from './json.ts';
import { schemaVersion } from './stored-execution.ts';

export * from './execution-lists.ts';
export type { ExecutionRecord } from './execution-rows.ts';

/** Computed by the core (src/pipeline/status.ts) and stored beside the state for queries only. */
export type Mirrors = Pick<ExecutionRecord, 'status' | 'live' | 'waiting'>;

export type NewExecution = Omit<ExecutionRecord, 'pipeline' | 'pullRequest'>;

/** The lane and the definition must be stored already. Fails with code 23505 when the idempotency key is taken. */
export async function insertExecution(trx: Transaction<Database>, stored: NewExecution): Promise<void> {
  const { execution, context } = stored;
  await trx
    .insertInto('executions')
    .values({
      id: execution.id,
      lane: execution.lane,
      repository_id: stored.repositoryId,
      pipeline: execution.pipeline,
      pull_request: context.pullRequest ?? null,
      head_sha: context.headSha,
      idempotency_key: stored.idempotencyKey,
      definition: execution.definition,
      host: stored.host,
      context: jsonText(context),
      started_at: execution.startedAt,
      ...changing(execution, stored),
    })
    .execute();
}

/** Under the lane's lock only: the row is replaced as a whole. */
export async function saveExecution(trx: Transaction<Database>, execution: Execution, mirrors: Mirrors): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('executions')
    .set(changing(execution, mirrors))
    .where('id', '=', execution.id)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new Error(`Execution ${execution.id} was not found when it was saved`);
}

function changing(execution: Execution, { status, live, waiting }: Mirrors) {
  const state = jsonText(execution);
  return { status, live, waiting, schema_version: schemaVersion, state, updated_at: execution.updatedAt };
}

export async function findExecution(db: Kysely<Database>, id: string): Promise<ExecutionRecord | null> {
  const [found] = await readRows(selectExecutions(db).where('id', '=', id));
  return found ?? null;
}

/** Those that exist, oldest first. */
export async function loadExecutions(db: Kysely<Database>, ids: readonly string[]) {
  return ids.length === 0 ? [] : readRows(selectExecutions(db).where('id', 'in', ids).orderBy('started_at'));
}

export async function findExecutionByKey(db: Kysely<Database>, key: string) {
  const [found] = await readRows(selectExecutions(db).where('idempotency_key', '=', key));
  return found ?? null;
}

/** Oldest first. */
export async function liveExecutionsOfLane(db: Kysely<Database>, lane: LaneKey) {
  return readRows(selectExecutions(db).where('lane', '=', lane).where('live', '=', true).orderBy('started_at'));
}

export async function newestForLane(db: Kysely<Database>, lane: LaneKey): Promise<ExecutionRecord | null> {
  const [found] = await readRows(selectExecutions(db).where('lane', '=', lane).$call(newestFirst).limit(1));
  return found ?? null;
}
