import {
  bookOf,
  definitionOf,
  executionOf,
  openRun,
  patchBook,
  putExecution,
  putRun,
  without,
  type Draft,
} from './draft.ts';
import { giveUpLock, needsLock, requestLock } from './exclusive.ts';
import type { Ending, Execution, ExecutionId } from './execution.ts';

/** Who stands before a stage and who is in it (CP 2.2). */

export function arrive(draft: Draft, id: ExecutionId, stage: string): void {
  const arriving = putExecution(draft, { ...executionOf(draft, id), waitingAt: stage });
  if (arriving.mode === 'SUPERSEDED') supersedeAt(draft, arriving, stage);
  if (executionOf(draft, id).ending) return;
  patchBook(draft, stage, { inbound: [...bookOf(draft, stage).inbound, id] });
}

/** One waiting place: the newer by start order keeps it (CP-X-13, CP-X-16). */
function supersedeAt(draft: Draft, arriving: Execution, stage: string): void {
  for (const id of bookOf(draft, stage).inbound) {
    const waiting = draft.executions[id];
    if (waiting?.mode !== 'SUPERSEDED') continue;
    const [older, newer] = waiting.order < arriving.order ? [waiting, arriving] : [arriving, waiting];
    endWaiting(draft, older.id, { as: 'Superseded', at: draft.at, by: { execution: newer.id } });
  }
}

/** Takes an execution from the entrance if it waits at one; inside a stage it keeps the lock that it holds there. */
export function endWaiting(draft: Draft, id: ExecutionId, ending?: Ending): void {
  if (executionOf(draft, id).waitingAt !== undefined) {
    leaveEntrance(draft, id);
    giveUpLock(draft, id);
  }
  if (ending) putExecution(draft, { ...executionOf(draft, id), ending });
}

function leaveEntrance(draft: Draft, id: ExecutionId): void {
  const execution = executionOf(draft, id);
  const stage = execution.waitingAt;
  if (stage === undefined) return;
  patchBook(draft, stage, { inbound: bookOf(draft, stage).inbound.filter((other) => other !== id) });
  putExecution(draft, without(execution, 'waitingAt'));
}

/** Lets in one more execution wherever one may enter. */
export function admitWaiting(draft: Draft): void {
  for (const stage of Object.keys(draft.stages)) admitOne(draft, stage);
}

/** The entry test of CP-X-14; entry conditions follow inside the stage, because they hold its lock (CP-X-15). */
function admitOne(draft: Draft, stage: string): void {
  for (const id of bookOf(draft, stage).inbound) {
    const execution = draft.executions[id];
    if (!execution) return;
    const mayEnter = isEntryOpen(draft, execution, stage);
    if (mayEnter && !needsLock(execution, stage)) {
      return enter(draft, execution, stage);
    }
    if (mayEnter) requestLock(draft, id, stage);
    if (execution.mode !== 'PARALLEL') return;
  }
}

export function isEntryOpen(draft: Draft, execution: Execution, stage: string): boolean {
  return isGateOpen(draft, execution, stage) && (execution.mode === 'PARALLEL' || !isOccupied(draft, stage));
}

/** Inbound of this stage and outbound of the one before it (CP-X-25, CP-X-26). */
function isGateOpen(draft: Draft, execution: Execution, stage: string): boolean {
  const stages = definitionOf(draft, execution).stages;
  const previous = stages[stages.findIndex((other) => other.name === stage) - 1];
  const inbound = bookOf(draft, stage).inboundTransition?.enabled ?? true;
  const outbound = previous === undefined ? true : (bookOf(draft, previous.name).outboundTransition?.enabled ?? true);
  return inbound && outbound;
}

/** Some execution is in the stage and not settled there; a failed one too, while its other actions still run. */
export function isOccupied(draft: Draft, stage: string): boolean {
  return Object.values(draft.executions).some((execution) => openRun(execution)?.stage === stage);
}

function enter(draft: Draft, execution: Execution, stage: string): void {
  leaveEntrance(draft, execution.id);
  occupy(draft, execution.id, stage);
}

export function occupy(draft: Draft, id: ExecutionId, stage: string): void {
  patchBook(draft, stage, { latestEntered: id });
  putRun(draft, id, { stage, attempt: 1, startedAt: draft.at, actions: [] });
  draft.due.add(id);
}
