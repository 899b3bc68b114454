import { abandonRules, putCondition } from './conditions.ts';
import {
  bookOf,
  definitionOf,
  executionOf,
  putExecution,
  putRun,
  refuse,
  runOf,
  stageOf,
  without,
  type Draft,
  type Verdict,
} from './draft.ts';
import type { ConditionKind, ConditionRun, Execution } from './execution.ts';
import { fullText, isFull } from './limits.ts';
import type { PipelineCommand } from './protocol.ts';
import { markSucceeded, passOn } from './stage-flow.ts';
import { conditionStatus, executionStatus, isTerminal } from './status.ts';

type OverrideCommand = Extract<PipelineCommand, { kind: 'override' }>;

/** Lets an execution go on although a condition waits or was not met (CP-C-10 to CP-C-12). */
export function overrideCondition(draft: Draft, command: OverrideCommand): Verdict {
  const execution = draft.executions[command.execution];
  if (!execution) {
    return refuse('PipelineExecutionNotFoundException', 'CP-C-12', `Execution ${command.execution} is not known here.`);
  }
  const stage = stageOf(draft, execution, command.stage);
  if (!stage) return refuse('StageNotFoundException', 'CP-C-12', `The pipeline has no stage named '${command.stage}'.`);
  const kind: ConditionKind = command.condition === 'BEFORE_ENTRY' ? 'beforeEntry' : 'onSuccess';
  const run = runOf(draft, execution.id, command.stage);
  const condition = run?.conditions?.[kind];
  const result = stage[kind]?.conditions[0]?.result;
  if (!run || !condition || result === 'SKIP' || !canBeOverridden(execution, condition)) {
    return refuse('ConditionNotOverridableException', 'CP-C-12', notOverridable(command, result));
  }
  const refusal = whyNotNow(draft, execution, command);
  if (refusal) return refusal;
  override(draft, execution, command.stage, kind, result === 'ROLLBACK');
  return 'moved';
}

function whyNotNow(draft: Draft, execution: Execution, command: OverrideCommand): Verdict | undefined {
  if (execution.mode !== 'PARALLEL' && bookOf(draft, command.stage).latestEntered !== execution.id) {
    const message = `A newer execution has entered stage '${command.stage}'; only the latest one there can be overridden.`;
    return refuse('NotLatestPipelineExecutionException', 'CP-C-12', message);
  }
  if (draft.current !== undefined && draft.current !== execution.definition && execution.mode !== 'PARALLEL') {
    const message = 'The pipeline was updated since this execution started. Start a new execution.';
    return refuse('ConditionNotOverridableException', 'CP-C-12', message);
  }
  const isOver = isTerminal(executionStatus(execution, definitionOf(draft, execution)));
  if (isOver && isFull(draft, execution.mode)) {
    return refuse('ConcurrentPipelineExecutionsLimitExceededException', 'CP-C-12', fullText);
  }
  return undefined;
}

/** While its rules wait, and after it was not met, unless the execution ended for another reason. */
function canBeOverridden(execution: Execution, condition: ConditionRun): boolean {
  const status = conditionStatus(condition);
  if (status !== 'InProgress' && status !== 'Failed' && status !== 'Errored') return false;
  const isOwnEnd = execution.ending === undefined || execution.ending.as === 'Failed';
  return isOwnEnd && !execution.stop && !execution.cancel;
}

function notOverridable(command: OverrideCommand, result: string | undefined): string {
  if (result === 'SKIP') return `A condition of stage '${command.stage}' that skips cannot be overridden.`;
  return `Stage '${command.stage}' has no ${command.condition} condition that waits or was not met.`;
}

function override(draft: Draft, execution: Execution, stage: string, kind: ConditionKind, wasRollback: boolean): void {
  abandonRules(draft, execution.id);
  const run = runOf(draft, execution.id, stage);
  const condition = run?.conditions?.[kind];
  if (!run || !condition) return;
  const overridden = { at: draft.at, by: draft.given.by };
  putCondition(draft, execution.id, run, kind, { ...condition, overridden });
  const settledRun = runOf(draft, execution.id, stage);
  if (execution.ending) putExecution(draft, without(executionOf(draft, execution.id), 'ending'));
  // After ROLLBACK the stage stands as Succeeded; only the way on was closed (CP-C-11).
  if (wasRollback && run.endedAt !== undefined) {
    markSucceeded(draft, execution, stage);
    return passOn(draft, execution.id, stage);
  }
  if (settledRun?.endedAt !== undefined) putRun(draft, execution.id, without(settledRun, 'endedAt'));
  draft.due.add(execution.id);
}
