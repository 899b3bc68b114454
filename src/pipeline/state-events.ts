import { canceledApproval } from './actions.ts';
import { wireName } from './execution.ts';
import type { ActionRun, Execution, StageRun } from './execution.ts';
import { stateEventId } from './ids.ts';
import type { Change } from './changes.ts';
import type { PipelineState } from './protocol.ts';
import { attemptsOf } from './status.ts';

/** A state change in the words of EventBridge (CP 7.1), before the envelope that says where it happened. */
export interface StateEvent {
  /** The same change has the same id, however often it is told. */
  readonly id: string;
  readonly level: 'Pipeline' | 'Stage' | 'Action';
  /** ISO 8601. */
  readonly time: string;
  readonly execution: string;
  /** Of an action's event: whose artifacts it is about. */
  readonly actionExecution?: string;
  /** `state`, `pipeline`, `execution-id` and so on; artifacts, trigger and region come with the envelope. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** What one transition tells, in the order in which it happened: what ended, then what began. */
export function stateEvents(state: PipelineState, changes: readonly Change[], at: Date): readonly StateEvent[] {
  const told = changes
    .flatMap((change) => steps(state, change))
    .flatMap((change): { rank: number; event: StateEvent }[] => {
      const event = eventOf(state, change, at);
      return event ? [{ rank: rankOf(event), event }] : [];
    });
  return told.toSorted((a, b) => a.rank - b.rank).map(({ event }) => event);
}

/**
 * Two steps that come at once here are both told: what was abandoned stops before it has stopped (CP-E-6), and what a
 * retry or an override lets end at once is resumed first.
 */
function steps(state: PipelineState, change: Change): readonly Change[] {
  if (change.kind !== 'execution' && change.kind !== 'stage') return [change];
  if (isResumed(change) && change.to !== 'InProgress') return [{ ...change, to: 'InProgress' }, change];
  if (change.to !== 'Stopped' || change.from !== 'InProgress') return [change];
  return state.executions[change.execution]?.stop ? [{ ...change, to: 'Stopping' }, change] : [change];
}

function isResumed({ from, to }: { readonly from?: string; readonly to: string }): boolean {
  return (from === 'Failed' || from === 'Stopped') && from !== to;
}

/** A pipeline begins before its stages and ends after them; on a retry it resumes after its stage (CP-E-6). */
function rankOf({ level, detail }: StateEvent): number {
  const begins = detail['state'] === 'STARTED';
  if (level === 'Pipeline') return begins ? 0 : 5;
  if (begins) return level === 'Stage' ? 3 : 4;
  return level === 'Action' ? 1 : 2;
}

function eventOf(state: PipelineState, change: Change, at: Date): StateEvent | undefined {
  if (change.kind === 'transition') return undefined;
  const execution = state.executions[change.execution];
  if (!execution) return undefined;
  const common = {
    pipeline: wireName(execution.lane, execution.pipeline),
    'execution-id': execution.id,
    version: state.definitions[execution.definition]?.version ?? 1,
    'pipeline-execution-attempt': 1 + execution.stages.reduce((sum, run) => sum + run.attempt - 1, 0),
  };
  const said = detailOf(state, execution, change);
  if (!said) return undefined;
  const { level, key, actionExecution, ...rest } = said;
  const attempt = common['pipeline-execution-attempt'];
  return {
    id: stateEventId([execution.id, level, key, String(rest.detail['state']), attempt, ...overridesOf(execution)]),
    level,
    time: at.toISOString(),
    execution: execution.id,
    ...(actionExecution === undefined ? {} : { actionExecution }),
    detail: { ...common, ...rest.detail },
  };
}

/** After an override an execution may fail a second time in the same attempt: that is another event. */
function overridesOf({ stages }: Execution): string[] {
  const conditions = stages.flatMap((run) => Object.values(run.conditions ?? {}));
  return conditions.flatMap(({ overridden }) => (overridden ? [overridden.at] : []));
}

interface Said {
  readonly level: StateEvent['level'];
  readonly key: string;
  readonly actionExecution?: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

function detailOf(state: PipelineState, execution: Execution, change: Exclude<Change, { kind: 'transition' }>) {
  switch (change.kind) {
    case 'execution':
      return change.from === change.to ? undefined : pipelineDetail(execution, change);
    case 'stage': {
      const run = execution.stages.find((one) => one.stage === change.stage);
      return run && stageDetail(run, change);
    }
    case 'action':
      return actionDetail(state, execution, change);
    default:
      return change satisfies never;
  }
}

function pipelineDetail(execution: Execution, { from, to }: Extract<Change, { kind: 'execution' }>): Said | undefined {
  const name = to === 'InProgress' && from !== undefined ? 'RESUMED' : names[to];
  if (name === undefined) return undefined;
  const { stop } = execution;
  const retried = execution.stages.filter((run) => run.attempt > 1).map((run) => run.startedAt);
  return {
    level: 'Pipeline',
    key: '',
    detail: {
      'start-time': execution.startedAt,
      state: name,
      ...(stop && (name === 'STOPPING' || name === 'STOPPED') ? { 'stop-execution-comments': stop.reason ?? '' } : {}),
      ...(retried.length > 0 ? { 'last-retry-attempt-time': retried.toSorted().at(-1) } : {}),
    },
  };
}

function stageDetail(run: StageRun, change: Extract<Change, { kind: 'stage' }>): Said | undefined {
  const { stage, attempt, to } = change;
  const name = to === 'InProgress' && (attempt > 1 || isResumed(change)) ? 'RESUMED' : names[to];
  if (name === undefined) return undefined;
  const { startedAt } = run;
  return {
    level: 'Stage',
    key: stage,
    detail: {
      'start-time': startedAt,
      stage,
      state: name,
      ...(attempt > 1 ? { 'stage-last-retry-attempt-time': startedAt } : {}),
    },
  };
}

function actionDetail(state: PipelineState, execution: Execution, change: Extract<Change, { kind: 'action' }>) {
  const { stage, action, id, to } = change;
  const run = execution.stages.flatMap(attemptsOf).find((one) => one.id === id);
  const declared = state.definitions[execution.definition]?.stages
    .find((one) => one.name === stage)
    ?.actions.find((one) => one.name === action);
  // The API has no status for an approval that an update cancels (CP-X-62).
  const isCanceled = to === 'Failed' && run?.summary === canceledApproval;
  const name = to === 'Abandoned' ? 'ABANDONED' : isCanceled ? 'CANCELED' : names[to];
  if (!run || !declared || name === undefined) return undefined;
  const { owner, provider, category, version } = declared.actionTypeId;
  return {
    level: 'Action',
    key: id,
    actionExecution: id,
    detail: {
      'start-time': run.startedAt,
      stage,
      action,
      'action-execution-id': id,
      state: name,
      type: { owner, provider, category, version },
      ...(name === 'STARTED' ? {} : { 'execution-result': resultOf(run) }),
    },
  } satisfies Said;
}

function resultOf(run: ActionRun): Readonly<Record<string, string>> {
  const summary = run.summary ?? run.error?.message;
  return {
    ...(run.externalExecutionUrl === undefined ? {} : { 'external-execution-url': run.externalExecutionUrl }),
    ...(summary === undefined ? {} : { 'external-execution-summary': summary }),
    ...(run.externalExecutionId === undefined ? {} : { 'external-execution-id': run.externalExecutionId }),
    ...(run.error && run.status === 'Failed' ? { 'error-code': run.error.code } : {}),
  };
}

/** Statuses of the API by what an event calls them (CP-E-1). A skipped stage has none (CP-E-6). */
const names: Readonly<Record<string, string>> = {
  InProgress: 'STARTED',
  Stopping: 'STOPPING',
  Stopped: 'STOPPED',
  Succeeded: 'SUCCEEDED',
  Failed: 'FAILED',
  Cancelled: 'CANCELED',
  Superseded: 'SUPERSEDED',
};
