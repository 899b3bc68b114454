import type { RuleExecutionDetail, StageState } from '@aws-sdk/client-codepipeline';
import type { StageDeclaration } from '../../pipeline/definition.ts';
import type {
  ActionExecutionId,
  ConditionKind,
  ConditionRun,
  RuleRun,
  RuleStatus,
  StageRun,
} from '../../pipeline/execution.ts';
import { given } from './read-declaration.ts';

const kinds = ['beforeEntry', 'onSuccess', 'onFailure'] as const;

/** The stage's conditions as far as they were evaluated; the newest evaluation of each rule counts. */
export function observeConditions(
  stage: StageDeclaration,
  rules: readonly RuleExecutionDetail[],
  state: StageState | undefined,
  at: string,
): NonNullable<StageRun['conditions']> {
  const seen = kinds.flatMap((kind): [ConditionKind, ConditionRun][] => {
    const names = (stage[kind]?.conditions ?? []).flatMap((condition) => condition.rules.map((rule) => rule.name));
    const runs = names.flatMap((name) => {
      const newest = rules.findLast((rule) => rule.ruleName === name);
      return newest ? [observeRule(newest, at)] : [];
    });
    const first = runs[0];
    if (!first) return [];
    const overridden = isOverridden(state, kind) ? { overridden: overrideOf(state, kind, at) } : {};
    return [[kind, { startedAt: first.startedAt, rules: runs, ...overridden }]];
  });
  return Object.fromEntries(seen);
}

function conditionState(state: StageState | undefined, kind: ConditionKind) {
  return state?.[`${kind}ConditionState`];
}

function isOverridden(state: StageState | undefined, kind: ConditionKind): boolean {
  return conditionState(state, kind)?.latestExecution?.status === 'Overridden';
}

function overrideOf(state: StageState | undefined, kind: ConditionKind, at: string) {
  const changed = conditionState(state, kind)?.conditionStates?.[0]?.latestExecution?.lastStatusChange;
  return { at: changed?.toISOString() ?? at, by: { kind: 'penstock', why: 'CodePipeline says so' } as const };
}

function observeRule(detail: RuleExecutionDetail, at: string): RuleRun {
  const result = detail.output?.executionResult;
  const status = statusOf(detail.status);
  const told = result?.errorDetails;
  const error =
    status === 'Failed'
      ? {
          code: told?.code ?? 'JobFailed',
          message: told?.message ?? result?.externalExecutionSummary ?? 'The rule was not met.',
        }
      : undefined;
  return {
    rule: detail.ruleName ?? '',
    id: (detail.ruleExecutionId ?? '') as ActionExecutionId,
    status,
    startedAt: detail.startTime?.toISOString() ?? at,
    ...given({
      endedAt: status === 'InProgress' ? undefined : (detail.lastUpdateTime?.toISOString() ?? at),
      summary: result?.externalExecutionSummary,
      externalExecutionId: result?.externalExecutionId,
      externalExecutionUrl: result?.externalExecutionUrl,
      error,
    }),
  };
}

function statusOf(status: string | undefined): RuleStatus {
  return status === 'Succeeded' || status === 'Failed' || status === 'Abandoned' ? status : 'InProgress';
}
