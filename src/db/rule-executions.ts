import { sql, type Kysely, type Transaction } from 'kysely';
import type { ConditionKind, RuleRun } from '../pipeline/execution.ts';
import type { Database } from './database.ts';
import type { RuleInput } from './engine-tables.ts';
import { jsonText } from './json.ts';

export interface RuleExecution {
  readonly execution: string;
  readonly stage: string;
  readonly condition: ConditionKind;
  /** Of the stage. */
  readonly attempt: number;
  readonly run: RuleRun;
}

/** A new evaluation, or how a known one stands now. */
export async function saveRuleExecution(trx: Transaction<Database>, rule: RuleExecution): Promise<void> {
  const { run, execution, stage, condition, attempt } = rule;
  const moving = {
    status: run.status,
    ended_at: run.endedAt ?? null,
    updated_at: sql<Date>`clock_timestamp()`,
    state: jsonText(run),
  };
  const { id, rule: name, startedAt } = run;
  await trx
    .insertInto('rule_executions')
    .values({ id, execution_id: execution, stage, condition, rule: name, attempt, started_at: startedAt, ...moving })
    .onConflict((oc) => oc.column('id').doUpdateSet(moving))
    .execute();
}

/** What the rule was really given. */
export async function saveRuleInput(db: Kysely<Database>, id: string, input: RuleInput): Promise<void> {
  await db
    .updateTable('rule_executions')
    .set({ input: jsonText(input) })
    .where('id', '=', id)
    .execute();
}

/** All evaluations of an execution, newest first, as ListRuleExecutions tells them. */
export function listRuleExecutions(db: Kysely<Database>, execution: string) {
  return db
    .selectFrom('rule_executions')
    .select(['id', 'stage', 'condition', 'rule', 'attempt', 'status', 'input', 'state'])
    .select(['execution_id as execution', 'started_at as startedAt', 'updated_at as updatedAt', 'ended_at as endedAt'])
    .where('execution_id', '=', execution)
    .orderBy('started_at', 'desc')
    .orderBy('rule')
    .execute();
}
