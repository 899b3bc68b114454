import { timeoutMinutes } from './action-types.ts';
import type { ActionDeclaration } from './definition.ts';
import { executionOf, putRun, runOf, type Draft } from './draft.ts';
import type { ActionError, ActionRun, Execution, ExecutionId, StageRun } from './execution.ts';
import { actionExecutionId } from './ids.ts';

/** Starting and ending single attempts of actions. */

/** All that is due of a group at once: one new stage run, however many actions there are. */
export function startActions(
  draft: Draft,
  id: ExecutionId,
  stage: string,
  actions: readonly ActionDeclaration[],
): void {
  const run = runOf(draft, id, stage);
  if (!run || actions.length === 0) return;
  const attempts = new Map(run.earlier?.map(({ action, attempt }) => [action, attempt]));
  const started = actions.map((action) => begin(draft, { id, stage }, action, (attempts.get(action.name) ?? 0) + 1));
  putRun(draft, id, { ...run, actions: [...run.actions, ...started] });
}

function begin(
  draft: Draft,
  { id, stage }: { readonly id: ExecutionId; readonly stage: string },
  action: ActionDeclaration,
  attempt: number,
): ActionRun {
  const { name } = action;
  const actionId = actionExecutionId(draft.given.seed, id, stage, name, attempt);
  const deadline = new Date(draft.given.at.getTime() + timeoutMinutes(action) * 60_000).toISOString();
  const address = { execution: id, stage, action: name, attempt, id: actionId };
  draft.effects.push({ kind: 'start-action', ...address }, { kind: 'watch-deadline', ...address, at: deadline });
  return {
    action: name,
    id: actionId,
    attempt,
    status: 'InProgress',
    phase: 'starting',
    startedAt: draft.at,
    deadline,
    ...(action.actionTypeId.category === 'Approval' && { token: actionId }),
  };
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
    const running = run.actions.filter((action) => action.status === 'InProgress');
    if (running.length === 0) continue;
    putRun(draft, id, { ...run, actions: run.actions.map(abandoned(draft)) });
    for (const { action, attempt, id: actionId, token } of running) {
      if (token !== undefined) continue;
      draft.effects.push({ kind: 'stop-action', execution: id, stage: run.stage, action, attempt, id: actionId });
    }
  }
}

function abandoned(draft: Draft): (action: ActionRun) => ActionRun {
  return (action) => {
    if (action.status !== 'InProgress') return action;
    const ended: ActionRun = { ...action, phase: 'ended', endedAt: draft.at, status: 'Abandoned' };
    return action.token === undefined ? ended : { ...ended, summary: canceledApproval };
  };
}
