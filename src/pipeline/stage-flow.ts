import { startActions } from './actions.ts';
import { conditionPassed, startCondition } from './conditions.ts';
import type { Condition, StageDeclaration } from './definition.ts';
import {
  bookOf,
  definitionOf,
  executionOf,
  openRun,
  patchBook,
  putExecution,
  putRun,
  stageOf,
  type Draft,
} from './draft.ts';
import { giveUpLock, needsLock, requestLock } from './exclusive.ts';
import type { Execution, ExecutionId, StageRun } from './execution.ts';
import { maxParallelActions } from './limits.ts';
import { beginRetry } from './retry.ts';
import { rollBackAutomatically } from './rollback.ts';
import { arrive } from './stage-occupancy.ts';
import {
  failureResult,
  hasFailed,
  hasRunningActions,
  hasRunningRules,
  isLastStage,
  isRunBusy,
  isUnmet,
  mayStillRetry,
} from './status.ts';

/**
 * What happens inside a stage. `advance` looks at the stage that the execution is in and takes the step that is due now;
 * it may be called at any time, and does nothing when nothing is due.
 */
export function advance(draft: Draft, id: ExecutionId): void {
  const execution = executionOf(draft, id);
  const run = openRun(execution);
  const stage = run && stageOf(draft, execution, run.stage);
  if (!run || !stage || execution.ending) return;
  if (execution.stop || execution.cancel) return endEarly(draft, execution, run);
  if (needsLock(execution, stage.name)) return requestLock(draft, id, stage.name);
  if (hasFailed(run, stage)) return afterFailure(draft, execution, run, stage);
  if (!entryPassed(draft, execution, run, stage)) return;
  if (startNextGroup(draft, execution, run, stage)) return;
  if (!successPassed(draft, execution, run, stage)) return;
  succeed(draft, execution, run);
}

/** Nothing new starts; what runs may end (CP-X-31, CP-X-61). */
function endEarly(draft: Draft, execution: Execution, run: StageRun): void {
  if (isRunBusy(run)) return;
  if (execution.stop) return settle(draft, execution.id, { ...run, stopped: true });
  settle(draft, execution.id, { ...run, cancelled: true });
  const why = execution.cancel?.why ?? '';
  putExecution(draft, { ...executionOf(draft, execution.id), ending: { as: 'Cancelled', at: draft.at, why } });
}

/** Nothing of the stage runs and nothing more of it will start: frees its locks (CP-X-15). */
export function settle(draft: Draft, id: ExecutionId, run: StageRun): void {
  putRun(draft, id, { ...run, endedAt: draft.at });
  giveUpLock(draft, id);
}

/** False while the entry condition is not (or not yet) passed; a SKIP that applies moves the execution on. */
function entryPassed(draft: Draft, execution: Execution, run: StageRun, stage: StageDeclaration): boolean {
  const condition = withRules(stage.beforeEntry?.conditions);
  if (!condition || execution.type === 'ROLLBACK') return true;
  const state = run.conditions?.beforeEntry;
  if (!state) {
    startCondition(draft, execution.id, run, 'beforeEntry', condition);
    return false;
  }
  if (isUnmet(state) && condition.result === 'SKIP') {
    settle(draft, execution.id, { ...run, skipped: true });
    passOn(draft, execution.id, run.stage);
  }
  return conditionPassed(state);
}

/** Starts what is due of the lowest group that is not through (CP-X-19). True while any action is still to succeed. */
function startNextGroup(draft: Draft, execution: Execution, run: StageRun, stage: StageDeclaration): boolean {
  const runs = new Map(run.actions.map((action) => [action.action, action]));
  const open = stage.actions.filter((action) => runs.get(action.name)?.status !== 'Succeeded');
  if (open.length === 0) return false;
  const group = Math.min(...open.map((action) => action.runOrder));
  const missing = open.filter((action) => action.runOrder === group && !runs.has(action.name));
  const running = run.actions.filter((action) => action.status === 'InProgress').length;
  const room = execution.mode === 'PARALLEL' ? maxParallelActions - running : missing.length;
  startActions(draft, execution.id, stage.name, missing.slice(0, Math.max(0, room)));
  return true;
}

/** False while the success condition runs or holds the execution back (CP-C-7). */
function successPassed(draft: Draft, execution: Execution, run: StageRun, stage: StageDeclaration): boolean {
  const condition = withRules(stage.onSuccess?.conditions);
  if (!condition || execution.type === 'ROLLBACK') return true;
  const state = run.conditions?.onSuccess;
  if (!state) {
    startCondition(draft, execution.id, run, 'onSuccess', condition);
    return false;
  }
  if (!isUnmet(state) || condition.result !== 'ROLLBACK') return conditionPassed(state);
  settle(draft, execution.id, run);
  const summary = `The success condition of stage ${stage.name} was not met: ${condition.rules.map((rule) => rule.name).join(', ')}.`;
  putExecution(draft, { ...executionOf(draft, execution.id), ending: { as: 'Failed', at: draft.at, summary } });
  rollBackAutomatically(draft, execution.id, stage.name);
  return false;
}

function succeed(draft: Draft, execution: Execution, run: StageRun): void {
  settle(draft, execution.id, run);
  // A rollback is no target for a later rollback (CP-X-53).
  if (execution.type === 'STANDARD') markSucceeded(draft, execution, run.stage);
  passOn(draft, execution.id, run.stage);
}

/** A late finisher in PARALLEL mode does not push back a newer success. */
export function markSucceeded(draft: Draft, execution: Execution, stage: string): void {
  const latest = bookOf(draft, stage).latestSucceeded;
  const known = latest === undefined ? undefined : draft.executions[latest];
  if (!known || known.order <= execution.order) patchBook(draft, stage, { latestSucceeded: execution.id });
}

export function passOn(draft: Draft, id: ExecutionId, from: string): void {
  const execution = executionOf(draft, id);
  const definition = definitionOf(draft, execution);
  if (isLastStage(from, execution, definition)) return;
  const next = definition.stages[definition.stages.findIndex((stage) => stage.name === from) + 1];
  if (next) arrive(draft, id, next.name);
}

/** Running siblings are left to finish (CP-X-20), then `onFailure` decides (CP-X-50, CP-X-57, CP-C-3). */
function afterFailure(draft: Draft, execution: Execution, run: StageRun, stage: StageDeclaration): void {
  if (hasRunningActions(run)) return;
  const result = failureResult(stage);
  const wantsRollback = result === 'ROLLBACK' && execution.type === 'STANDARD';
  const wantsRetry = result === 'RETRY' && mayStillRetry(run, stage);
  const condition = withRules(stage.onFailure?.conditions);
  const state = run.conditions?.onFailure;
  if (condition && (wantsRollback || wantsRetry)) {
    if (!state) return startCondition(draft, execution.id, run, 'onFailure', condition);
    if (hasRunningRules(run)) return;
  }
  const isEngaged = condition === undefined || (state !== undefined && conditionPassed(state));
  if (wantsRetry && isEngaged) {
    const mode = stage.onFailure?.retryConfiguration?.retryMode ?? 'ALL_ACTIONS';
    return beginRetry(draft, execution.id, run, mode, 'automatic');
  }
  settle(draft, execution.id, run);
  if (wantsRollback && isEngaged) rollBackAutomatically(draft, execution.id, stage.name);
}

/** The list holds at most one; a condition without rules has nothing to say. */
function withRules(conditions: readonly Condition[] | undefined): Condition | undefined {
  return conditions?.find((condition) => condition.rules.length > 0);
}
