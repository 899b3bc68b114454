import { timeoutMinutes } from './action-types.ts';
import type { ActionDeclaration } from './definition.ts';
import { executionOf, putRun, runOf, type Draft } from './draft.ts';
import type { ActionError, ActionRun, Execution, ExecutionId, StageRun } from './execution.ts';
import { actionExecutionId } from './ids.ts';

/** Starting and ending single attempts of actions. */

export function startAction(draft: Draft, id: ExecutionId, stage: string, action: ActionDeclaration): void {
  const run = runOf(draft, id, stage);
  if (!run) return;
  const before = run.earlier?.findLast((earlier) => earlier.action === action.name);
  const attempt = (before?.attempt ?? 0) + 1;
  const actionId = actionExecutionId(draft.given.seed, id, stage, action.name, attempt);
  const deadline = new Date(draft.given.at.getTime() + timeoutMinutes(action) * 60_000).toISOString();
  const started: ActionRun = {
    action: action.name,
    id: actionId,
    attempt,
    status: 'InProgress',
    phase: 'starting',
    startedAt: draft.at,
    deadline,
    ...(action.actionTypeId.category === 'Approval' && { token: actionId }),
  };
  putRun(draft, id, { ...run, actions: [...run.actions, started] });
  const address = { execution: id, stage, action: action.name, attempt, id: actionId };
  draft.effects.push({ kind: 'start-action', ...address }, { kind: 'watch-deadline', ...address, at: deadline });
}

export interface FoundAction {
  readonly execution: Execution;
  readonly run: StageRun;
  readonly action: ActionRun;
}

/** Looks for an attempt by its id; earlier attempts are not in the state any more. */
export function findAction(draft: Draft, execution: ExecutionId, id: string): FoundAction | undefined {
  const holder = draft.executions[execution];
  for (const run of holder?.stages ?? []) {
    const action = run.actions.find((other) => other.id === id);
    if (action && holder) return { execution: holder, run, action };
  }
  return undefined;
}

export function replaceAction(draft: Draft, found: FoundAction, action: ActionRun): void {
  const actions = found.run.actions.map((other) => (other.id === action.id ? action : other));
  putRun(draft, found.execution.id, { ...found.run, actions });
}

export function endAction(draft: Draft, found: FoundAction, patch: Partial<ActionRun>): void {
  replaceAction(draft, found, { ...found.action, phase: 'ended', endedAt: draft.at, ...patch });
}

export function failAction(draft: Draft, found: FoundAction, error: ActionError, patch: Partial<ActionRun> = {}): void {
  endAction(draft, found, { status: 'Failed', summary: error.message, error, ...patch });
}

export const canceledApproval = 'The approval action has been canceled.';

/** Ends everything in progress as Abandoned; approvals need nobody to stop them (CP-X-32, CP-X-36). */
export function abandonRunning(draft: Draft, id: ExecutionId): void {
  for (const run of executionOf(draft, id).stages) {
    for (const action of run.actions) {
      if (action.status === 'InProgress') abandonAction(draft, id, run, action);
    }
  }
}

function abandonAction(draft: Draft, id: ExecutionId, { stage }: StageRun, action: ActionRun): void {
  const found = findAction(draft, id, action.id);
  if (!found) return;
  const isApproval = action.token !== undefined;
  endAction(draft, found, { status: 'Abandoned', ...(isApproval && { summary: canceledApproval }) });
  if (isApproval) return;
  const { attempt, id: actionId } = action;
  draft.effects.push({ kind: 'stop-action', execution: id, stage, action: action.action, attempt, id: actionId });
}
