import { abandonRules, conditionPassed } from './conditions.ts';
import type { RetryMode } from './definition.ts';
import {
  bookOf,
  definitionOf,
  executionOf,
  patchBook,
  putExecution,
  putRun,
  refuse,
  runOf,
  stageOf,
  without,
  type Draft,
  type Verdict,
} from './draft.ts';
import type { ActionRun, ConditionKind, EarlierCondition, Execution, ExecutionId, StageRun } from './execution.ts';
import { fullText, isFull } from './limits.ts';
import type { PipelineCommand } from './protocol.ts';
import { executionStatus, hasRunningActions, stageStatus } from './status.ts';

type RetryCommand = Extract<PipelineCommand, { kind: 'retry' }>;

/** Runs a failed or stopped stage of the same execution again (CP 2.7). */
export function retryStage(draft: Draft, command: RetryCommand): Verdict {
  const execution = draft.executions[command.execution];
  if (!execution) {
    return refuse('PipelineExecutionNotFoundException', 'CP-X-39', `Execution ${command.execution} is not known here.`);
  }
  if (!stageOf(draft, execution, command.stage)) {
    return refuse('StageNotFoundException', 'CP-X-39', `The pipeline has no stage named '${command.stage}'.`);
  }
  const run = runOf(draft, execution.id, command.stage);
  const refusal = run ? whyNot(draft, execution, run, command) : notRetryable('CP-X-45', neverEntered(command));
  if (refusal || !run) return refusal ?? 'moved';
  beginRetry(draft, execution.id, run, command.mode, 'manual');
  return 'moved';
}

function whyNot(draft: Draft, execution: Execution, run: StageRun, command: RetryCommand): Verdict | undefined {
  const status = stageStatus(run, execution, definitionOf(draft, execution));
  const ended = executionStatus(execution, definitionOf(draft, execution));
  if ((status !== 'Failed' && status !== 'Stopped') || (ended !== 'Failed' && ended !== 'Stopped')) {
    const message = `Stage '${run.stage}' is ${status} and its execution is ${ended}; only a Failed or Stopped stage can be retried.`;
    return notRetryable('CP-X-39', message);
  }
  if (execution.mode !== 'PARALLEL' && bookOf(draft, run.stage).latestEntered !== execution.id) {
    const message = `A newer execution has entered stage '${run.stage}'; only the latest one there can be retried.`;
    return refuse('NotLatestPipelineExecutionException', 'CP-X-40', message);
  }
  if (draft.current !== undefined && draft.current !== execution.definition) {
    return notRetryable('CP-X-41', 'The pipeline was updated since this execution started. Start a new execution.');
  }
  if (command.mode === 'ALL_ACTIONS' && hasRunningActions(run)) {
    return notRetryable('CP-X-44', `Actions of stage '${run.stage}' are still in progress. Wait for them to end.`);
  }
  if (isFull(draft, execution.mode)) {
    return refuse('ConcurrentPipelineExecutionsLimitExceededException', 'CP-X-46', fullText);
  }
  return undefined;
}

function notRetryable(rule: string, message: string): Verdict {
  return refuse('StageNotRetryableException', rule, message);
}

function neverEntered(command: RetryCommand): string {
  return `Execution ${command.execution} never entered stage '${command.stage}', so there is nothing to retry.`;
}

/** The same execution id, new action execution ids; what succeeded stays unless ALL_ACTIONS (CP-X-43, CP-X-48). */
export function beginRetry(
  draft: Draft,
  id: ExecutionId,
  { stage }: StageRun,
  mode: RetryMode,
  by: 'manual' | 'automatic',
): void {
  abandonRules(draft, id);
  const run = runOf(draft, id, stage);
  if (!run) return;
  const kept = mode === 'ALL_ACTIONS' ? [] : run.actions.filter(isKept);
  const entry = run.conditions?.beforeEntry;
  const keepsEntry = entry !== undefined && conditionPassed(entry);
  const replaced = replacedConditions(run, keepsEntry);
  putExecution(draft, without(executionOf(draft, id), 'stop', 'cancel', 'ending'));
  putRun(draft, id, {
    stage,
    attempt: run.attempt + 1,
    startedAt: draft.at,
    actions: kept,
    earlier: [...(run.earlier ?? []), ...run.actions.filter((action) => !kept.includes(action))],
    retries: countRetry(run, by),
    ...(keepsEntry && { conditions: { beforeEntry: entry } }),
    ...(replaced.length > 0 && { earlierConditions: replaced }),
  });
  patchBook(draft, stage, { latestEntered: id });
  draft.due.add(id);
}

function isKept(action: ActionRun): boolean {
  return action.status === 'Succeeded' || action.status === 'InProgress';
}

function replacedConditions(run: StageRun, keepsEntry: boolean): EarlierCondition[] {
  const kinds: ConditionKind[] = keepsEntry ? ['onSuccess', 'onFailure'] : ['beforeEntry', 'onSuccess', 'onFailure'];
  const now = kinds.flatMap((kind) => {
    const condition = run.conditions?.[kind];
    return condition ? [{ ...condition, kind, attempt: run.attempt }] : [];
  });
  return [...(run.earlierConditions ?? []), ...now];
}

function countRetry(run: StageRun, by: 'manual' | 'automatic'): NonNullable<StageRun['retries']> {
  const { manual, automatic } = run.retries ?? { manual: 0, automatic: 0 };
  return by === 'manual'
    ? { manual: manual + 1, automatic, latest: 'ManualStageRetry' }
    : { manual, automatic: automatic + 1, latest: 'AutomatedStageRetry' };
}
