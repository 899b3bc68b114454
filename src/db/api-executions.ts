import { sql, type Kysely } from 'kysely';
import type { LaneKey } from '../pipeline/execution.ts';
import type { Database } from './database.ts';
import { readRows, selectExecutions, type ExecutionRecord } from './execution-rows.ts';

/** Pages of history as the CodePipeline API lists it: newest first, one pipeline at a time. */

/** Started before the one with this `order`; without it from the newest on. */
export function executionPage(
  db: Kysely<Database>,
  lane: LaneKey,
  { before, limit }: { readonly before?: number; readonly limit: number },
): Promise<readonly ExecutionRecord[]> {
  const order = sql<number>`(state->>'order')::int`;
  let query = selectExecutions(db).where('lane', '=', lane).orderBy(order, 'desc').limit(limit);
  if (before !== undefined) query = query.where(order, '<', before);
  return readRows(query);
}

export interface AttemptFilter {
  readonly lane: LaneKey;
  readonly execution?: string;
  /** Only the newest attempt of each action or rule. */
  readonly newestOnly: boolean;
  /** `cursor` of the last row of the page before. */
  readonly after?: string;
  readonly limit: number;
}

/** An attempt of an action, or an evaluation of a rule, in history. */
export interface AttemptRef {
  readonly id: string;
  readonly execution: string;
  readonly cursor: string;
}

/** Newest first, ties by id (CP-X-70). */
export async function actionAttempts(db: Kysely<Database>, filter: AttemptFilter): Promise<readonly AttemptRef[]> {
  return attempts(db, filter, sql`action_executions`, sql`a.stage, a.action`);
}

export async function ruleAttempts(db: Kysely<Database>, filter: AttemptFilter): Promise<readonly AttemptRef[]> {
  return attempts(db, filter, sql`rule_executions`, sql`a.stage, a.condition, a.rule`);
}

type Fragment = ReturnType<typeof sql>;

async function attempts(
  db: Kysely<Database>,
  { lane, execution, newestOnly, after, limit }: AttemptFilter,
  table: Fragment,
  identity: Fragment,
): Promise<readonly AttemptRef[]> {
  const { rows } = await sql<AttemptRef>`
    select id, execution, cursor from (
      select a.id, a.execution_id as execution,
        row_number() over (partition by a.execution_id, ${identity} order by a.attempt desc) as age,
        -- Microseconds as a number, so that a cursor is exact; the id makes it unique.
        (lpad((extract(epoch from a.started_at) * 1000000)::bigint::text, 20, '0') || '/' || a.id) collate "C" as cursor
      from ${table} a join executions e on e.id = a.execution_id
      where e.lane = ${lane} and (${execution ?? null}::text is null or e.id = ${execution ?? null})
    ) listed
    where (not ${newestOnly}::boolean or age = 1) and (${after ?? null}::text is null or cursor < ${after ?? null})
    order by cursor desc limit ${limit}`.execute(db);
  return rows;
}

/** The attempts' inputs and outputs, by id. */
export async function actionRecords(db: Kysely<Database>, ids: readonly string[]) {
  if (ids.length === 0) return new Map<string, never>();
  const rows = await db
    .selectFrom('action_executions')
    .select(['id', 'input', 'output'])
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

export async function ruleRecords(db: Kysely<Database>, ids: readonly string[]) {
  if (ids.length === 0) return new Map<string, never>();
  const rows = await db
    .selectFrom('rule_executions')
    .select(['id', 'stage', 'condition', 'rule', 'status', 'input', 'state'])
    .select(['started_at as startedAt', 'updated_at as updatedAt'])
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

/** The execution that this attempt of an action belongs to. */
export async function executionOfAttempt(db: Kysely<Database>, id: string): Promise<string | null> {
  const row = await db.selectFrom('action_executions').select('execution_id').where('id', '=', id).executeTakeFirst();
  return row?.execution_id ?? null;
}
