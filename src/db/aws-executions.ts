import { sql, type Kysely } from 'kysely';
import type { ExecutionId } from '../pipeline/execution.ts';
import type { Database } from './database.ts';

/** Executions that CodePipeline runs: their `host` names the pipeline there and begins with `aws:`. */

/** Ids only, oldest first. */
export async function liveAwsExecutions(db: Kysely<Database>): Promise<readonly ExecutionId[]> {
  const query = db.selectFrom('executions').select('id').where('live', '=', true).where('host', 'like', 'aws:%');
  return (await query.orderBy('started_at').execute()).map((row) => row.id as ExecutionId);
}

export interface KnownAwsExecution {
  readonly id: ExecutionId;
  /** CodePipeline's id. */
  readonly awsId: string;
  readonly live: boolean;
}

/** Which of these executions of CodePipeline are on record for this pipeline of this repository. */
export async function knownAwsExecutions(
  db: Kysely<Database>,
  where: { readonly repositoryId: number; readonly pipeline: string },
  awsIds: readonly string[],
): Promise<readonly KnownAwsExecution[]> {
  const { rows } = await sql<KnownAwsExecution>`
    select id, state -> 'aws' ->> 'executionId' as "awsId", live from executions
    where repository_id = ${where.repositoryId} and pipeline = ${where.pipeline}
      and state -> 'aws' ->> 'executionId' = any(${awsIds}::text[])`.execute(db);
  return rows;
}

/** The records of one execution of CodePipeline: one for each repository that its pipeline is bound to. */
export async function awsExecutionsOf(
  db: Kysely<Database>,
  host: string,
  awsId: string,
): Promise<readonly ExecutionId[]> {
  const { rows } = await sql<{ id: ExecutionId }>`
    select id from executions where host = ${host} and state -> 'aws' ->> 'executionId' = ${awsId}`.execute(db);
  return rows.map((row) => row.id);
}
