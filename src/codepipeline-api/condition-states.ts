import type { ConditionState, RuleState, StageConditionState, StageState } from '@aws-sdk/client-codepipeline';
import type { Condition, StageDeclaration } from '../pipeline/definition.ts';
import type { ConditionRun, RuleRun, StageRun } from '../pipeline/execution.ts';
import { conditionStatus } from '../pipeline/status.ts';

/** The conditions of a stage, as they were evaluated in its current attempt (CP-C-9). */
export function conditionStates(declared: StageDeclaration, { conditions = {} }: StageRun): Partial<StageState> {
  const { beforeEntry, onSuccess, onFailure } = declared;
  return {
    ...(beforeEntry && { beforeEntryConditionState: stateOf(beforeEntry.conditions, conditions.beforeEntry) }),
    ...(onSuccess && { onSuccessConditionState: stateOf(onSuccess.conditions, conditions.onSuccess) }),
    ...(onFailure?.conditions && { onFailureConditionState: stateOf(onFailure.conditions, conditions.onFailure) }),
  };
}

/** What was not evaluated has its names only, as actions that did not run. */
function stateOf(declared: readonly Condition[], run: ConditionRun | undefined): StageConditionState {
  if (!run) {
    return {
      conditionStates: declared.map(({ rules }) => ({ ruleStates: rules.map(({ name }) => ({ ruleName: name })) })),
    };
  }
  const status = conditionStatus(run);
  const changed = run.overridden?.at ?? lastChange(run);
  const state: ConditionState = {
    latestExecution: { status, lastStatusChange: new Date(changed) },
    ruleStates: run.rules.map(ruleState),
  };
  return { latestExecution: { status }, conditionStates: [state] };
}

function lastChange({ startedAt, rules }: ConditionRun): string {
  return [startedAt, ...rules.map((rule) => rule.endedAt ?? rule.startedAt)].toSorted().at(-1) ?? startedAt;
}

function ruleState(rule: RuleRun): RuleState {
  return {
    ruleName: rule.rule,
    latestExecution: {
      ruleExecutionId: rule.id,
      status: rule.status,
      ...(rule.summary !== undefined && { summary: rule.summary }),
      lastStatusChange: new Date(rule.endedAt ?? rule.startedAt),
      ...(rule.externalExecutionId !== undefined && { externalExecutionId: rule.externalExecutionId }),
      ...(rule.externalExecutionUrl !== undefined && { externalExecutionUrl: rule.externalExecutionUrl }),
      ...(rule.error && { errorDetails: { code: rule.error.code, message: rule.error.message } }),
    },
  };
}
