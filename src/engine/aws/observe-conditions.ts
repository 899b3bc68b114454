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

export interface SeenRules {
  /** Oldest first. */
  readonly rules: readonly RuleExecutionDetail[];
  readonly state: StageState | undefined;
  readonly before: StageRun | undefined;
  readonly at: string;
}

/**
 * The stage's conditions as far as they were evaluated in its current attempt; of each rule the newest counts.
 * `starts`: when its actions began, oldest first.
 */
export function observeConditions(
  stage: StageDeclaration,
  { rules, state, before, at }: SeenRules,
  starts: readonly string[],
): NonNullable<StageRun['conditions']> {
  const lastStart = starts.at(-1) ?? '';
  const seen = kinds.flatMap((kind): [ConditionKind, ConditionRun][] => {
    const known = before?.conditions?.[kind];
    const names = (stage[kind]?.conditions ?? []).flatMap((condition) => condition.rules.map((rule) => rule.name));
    const isErrored = conditionState(state, kind)?.latestExecution?.status === 'Errored';
    const runs = names.flatMap((name) => {
      const told = rules.findLast((rule) => rule.ruleName === name);
      const run = newestOf(
        told && observeRule(told, isErrored, at),
        known?.rules.find((rule) => rule.rule === name),
      );
      // What was judged before an action began belongs to an earlier attempt; only the entrance comes first.
      return run && (kind === 'beforeEntry' || run.startedAt >= lastStart) ? [run] : [];
    });
    const first = runs[0];
    if (!first) return [];
    const overridden = state || kind !== 'beforeEntry' ? overrideOf(state, kind, at) : entryOverride(runs, starts);
    const kept = known?.rules[0]?.id === first.id ? known : undefined;
    const isCancelled = conditionState(state, kind)?.latestExecution?.status === 'Cancelled';
    const ends = {
      overridden: kept?.overridden ?? overridden,
      cancelled: kept?.cancelled ?? (isCancelled || undefined),
    };
    return [[kind, { startedAt: first.startedAt, rules: runs, ...given(ends) }]];
  });
  return Object.fromEntries(seen);
}

/** A rule that has ended is not judged again under its id, and a read without it is only late (CP-X-69). */
function newestOf(told: RuleRun | undefined, known: RuleRun | undefined): RuleRun | undefined {
  if (!told || !known) return told ?? known;
  if (told.id !== known.id) return told.startedAt < known.startedAt ? known : told;
  if (told.status === 'InProgress') return known;
  return known.errored ? { ...told, errored: true } : told;
}

function conditionState(state: StageState | undefined, kind: ConditionKind) {
  return state?.[`${kind}ConditionState`];
}

/** Its answers do not name who it was. */
const codePipeline = { kind: 'penstock', why: 'CodePipeline says so' } as const;

function overrideOf(state: StageState | undefined, kind: ConditionKind, at: string): ConditionRun['overridden'] {
  const told = conditionState(state, kind);
  if (told?.latestExecution?.status !== 'Overridden') return undefined;
  const changed = told.conditionStates?.[0]?.latestExecution?.lastStatusChange;
  return { at: changed?.toISOString() ?? at, by: codePipeline };
}

/** Where no state tells of it, as in PARALLEL mode: nothing but an override lets actions in behind a rule that said no. */
function entryOverride(runs: readonly RuleRun[], starts: readonly string[]): ConditionRun['overridden'] {
  if (!runs.some(({ status }) => status === 'Failed')) return undefined;
  const judgedAt = runs.reduce(
    (latest, { startedAt, endedAt = startedAt }) => (endedAt > latest ? endedAt : latest),
    '',
  );
  const at = starts.find((start) => start >= judgedAt);
  return at === undefined ? undefined : { at, by: codePipeline };
}

function observeRule(detail: RuleExecutionDetail, isErrored: boolean, at: string): RuleRun {
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
      errored: (isErrored && status === 'Failed') || undefined,
    }),
  };
}

function statusOf(status: string | undefined): RuleStatus {
  return status === 'Succeeded' || status === 'Failed' || status === 'Abandoned' ? status : 'InProgress';
}
