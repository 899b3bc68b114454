import type { ConditionResult, PipelineDefinition, StageDeclaration } from './definition.ts';
import type {
  ActionExecutionId,
  ActionRun,
  ConditionRun,
  ConditionStatus,
  Execution,
  ExecutionStatus,
  StageRun,
  StageStatus,
} from './execution.ts';

/** The status machines of CP 2.12, computed from what an execution holds. */

export function executionStatus(execution: Execution, definition: PipelineDefinition): ExecutionStatus {
  if (execution.ending) return execution.ending.as;
  if (execution.stop) return isBusy(execution) ? 'Stopping' : 'Stopped';
  const last = execution.stages.at(-1);
  if (!last) return 'InProgress';
  const status = stageStatus(last, execution, definition);
  if (status === 'Failed') return 'Failed';
  const isOver = status === 'Succeeded' || status === 'Skipped';
  return isOver && isLastStage(last.stage, execution, definition) ? 'Succeeded' : 'InProgress';
}

/** A stage is Failed at its first failed action, also while siblings still run (CP-X-20). */
export function stageStatus(run: StageRun, execution: Execution, definition: PipelineDefinition): StageStatus {
  if (run.skipped) return 'Skipped';
  if (run.cancelled) return 'Cancelled';
  if (run.stopped) return 'Stopped';
  const isOpen = run.endedAt === undefined;
  if (isOpen && execution.stop) return 'Stopping';
  if (isOpen && execution.cancel) return 'InProgress';
  const stage = declaredStage(definition, run.stage);
  if (hasFailed(run, stage)) return isOpen && mayStillRetry(run, stage) ? 'InProgress' : 'Failed';
  return isOpen ? 'InProgress' : 'Succeeded';
}

export function conditionStatus(condition: ConditionRun): ConditionStatus {
  if (condition.overridden) return 'Overridden';
  if (condition.cancelled) return 'Cancelled';
  const has = (status: string) => condition.rules.some((rule) => rule.status === status);
  if (has('InProgress')) return 'InProgress';
  if (has('Abandoned')) return 'Abandoned';
  if (condition.rules.some((rule) => rule.errored)) return 'Errored';
  return has('Failed') ? 'Failed' : 'Succeeded';
}

/** Succeeded, Superseded and Cancelled are final; Failed and Stopped can be left by a retry only. */
export function isTerminal(status: ExecutionStatus): boolean {
  return status !== 'InProgress' && status !== 'Stopping';
}

/** Whether facts may still come for it or it may still move: also a failed execution whose other actions still run. */
export function isLive(execution: Execution, definition: PipelineDefinition): boolean {
  return isBusy(execution) || !isTerminal(executionStatus(execution, definition));
}

/** Approvals that wait for a person, in the order of the declaration. */
export function waitingApprovals(
  execution: Execution,
): { stage: string; action: string; token: string; id: ActionExecutionId }[] {
  return execution.stages.flatMap((run) =>
    run.actions.flatMap(({ status, phase, token, id, action }) =>
      status === 'InProgress' && phase === 'waiting' && token !== undefined
        ? [{ stage: run.stage, action, token, id }]
        : [],
    ),
  );
}

/** Every attempt of the stage's actions, those that a retry replaced first. */
export function attemptsOf(run: StageRun): readonly ActionRun[] {
  return run.earlier ? [...run.earlier, ...run.actions] : run.actions;
}

/** An action or a rule of it is in progress. */
export function isBusy(execution: Execution): boolean {
  const last = execution.stages.at(-1);
  return last !== undefined && isRunBusy(last);
}

export function isRunBusy(run: StageRun): boolean {
  return hasRunningActions(run) || hasRunningRules(run);
}

export function hasRunningActions(run: StageRun): boolean {
  return run.actions.some((action) => action.status === 'InProgress');
}

export function hasRunningRules(run: StageRun): boolean {
  const conditions = Object.values(run.conditions ?? {});
  return conditions.some((condition) => condition.rules.some((rule) => rule.status === 'InProgress'));
}

/** An action failed, or a condition whose result is FAIL was not met (CP-C-6, CP-C-7). */
export function hasFailed(run: StageRun, stage: StageDeclaration | undefined): boolean {
  if (run.actions.some((action) => action.status === 'Failed')) return true;
  const { beforeEntry, onSuccess } = run.conditions ?? {};
  if (beforeEntry && isUnmet(beforeEntry) && stage?.beforeEntry?.conditions[0]?.result !== 'SKIP') return true;
  return onSuccess !== undefined && isUnmet(onSuccess) && stage?.onSuccess?.conditions[0]?.result !== 'ROLLBACK';
}

export function isUnmet(condition: ConditionRun): boolean {
  const status = conditionStatus(condition);
  return status === 'Failed' || status === 'Errored';
}

/** The automatic retry of the stage is declared, not used, and its condition (if any) not yet answered with no (CP-X-50). */
export function mayStillRetry(run: StageRun, stage: StageDeclaration | undefined): boolean {
  if (failureResult(stage) !== 'RETRY' || (run.retries?.automatic ?? 0) > 0) return false;
  const condition = run.conditions?.onFailure;
  return condition === undefined || !isUnmet(condition);
}

/** `onFailure` may say its result itself or inside its condition. */
export function failureResult(stage: StageDeclaration | undefined): ConditionResult | undefined {
  return stage?.onFailure?.result ?? stage?.onFailure?.conditions?.[0]?.result;
}

export function declaredStage(definition: PipelineDefinition, name: string): StageDeclaration | undefined {
  return definition.stages.find((stage) => stage.name === name);
}

/** A rollback runs one stage only (CP-X-51). */
export function isLastStage(stage: string, execution: Execution, definition: PipelineDefinition): boolean {
  return execution.type === 'ROLLBACK' || definition.stages.at(-1)?.name === stage;
}
