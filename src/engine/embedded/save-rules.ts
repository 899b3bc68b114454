import type { Transaction } from 'kysely';
import type { Database } from '../../db/database.ts';
import { saveRuleExecution, type RuleExecution } from '../../db/rule-executions.ts';
import type { ConditionKind, Execution } from '../../pipeline/execution.ts';
import type { PipelineState } from '../../pipeline/protocol.ts';

/** Keeps the history of rules (CP-C-9): a retried stage evaluates anew, and its execution remembers the newest only. */
export async function saveRules(trx: Transaction<Database>, before: PipelineState, after: PipelineState) {
  for (const execution of Object.values(after.executions)) {
    const earlier = before.executions[execution.id];
    if (earlier === execution) continue;
    const known = new Map(earlier ? rulesOf(earlier).map((rule) => [rule.run.id, rule.run]) : []);
    for (const rule of rulesOf(execution)) {
      if (known.get(rule.run.id) !== rule.run) await saveRuleExecution(trx, rule);
    }
  }
}

const kinds: readonly ConditionKind[] = ['beforeEntry', 'onSuccess', 'onFailure'];

function rulesOf(execution: Execution): readonly RuleExecution[] {
  return execution.stages.flatMap((stage) => {
    const current = kinds.map((kind) => ({
      kind,
      attempt: stage.attempt,
      rules: stage.conditions?.[kind]?.rules ?? [],
    }));
    // A move that retries the stage by itself replaces evaluations that no earlier move has shown.
    return [...(stage.earlierConditions ?? []), ...current].flatMap(({ kind, attempt, rules }) =>
      rules.map((run) => ({ execution: execution.id, stage: stage.stage, condition: kind, attempt, run })),
    );
  });
}
