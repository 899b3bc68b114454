import type {
  ActionExecutionDetail,
  GetPipelineStateOutput,
  PipelineExecution,
  RuleExecutionDetail,
  StageState,
} from '@aws-sdk/client-codepipeline';
import type { PipelineDefinition, StageDeclaration } from '../../pipeline/definition.ts';
import type { ActionRun, StageRun } from '../../pipeline/execution.ts';
import type { AwsExecution } from './aws-execution.ts';
import { observeAction } from './observe-action.ts';
import { observeConditions } from './observe-conditions.ts';
import { given } from './read-declaration.ts';
import type { Story } from './stories/stories.ts';

/** Everything that AWS said in one look at one execution. Reads may be seconds old and disagree (CP-X-69). */
export interface Observed {
  readonly execution: PipelineExecution;
  /** All pages, every attempt. */
  readonly actions: readonly ActionExecutionDetail[];
  readonly rules: readonly RuleExecutionDetail[];
  readonly state?: GetPipelineStateOutput;
  /** What was asked in this look, by action execution. */
  readonly stories: Readonly<Record<string, Story>>;
}

export interface Look {
  readonly at: string;
  /** The role that we work with: what it answered, a person asked us to. */
  readonly roleArn: string;
}

/** A stage without actions in a succeeded execution was skipped, unless the list of actions is only late. */
export const lagMs = 60_000;

export function observeStages(
  prior: AwsExecution,
  definition: PipelineDefinition,
  observed: Observed,
  look: Look,
): readonly StageRun[] {
  const declared = definition.stages.map((stage) => stage.name);
  const known = new Set(declared);
  const extra = observed.actions.flatMap(({ stageName }) =>
    stageName !== undefined && !known.has(stageName) ? [stageName] : [],
  );
  const names = [...declared, ...new Set(extra)];
  const seen = names.map((name): Seen => {
    const state = stageStateFor(observed, name, prior.aws.executionId);
    const stage = definition.stages.find((one) => one.name === name);
    const details = observed.actions.filter((action) => action.stageName === name).toSorted(byStart);
    const rules = observed.rules.filter((rule) => rule.stageName === name).toSorted(byStart);
    return { name, stage, state, details, rules };
  });
  return seen.flatMap((one, index): StageRun[] => {
    const later = seen.slice(index + 1).some(({ details, rules }) => details.length > 0 || rules.length > 0);
    const run = observeStage(prior, one, { observed, look, later });
    return run ? [run] : [];
  });
}

interface Seen {
  readonly name: string;
  readonly stage: StageDeclaration | undefined;
  /** Of this execution; a stage shows its latest execution only (CP-X-66). */
  readonly state: StageState | undefined;
  readonly details: readonly ActionExecutionDetail[];
  readonly rules: readonly RuleExecutionDetail[];
}

interface Around {
  readonly observed: Observed;
  readonly look: Look;
  /** The execution has gone on to a later stage. */
  readonly later: boolean;
}

function byStart(a: { startTime?: Date | undefined }, b: { startTime?: Date | undefined }): number {
  return (a.startTime?.getTime() ?? 0) - (b.startTime?.getTime() ?? 0);
}

function stageStateFor({ state }: Observed, name: string, execution: string | undefined): StageState | undefined {
  const found = state?.stageStates?.find((stage) => stage.stageName === name);
  return found?.latestExecution?.pipelineExecutionId === execution ? found : undefined;
}

function observeStage(prior: AwsExecution, seen: Seen, around: Around): StageRun | undefined {
  const { name, stage, state, details, rules } = seen;
  const { look } = around;
  if (isSkipped(seen, around))
    return {
      stage: name,
      attempt: 1,
      startedAt: look.at,
      endedAt: look.at,
      skipped: true,
      actions: [],
      ...priorTimes(prior, name),
    };
  if (details.length === 0 && rules.length === 0) return undefined;
  const attempts = attemptsOf(prior, seen, around);
  const current = attempts.filter(({ isNewest }) => isNewest).map(({ run }) => run);
  const earlier = attempts.filter(({ isNewest }) => !isNewest).map(({ run }) => run);
  const conditions = stage ? observeConditions(stage, rules, state, look.at) : {};
  const ended = isSettled(seen, around, current, conditions);
  const retries = retriesOf(prior, seen);
  const startedAt = [details[0]?.startTime, rules[0]?.startTime].find((time) => time !== undefined);
  return {
    stage: name,
    attempt: Math.max(1, (retries ? retries.manual + retries.automatic : 0) + 1, ...current.map((run) => run.attempt)),
    startedAt: startedAt?.toISOString() ?? look.at,
    ...(ended ? { endedAt: lastEnd(current) ?? priorTimes(prior, name).endedAt ?? look.at } : {}),
    ...(ended && state?.latestExecution?.status === 'Stopped' ? { stopped: true } : {}),
    ...(ended && state?.latestExecution?.status === 'Cancelled' ? { cancelled: true } : {}),
    actions: current,
    ...(earlier.length > 0 ? { earlier } : {}),
    ...(Object.keys(conditions).length > 0 ? { conditions } : {}),
    ...(retries ? { retries } : {}),
  };
}

