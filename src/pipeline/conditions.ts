import { ruleTimeoutMinutes } from './action-types.ts';
import type { Condition } from './definition.ts';
import { executionOf, putRun, type Draft } from './draft.ts';
import type { ConditionKind, ConditionRun, ExecutionId, RuleRun, StageRun } from './execution.ts';
import { ruleExecutionId } from './ids.ts';
import type { RuleAddress } from './effect.ts';
import { conditionStatus } from './status.ts';

/** All rules of a condition start at once (CP-C-1); without rules it is met. */
export function startCondition(
  draft: Draft,
  id: ExecutionId,
  run: StageRun,
  kind: ConditionKind,
  condition: Condition,
): void {
  const rules = condition.rules.map(({ name, timeoutInMinutes, ruleTypeId }): RuleRun => {
    const minutes = timeoutInMinutes ?? ruleTimeoutMinutes(ruleTypeId.provider);
    return {
      rule: name,
      id: ruleExecutionId(draft.given.seed, id, run.stage, kind, name, run.attempt),
      status: 'InProgress',
      startedAt: draft.at,
      deadline: new Date(draft.given.at.getTime() + minutes * 60_000).toISOString(),
    };
  });
  putCondition(draft, id, run, kind, { startedAt: draft.at, rules });
  for (const rule of rules) {
    const address = addressOf(id, run, kind, rule);
    draft.effects.push({ kind: 'start-rule', ...address });
    draft.effects.push({ kind: 'watch-rule-deadline', ...address, at: rule.deadline ?? draft.at });
  }
}

export function conditionPassed(condition: ConditionRun): boolean {
  const status = conditionStatus(condition);
  return status === 'Succeeded' || status === 'Overridden';
}

export function putCondition(
  draft: Draft,
  id: ExecutionId,
  run: StageRun,
  kind: ConditionKind,
  condition: ConditionRun,
): void {
  putRun(draft, id, { ...run, conditions: { ...run.conditions, [kind]: condition } });
}

/** Ends every waiting rule of the stage as Abandoned (CP-C-10, and with a stop or an update). */
export function abandonRules(draft: Draft, id: ExecutionId, mark: Pick<ConditionRun, 'cancelled'> = {}): void {
  const run = executionOf(draft, id).stages.at(-1);
  if (!run?.conditions) return;
  const kinds: ConditionKind[] = ['beforeEntry', 'onSuccess', 'onFailure'];
  const conditions: Partial<Record<ConditionKind, ConditionRun>> = {};
  let changed = false;
  for (const kind of kinds) {
    const condition = run.conditions[kind];
    if (!condition) continue;
    const waiting = condition.rules.filter((rule) => rule.status === 'InProgress');
    for (const rule of waiting) draft.effects.push({ kind: 'stop-rule', ...addressOf(id, run, kind, rule) });
    changed ||= waiting.length > 0;
    conditions[kind] =
      waiting.length === 0 ? condition : { ...condition, ...mark, rules: condition.rules.map(abandoned(draft)) };
  }
  if (changed) putRun(draft, id, { ...run, conditions });
}

function abandoned(draft: Draft): (rule: RuleRun) => RuleRun {
  return (rule) => (rule.status === 'InProgress' ? { ...rule, status: 'Abandoned', endedAt: draft.at } : rule);
}

function addressOf(execution: ExecutionId, run: StageRun, condition: ConditionKind, rule: RuleRun): RuleAddress {
  return { execution, stage: run.stage, condition, rule: rule.rule, attempt: run.attempt, id: rule.id };
}
