import type { Kysely, Selectable } from 'kysely';
import type { ExecutionContext } from '../engine/engine.ts';
import type { Execution, ExecutionStatus } from '../pipeline/execution.ts';
import type { Database } from './database.ts';
import { readContext, readExecution } from './stored-execution.ts';

/** An execution as stored, with what belongs to it beyond CodePipeline's words. */
export interface ExecutionRecord {
  readonly execution: Execution;
  readonly context: ExecutionContext;
  readonly repositoryId: number;
  readonly pipeline: string;
  /** The pull request whose lane this is, or that owns a push execution. */
  readonly pullRequest: number | null;
  readonly idempotencyKey: string;
  /** The host that holds its artifacts. */
  readonly host: string;
  readonly status: ExecutionStatus;
  /** Not ended, or something of it still runs. */
  readonly live: boolean;
  /** Some gate waits for a person. */
  readonly waiting: boolean;
}

type Row = Selectable<Database['executions']>;
export type ExecutionQuery = ReturnType<typeof selectExecutions>;

export function selectExecutions(db: Kysely<Database>) {
  return db.selectFrom('executions').selectAll();
}

export function newestFirst(query: ExecutionQuery): ExecutionQuery {
  return query.orderBy('started_at', 'desc').orderBy('id', 'desc');
}

/** Throws when a row cannot be read: right where exactly these rows are needed. */
export async function readRows(query: ExecutionQuery): Promise<readonly ExecutionRecord[]> {
  return (await query.execute()).map(fromRow);
}

/** Leaves out rows that cannot be read, so that one damaged row does not stop a sweep or a list (SEC-F-46). */
export async function readGoodRows(query: ExecutionQuery): Promise<readonly ExecutionRecord[]> {
  return (await query.execute()).flatMap((row) => tryRow(row).record ?? []);
}

export async function readBadRows(query: ExecutionQuery): Promise<readonly { id: string; why: string }[]> {
  return (await query.execute()).flatMap((row) => {
    const { why } = tryRow(row);
    return why === undefined ? [] : [{ id: row.id, why }];
  });
}

function tryRow(row: Row): { record?: ExecutionRecord; why?: string } {
  try {
    return { record: fromRow(row) };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
}

function fromRow(row: Row): ExecutionRecord {
  return {
    execution: readExecution(row.id, row.schema_version, row.state),
    context: readContext(row.id, row.context),
    repositoryId: row.repository_id,
    pipeline: row.pipeline,
    pullRequest: row.pull_request,
    idempotencyKey: row.idempotency_key,
    host: row.host,
    status: row.status as ExecutionStatus,
    live: row.live,
    waiting: row.waiting,
  };
}