function priorTimes(prior: AwsExecution, name: string): { startedAt?: string; endedAt?: string } {
  const run = prior.stages.find((stage) => stage.stage === name);
  return run ? given({ startedAt: run.startedAt, endedAt: run.endedAt }) : {};
}

function isSkipped({ details, state, stage }: Seen, { observed, look, later }: Around): boolean {
  if (details.length > 0 || !stage) return false;
  if (state?.latestExecution?.status === 'Skipped') return true;
  const status = observed.execution.status;
  return (later || status === 'Succeeded') && observed.actions.length > 0 && quietFor(observed, look) > lagMs;
}

/** Milliseconds since the last thing that any action of it did. */
export function quietFor({ actions }: Observed, { at }: Look): number {
  const last = Math.max(0, ...actions.map((action) => (action.lastUpdateTime ?? action.startTime)?.getTime() ?? 0));
  return Date.parse(at) - last;
}

function attemptsOf(
  prior: AwsExecution,
  seen: Seen,
  { observed, look }: Around,
): { run: ActionRun; isNewest: boolean }[] {
  const before = prior.stages.find((stage) => stage.stage === seen.name);
  const known = [...(before?.earlier ?? []), ...(before?.actions ?? [])];
  return seen.details.map((detail, index) => {
    const sameAction = (other: ActionExecutionDetail) => other.actionName === detail.actionName;
    const state = seen.state?.actionStates?.find((one) => one.actionName === detail.actionName)?.latestExecution;
    const run = observeAction({
      detail,
      attempt: seen.details.slice(0, index + 1).filter(sameAction).length,
      declared: seen.stage?.actions.find((action) => action.name === detail.actionName),
      state: state?.actionExecutionId === detail.actionExecutionId ? state : undefined,
      prior: known.find((one) => one.id === detail.actionExecutionId),
      story: observed.stories[detail.actionExecutionId ?? ''],
      at: look.at,
      roleArn: look.roleArn,
    });
    return { run, isNewest: !seen.details.slice(index + 1).some(sameAction) };
  });
}

export const over: ReadonlySet<string | undefined> = new Set([
  'Succeeded',
  'Failed',
  'Stopped',
  'Superseded',
  'Cancelled',
]);

function isSettled(
  seen: Seen,
  around: Around,
  current: readonly ActionRun[],
  conditions: StageRun['conditions'],
): boolean {
  if (current.some((run) => run.status === 'InProgress')) return false;
  const rules = Object.values(conditions ?? {}).flatMap((condition) => condition.rules);
  if (around.later || over.has(around.observed.execution.status)) return true;
  if (rules.some((rule) => rule.status === 'InProgress')) return false;
  const state = seen.state?.latestExecution?.status;
  if (state !== undefined) return state !== 'InProgress' && state !== 'Stopping';
  if (current.some((run) => run.status !== 'Succeeded')) return true;
  const declared = seen.stage?.actions ?? [];
  return declared.every((action) => current.some((run) => run.action === action.name));
}

function lastEnd(runs: readonly ActionRun[]): string | undefined {
  return runs
    .flatMap((run) => run.endedAt ?? [])
    .toSorted()
    .at(-1);
}

function retriesOf(prior: AwsExecution, { name, state }: Seen): StageRun['retries'] {
  const told = state?.retryStageMetadata;
  const before = prior.stages.find((stage) => stage.stage === name)?.retries;
  if (!told) return before;
  return {
    manual: told.manualStageRetryAttempt ?? 0,
    automatic: told.autoStageRetryAttempt ?? 0,
    latest: told.latestRetryTrigger ?? 'ManualStageRetry',
  };
}
