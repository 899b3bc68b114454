import { sql, type Kysely } from 'kysely';
import type { ExecutionId, LaneKey } from '../pipeline/execution.ts';
import type { Database } from './database.ts';
import { newestFirst, readBadRows, readGoodRows, selectExecutions } from './execution-rows.ts';

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
