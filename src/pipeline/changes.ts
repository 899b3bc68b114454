import type { ActionExecutionId, Execution, ExecutionId, StageRun } from './execution.ts';
import type { PipelineState, StageBook } from './protocol.ts';
import { attemptsOf, executionStatus, stageStatus } from './status.ts';

/**
 * What became different between two states of one lane. Reports, events and audit rows derive from it.
 * Every execution that is not the same as before has exactly one `execution` change; `from` equals `to` when its status
 * stayed and only something inside it moved.
 */
export type Change =
  | { readonly kind: 'execution'; readonly execution: ExecutionId; readonly from?: string; readonly to: string }
  | {
      readonly kind: 'stage';
      readonly execution: ExecutionId;
      readonly stage: string;
      readonly attempt: number;
      readonly from?: string;
      readonly to: string;
    }
  | {
      readonly kind: 'action';
      readonly execution: ExecutionId;
      readonly stage: string;
      readonly action: string;
      readonly id: ActionExecutionId;
      readonly attempt: number;
      readonly from?: string;
      readonly to: string;
    }
  | {
      readonly kind: 'transition';
      readonly stage: string;
      readonly transition: 'Inbound' | 'Outbound';
      readonly enabled: boolean;
    };

/** Derived from two states, never emitted by a rule: a rule would forget the execution that was overtaken. */
export function changes(before: PipelineState, after: PipelineState): readonly Change[] {
  const executions = Object.values(after.executions)
    .filter((execution) => execution !== before.executions[execution.id])
    .toSorted((a, b) => a.order - b.order);
  return [
    ...executions.flatMap((execution) => changesOf(before, after, execution)),
    ...Object.entries(after.stages).flatMap(([stage, book]) => settingsOf(stage, before.stages[stage], book)),
  ];
}

function changesOf(before: PipelineState, after: PipelineState, execution: Execution): Change[] {
  const old = before.executions[execution.id];
  const from = old && statusIn(before, old);
  const to = statusIn(after, execution);
  return [
    { kind: 'execution', execution: execution.id, ...(from !== undefined && { from }), to },
    ...execution.stages.flatMap((run) => stageChanges(before, after, old, execution, run)),
  ];
}

function stageChanges(
  before: PipelineState,
  after: PipelineState,
  old: Execution | undefined,
  execution: Execution,
  run: StageRun,
): Change[] {
  const oldRun = old?.stages.find((other) => other.stage === run.stage);
  const from = old && oldRun && stageStatusIn(before, old, oldRun);
  const to = stageStatusIn(after, execution, run);
  const address = { execution: execution.id, stage: run.stage };
  const stage: Change = { kind: 'stage', ...address, attempt: run.attempt, ...(from !== undefined && { from }), to };
  const statuses = new Map(oldRun && attemptsOf(oldRun).map(({ id, status }) => [id, status]));
  const attempts = run === oldRun ? [] : attemptsOf(run);
  const actions = attempts.flatMap((action): Change[] => {
    const known = statuses.get(action.id);
    if (known === action.status) return [];
    const { action: name, id, attempt, status } = action;
    const since = known === undefined ? {} : { from: known };
    return [{ kind: 'action', ...address, action: name, id, attempt, ...since, to: status }];
  });
  const isSame = from === to && oldRun?.attempt === run.attempt;
  return isSame ? actions : [stage, ...actions];
}

function statusIn(state: PipelineState, execution: Execution): string {
  const definition = state.definitions[execution.definition];
  return definition ? executionStatus(execution, definition) : 'InProgress';
}

function stageStatusIn(state: PipelineState, execution: Execution, run: StageRun): string {
  const definition = state.definitions[execution.definition];
  return definition ? stageStatus(run, execution, definition) : 'InProgress';
}

function settingsOf(stage: string, before: StageBook | undefined, after: StageBook): Change[] {
  const changed: Change[] = [];
  if (before?.inboundTransition !== after.inboundTransition) {
    changed.push({
      kind: 'transition',
      stage,
      transition: 'Inbound',
      enabled: after.inboundTransition?.enabled ?? true,
    });
  }
  if (before?.outboundTransition !== after.outboundTransition) {
    const enabled = after.outboundTransition?.enabled ?? true;
    changed.push({ kind: 'transition', stage, transition: 'Outbound', enabled });
  }
  return changed;
}
