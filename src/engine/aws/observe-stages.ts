import type { StageState } from '@aws-sdk/client-codepipeline';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import type { StageRun } from '../../pipeline/execution.ts';
import { isUnmet } from '../../pipeline/status.ts';
import type { AwsExecution } from './aws-execution.ts';
import { attemptsOf, type Attempt } from './observe-attempts.ts';
import { observeConditions } from './observe-conditions.ts';
import { given } from './read-declaration.ts';
import { lagMs, quietFor, type Around, type Look, type Observed, type Seen } from './seen-stage.ts';
import { settlementOf } from './settle-stage.ts';

/** Built from what was said now and what was known before: a late read takes nothing back (CP-X-69). */
export function observeStages(
  prior: AwsExecution,
  definition: PipelineDefinition,
  observed: Observed,
  look: Look,
): readonly StageRun[] {
  const names = new Set([
    ...definition.stages.map((stage) => stage.name),
    ...prior.stages.map(({ stage }) => stage),
    ...observed.actions.flatMap(({ stageName }) => stageName ?? []),
  ]);
  const seen = [...names].map((name): Seen => {
    const before = prior.stages.find((run) => run.stage === name);
    const state = stageStateFor(observed, name, prior.aws.executionId);
    const stage = definition.stages.find((one) => one.name === name);
    const details = observed.actions.filter((action) => action.stageName === name);
    const rules = observed.rules.filter((rule) => rule.stageName === name).toSorted(byStart);
    return { name, stage, before, state, details, rules };
  });
  return seen.flatMap((one, index): StageRun[] => {
    const later = seen.slice(index + 1).some(({ details, rules, before }) => before ?? [...details, ...rules][0]);
    const about = { stopAsked: prior.stop !== undefined, isParallel: prior.mode === 'PARALLEL' };
    const run = observeStage(one, { observed, look, later, ...about });
    return run ? [run] : [];
  });
}

function byStart(a: { startTime?: Date | undefined }, b: { startTime?: Date | undefined }): number {
  return (a.startTime?.getTime() ?? 0) - (b.startTime?.getTime() ?? 0);
}

function stageStateFor({ state }: Observed, name: string, execution: string | undefined): StageState | undefined {
  const found = state?.stageStates?.find((stage) => stage.stageName === name);
  return found?.latestExecution?.pipelineExecutionId === execution ? found : undefined;
}

function observeStage(seen: Seen, around: Around): StageRun | undefined {
  const { name, stage, state, details, rules, before } = seen;
  const { look } = around;
  const attempts = attemptsOf(seen, around);
  const starts = attempts.map(({ run }) => run.startedAt);
  const conditions = stage ? observeConditions(stage, { rules, state, before, at: look.at }, starts) : {};
  const evaluated = Object.keys(conditions).length > 0 ? { conditions } : {};
  if (isSkipped(seen, around, conditions)) {
    const times = { startedAt: look.at, endedAt: look.at, ...timesOf(before) };
    return { stage: name, attempt: 1, ...times, skipped: true, actions: [], ...evaluated };
  }
  if (details.length === 0 && rules.length === 0) return before;
  const actions = attempts.filter(({ isCurrent }) => isCurrent).map(({ run }) => run);
  const earlier = attempts.filter(({ isCurrent }) => !isCurrent).map(({ run }) => run);
  const retries = retriesOf(seen, around, attempts);
  const startedAt = [attempts[0]?.run.startedAt, rules[0]?.startTime?.toISOString()].find((time) => time !== undefined);
  const open: StageRun = {
    stage: name,
    attempt: Math.max(1, (retries ? retries.manual + retries.automatic : 0) + 1, ...actions.map((run) => run.attempt)),
    startedAt: startedAt ?? look.at,
    actions,
    ...(earlier.length > 0 ? { earlier } : {}),
    ...evaluated,
    ...(retries ? { retries } : {}),
  };
  return { ...open, ...settlementOf(seen, around, open) };
}

function timesOf(run: StageRun | undefined): { startedAt?: string; endedAt?: string } {
  return run ? given({ startedAt: run.startedAt, endedAt: run.endedAt }) : {};
}

function isSkipped(
  { details, state, stage, before }: Seen,
  { observed, look, later }: Around,
  { beforeEntry }: NonNullable<StageRun['conditions']>,
): boolean {
  // A rollback runs one stage only, and skips none (CP-X-51).
  if (details.length > 0 || !stage || observed.execution.rollbackMetadata) return false;
  if (state?.latestExecution?.status === 'Skipped' || before?.skipped) return true;
  if (before && before.actions.length > 0) return false;
  if (beforeEntry && isUnmet(beforeEntry)) return stage.beforeEntry?.conditions[0]?.result === 'SKIP';
  const status = observed.execution.status;
  return (later || status === 'Succeeded') && observed.actions.length > 0 && quietFor(observed, look) > lagMs;
}

/** A retry counts once what it began anew is listed: its number may be known earlier (CP-X-69). */
function retriesOf(
  { before, state, rules }: Seen,
  { observed, look, later }: Around,
  attempts: readonly Attempt[],
): StageRun['retries'] {
  const told = state?.retryStageMetadata;
  const known = before?.retries;
  if (!told) return known;
  const { manualStageRetryAttempt: manual = 0, autoStageRetryAttempt: automatic = 0, latestRetryTrigger } = told;
  if (known && manual + automatic < known.manual + known.automatic) return known;
  const begunAnew =
    attempts.length -
    new Set(attempts.map(({ run }) => run.action)).size +
    rules.length -
    new Set(rules.map(({ ruleName }) => ruleName)).size;
  const isListed = later || begunAnew >= manual + automatic || quietFor(observed, look) > lagMs;
  if (!isListed) return known;
  const isAutomatic = latestRetryTrigger === 'AutomatedStageRetry';
  return { manual, automatic, latest: isAutomatic ? 'AutomatedStageRetry' : 'ManualStageRetry' };
}
