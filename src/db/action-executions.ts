import { sql, type Kysely, type Transaction } from 'kysely';
import type { ActionRun } from '../pipeline/execution.ts';
import type { NamedArtifact } from '../providers/provider.ts';
import type { Database } from './database.ts';
import type { ActionInput, ActionOutput } from './engine-tables.ts';
import { jsonText } from './json.ts';

/** A new attempt; the same again changes nothing. */
export async function saveActionStart(
  trx: Transaction<Database>,
  { execution, stage, run }: { readonly execution: string; readonly stage: string; readonly run: ActionRun },
): Promise<void> {
  const { id, action, attempt, status, startedAt } = run;
  await trx
    .insertInto('action_executions')
    .values({ id, execution_id: execution, stage, action, attempt, status, started_at: startedAt })
    .onConflict((oc) => oc.column('id').doNothing())
    .execute();
}

/** What the attempt was really given. */
export async function saveActionInput(db: Kysely<Database>, id: string, input: ActionInput): Promise<void> {
  await db
    .updateTable('action_executions')
    .set({ input: jsonText(input) })
    .where('id', '=', id)
    .execute();
}

/** Written once: a late second end does not replace the first one's output. */
export async function saveActionEnd(
  trx: Transaction<Database>,
  { run, output }: { readonly run: ActionRun; readonly output: ActionOutput },
): Promise<void> {
  await trx
    .updateTable('action_executions')
    .set({ status: run.status, ended_at: run.endedAt ?? sql<Date>`now()`, output: jsonText(output) })
    .where('id', '=', run.id)
    .where('ended_at', 'is', null)
    .execute();
}

export async function findActionExecution(db: Kysely<Database>, id: string) {
  const row = await db.selectFrom('action_executions').select(['id', 'input']).where('id', '=', id).executeTakeFirst();
  return row ?? null;
}

/** What the host that ran it kept of its output; null when that is nothing, or it has not ended. */
export async function toldOfAction(db: Kysely<Database>, id: string): Promise<unknown> {
  const row = await db.selectFrom('action_executions').select('output').where('id', '=', id).executeTakeFirst();
  return row?.output?.told ?? null;
}

/** All attempts of an execution, oldest first. */
export function listActionExecutions(db: Kysely<Database>, execution: string) {
  return db
    .selectFrom('action_executions')
    .select(['id', 'stage', 'action', 'attempt', 'status', 'input', 'output'])
    .select(['execution_id as execution', 'started_at as startedAt', 'ended_at as endedAt'])
    .where('execution_id', '=', execution)
    .orderBy('started_at')
    .orderBy('attempt')
    .execute();
}

/** What the newest attempt of an action left for later actions. */
export interface ActionOutputs {
  readonly execution: string;
  readonly stage: string;
  readonly action: string;
  readonly outputVariables: Readonly<Record<string, string>>;
  readonly outputArtifacts: readonly NamedArtifact[];
}

/**
 * Of each action the newest attempt that succeeded. Executions in the given order, within one by the time they ended:
 * when two have the same name, the last one counts.
 */
export async function actionOutputs(
  db: Kysely<Database>,
  executions: readonly string[],
): Promise<readonly ActionOutputs[]> {
  const { rows } = await sql<Omit<ActionOutputs, 'outputVariables' | 'outputArtifacts'> & Stored>`
    select * from (
      select distinct on (execution_id, stage, action)
        execution_id as execution, stage, action, input, output, ended_at
      from action_executions
      where execution_id = any(${executions}::text[]) and status = 'Succeeded'
      order by execution_id, stage, action, attempt desc
    ) newest
    order by array_position(${executions}::text[], execution), ended_at`.execute(db);
  return rows.map(({ execution, stage, action, input, output }) => ({
    execution,
    stage,
    action,
    outputVariables: output?.outputVariables ?? {},
    outputArtifacts: input?.outputArtifacts ?? [],
  }));
}

interface Stored {
  readonly input: ActionInput | null;
  readonly output: ActionOutput | null;
}
