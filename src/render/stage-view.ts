import type { ActionDeclaration, StageDeclaration } from '../pipeline/definition.ts';
import type { ActionRun, Ending, StageRun } from '../pipeline/execution.ts';
import { executionStatus, isBusy, stageStatus, waitingApprovals } from '../pipeline/status.ts';
import type { Channel } from '../commands/gate-policy.ts';
import { own, type ExecutionView } from './view.ts';

/** What a stage, or the whole execution, is doing, in the few kinds that people are told apart by. */
export type Phase =
  | { readonly kind: 'not-reached' }
  | { readonly kind: 'queued' }
  /** At the entrance of this stage. */
  | { readonly kind: 'entrance'; readonly stage: string }
  | { readonly kind: 'running' }
  /** Something failed already and other actions still run. */
  | { readonly kind: 'failing' }
  | { readonly kind: 'stopping' }
  | { readonly kind: 'gate'; readonly gates: readonly WaitingGate[] }
  | { readonly kind: 'succeeded' | 'failed' | 'stopped' | 'skipped' }
  | { readonly kind: 'superseded'; readonly bySha?: string }
  | { readonly kind: 'cancelled'; readonly why: string };

export interface WaitingGate {
  readonly stage: string;
  readonly action: string;
  readonly run: ActionRun;
  readonly declared: ActionDeclaration | undefined;
}

export interface StageView {
  readonly name: string;
  readonly declared: StageDeclaration;
  readonly run?: StageRun;
  readonly phase: Phase;
}

/** The stages in the order of the declaration; a rollback has only the one that it runs (CP-X-51). */
export function stagesOf(view: ExecutionView): readonly StageView[] {
  const declared = view.definition.stages.filter(
    ({ name }) =>
      view.execution.type !== 'ROLLBACK' ||
      view.execution.waitingAt === name ||
      view.execution.stages.some((run) => run.stage === name),
  );
  return declared.map((stage) => {
    const run = view.execution.stages.find((one) => one.stage === stage.name);
    const phase = concluded(view, stagePhase(view, stage.name, run));
    return { name: stage.name, declared: stage, ...(run ? { run } : {}), phase };
  });
}

/** Where the execution as a whole is. */
export function executionPhase(view: ExecutionView): Phase {
  const { execution, definition } = view;
  const status = executionStatus(execution, definition);
  const gates = gatesOf(view);
  switch (status) {
    case 'InProgress':
      if (gates.length > 0) return { kind: 'gate', gates };
      if (execution.waitingAt !== undefined) return { kind: 'entrance', stage: execution.waitingAt };
      return { kind: execution.stages.length === 0 ? 'queued' : 'running' };
    case 'Failed':
      return { kind: isBusy(execution) ? 'failing' : 'failed' };
    case 'Superseded':
      return superseded(view);
    case 'Cancelled':
      return { kind: 'cancelled', why: endingReason(execution.ending) };
    case 'Stopping':
      return { kind: 'stopping' };
    case 'Stopped':
      return { kind: 'stopped' };
    case 'Succeeded':
      return { kind: 'succeeded' };
    default:
      return status satisfies never;
  }
}

/** Whatever an engine left open, an execution that has ended ends its check runs. */
function concluded(view: ExecutionView, phase: Phase): Phase {
  if (!openKinds.has(phase.kind)) return phase;
  const whole = executionPhase(view);
  return openKinds.has(whole.kind) ? phase : whole;
}

const openKinds: ReadonlySet<Phase['kind']> = new Set<Phase['kind']>([
  'queued',
  'entrance',
  'running',
  'failing',
  'stopping',
  'gate',
]);

function stagePhase(view: ExecutionView, stage: string, run: StageRun | undefined): Phase {
  if (!run) return unenteredPhase(view, stage);
  const status = stageStatus(run, view.execution, view.definition);
  const gates = gatesOf(view).filter((gate) => gate.stage === stage);
  switch (status) {
    case 'InProgress':
      return gates.length > 0 ? { kind: 'gate', gates } : { kind: 'running' };
    case 'Failed':
      return { kind: run.endedAt === undefined && isRunning(run) ? 'failing' : 'failed' };
    case 'Stopping':
      return { kind: 'stopping' };
    case 'Stopped':
      return view.execution.ending?.as === 'Superseded' ? superseded(view) : { kind: 'stopped' };
    case 'Cancelled':
      return { kind: 'cancelled', why: endingReason(view.execution.ending) };
    case 'Succeeded':
      return { kind: 'succeeded' };
    case 'Skipped':
      return { kind: 'skipped' };
    default:
      return status satisfies never;
  }
}

/**
 * A stage at whose entrance an execution waited may have a check run already, and once the execution has ended nothing
 * tells whether it has: so that one concludes with the execution instead of hanging for ever.
 */
function unenteredPhase(view: ExecutionView, stage: string): Phase {
  const { execution } = view;
  if (execution.waitingAt === stage) return { kind: 'entrance', stage };
  const phase = stage === nextStage(view) ? executionPhase(view) : undefined;
  if (phase?.kind === 'superseded' || phase?.kind === 'cancelled' || phase?.kind === 'stopped') return phase;
  return { kind: 'not-reached' };
}

/** The stage that would have been next, if the last entered one let it go on. */
function nextStage({ execution, definition }: ExecutionView): string | undefined {
  const last = execution.stages.at(-1);
  if (!last) return definition.stages[0]?.name;
  const status = stageStatus(last, execution, definition);
  if (status !== 'Succeeded' && status !== 'Skipped') return undefined;
  return definition.stages[definition.stages.findIndex((stage) => stage.name === last.stage) + 1]?.name;
}

function gatesOf(view: ExecutionView): readonly WaitingGate[] {
  return waitingApprovals(view.execution).flatMap((gate) => {
    const run = view.execution.stages.flatMap((stage) => stage.actions).find((one) => one.id === gate.id);
    const stage = view.definition.stages.find((one) => one.name === gate.stage);
    const declared = stage?.actions.find((action) => action.name === gate.action);
    return run ? [{ stage: gate.stage, action: gate.action, run, declared }] : [];
  });
}

function superseded(view: ExecutionView): Phase {
  const { ending } = view.execution;
  const sha = ending?.as === 'Superseded' ? (ending.by.sha ?? view.supersededBySha) : view.supersededBySha;
  return { kind: 'superseded', ...(sha === undefined ? {} : { bySha: sha }) };
}

function endingReason(ending: Ending | undefined): string {
  return ending?.as === 'Cancelled' ? ending.why : '';
}

function isRunning(run: StageRun): boolean {
  return run.actions.some((action) => action.status === 'InProgress');
}

export function failedActions(run: StageRun | undefined): readonly ActionRun[] {
  return run?.actions.filter((action) => action.status === 'Failed') ?? [];
}

/** The stage that a failed or stopped execution stands in. */
export function endedStage(view: ExecutionView): StageView | undefined {
  return stagesOf(view).findLast((stage) => stage.phase.kind === 'failed' || stage.phase.kind === 'stopped');
}

/** Whether the gate's policy takes answers given in this way. */
export function takes(view: Pick<ExecutionView, 'gates'>, { stage, action }: WaitingGate, channel: Channel): boolean {
  return own(view.gates, `${stage}/${action}`)?.channels?.includes(channel) ?? true;
}
