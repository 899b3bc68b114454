import { sql, type Kysely, type Transaction } from 'kysely';
import type { ExecutionContext } from '../engine/engine.ts';
import type { Execution, ExecutionId, LaneKey } from '../pipeline/execution.ts';
import type { Database } from './database.ts';
import {
  newestFirst,
  readBadRows,
  readGoodRows,
  readRows,
  selectExecutions,
  type ExecutionRecord,
} from './execution-rows.ts';
import { jsonText } from './json.ts';
import { schemaVersion } from './stored-execution.ts';

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

/** GitHub lagged behind a merge: the pull request that owns a push execution is known only now. Its author is one more author. */
export async function adoptExecution(
  db: Kysely<Database>,
  id: string,
  owner: { readonly pullRequest: number; readonly context: ExecutionContext },
): Promise<void> {
  await db
    .updateTable('executions')
    .set({ pull_request: owner.pullRequest, context: jsonText(owner.context) })
    .where('id', '=', id)
    .where('pull_request', 'is', null)
    .execute();
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

// Lists for people leave out a row that cannot be read; unreadableExecutions names it.

/** Ids only, oldest first, so that one row that cannot be read does not stop a sweep (SEC-F-46). */
export async function liveExecutions(db: Kysely<Database>, host?: string): Promise<readonly ExecutionId[]> {
  let query = db.selectFrom('executions').select('id').where('live', '=', true).orderBy('started_at');
  if (host !== undefined) query = query.where('host', '=', host);
  return (await query.execute()).map((row) => row.id as ExecutionId);
}

/** Executions with a gate that waits for a person: ids only, oldest first. */
export async function waitingExecutions(db: Kysely<Database>, repositoryId?: number): Promise<readonly ExecutionId[]> {
  let query = db.selectFrom('executions').select('id').where('waiting', '=', true).orderBy('started_at');
  if (repositoryId !== undefined) query = query.where('repository_id', '=', repositoryId);
  return (await query.execute()).map((row) => row.id as ExecutionId);
}

/** Numbers of pull requests whose own lane has something live. */
export async function openLanePullRequests(db: Kysely<Database>, repositoryId: number): Promise<readonly number[]> {
  const { rows } = await sql<{ number: number }>`
    select distinct lanes.pull_request as number from executions join lanes on lanes.key = executions.lane
    where executions.live and lanes.repository_id = ${repositoryId} and lanes.pull_request is not null
    order by number`.execute(db);
  return rows.map((row) => row.number);
}

/** Of one commit, newest first. */
export async function executionsFor(db: Kysely<Database>, repositoryId: number, sha: string) {
  const ofRepository = selectExecutions(db).where('repository_id', '=', repositoryId);
  return readGoodRows(ofRepository.where('head_sha', '=', sha).$call(newestFirst));
}

/** Of one pull request: its own lane's, and push executions that it owns. Newest first. */
export async function executionsOfPullRequest(db: Kysely<Database>, repositoryId: number, number: number, limit = 50) {
  const ofRepository = selectExecutions(db).where('repository_id', '=', repositoryId);
  return readGoodRows(ofRepository.where('pull_request', '=', number).$call(newestFirst).limit(limit));
}

export interface ExecutionFilter {
  readonly repositoryId?: number;
  readonly pipeline?: string;
  readonly lane?: LaneKey;
  /** Started before that moment: the next page. */
  readonly before?: Date;
  readonly limit: number;
}

/** Newest first. */
export async function recentExecutions(db: Kysely<Database>, filter: ExecutionFilter) {
  let query = selectExecutions(db).$call(newestFirst).limit(filter.limit);
  if (filter.repositoryId !== undefined) query = query.where('repository_id', '=', filter.repositoryId);
  if (filter.pipeline !== undefined) query = query.where('pipeline', '=', filter.pipeline);
  if (filter.lane !== undefined) query = query.where('lane', '=', filter.lane);
  if (filter.before !== undefined) query = query.where('started_at', '<', filter.before);
  return readGoodRows(query);
}

/** Live rows that this version cannot read, with the reason: for logs and `penstock doctor`. */
export async function unreadableExecutions(db: Kysely<Database>) {
  return readBadRows(selectExecutions(db).where('live', '=', true).orderBy('started_at'));
}

/** For metrics. */
export async function executionFigures(
  db: Kysely<Database>,
): Promise<{ readonly live: number; readonly waitingForApproval: number }> {
  const { rows } = await sql<{ live: number; waitingForApproval: number }>`
    select count(*)::int as live, (count(*) filter (where waiting))::int as "waitingForApproval"
    from executions where live`.execute(db);
  return rows[0] ?? { live: 0, waitingForApproval: 0 };
}
