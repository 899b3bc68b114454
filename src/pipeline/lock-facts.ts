import { executionOf, putExecution, type Draft, type Verdict } from './draft.ts';
import { giveUpLock } from './exclusive.ts';
import type { LockFact } from './fact.ts';
import { isEntryOpen } from './stage-occupancy.ts';

export function lockQueued(draft: Draft, fact: LockFact & { kind: 'lock-queued' }): Verdict {
  const lock = draft.executions[fact.execution]?.lock;
  if (lock?.stage !== fact.stage || lock.state === 'held') return { ignored: notWaiting(fact) };
  if (lock.place === fact.place) return { ignored: `Execution ${fact.execution} is at place ${fact.place} already.` };
  putExecution(draft, { ...executionOf(draft, fact.execution), lock: { ...lock, place: fact.place } });
  return 'moved';
}

/**
 * A lock that comes too late goes back: for somebody who left (requests and releases may overtake each other), and for
 * somebody whose gate closed meanwhile; that one asks again later.
 */
export function lockGranted(draft: Draft, fact: LockFact & { kind: 'lock-granted' }): Verdict {
  const execution = draft.executions[fact.execution];
  if (execution?.lock?.stage !== fact.stage) {
    draft.effects.push({ kind: 'release-lock', execution: fact.execution, stage: fact.stage });
    return 'moved';
  }
  if (execution.lock.state === 'held') return { ignored: `Execution ${fact.execution} holds the lock already.` };
  if (execution.waitingAt === fact.stage && !isEntryOpen(draft, execution, fact.stage)) {
    giveUpLock(draft, execution.id);
    return 'moved';
  }
  putExecution(draft, { ...execution, lock: { stage: fact.stage, state: 'held' } });
  draft.due.add(execution.id);
  return 'moved';
}

function notWaiting(fact: LockFact): string {
  return `Execution ${fact.execution} does not wait for the lock of stage ${fact.stage}.`;
}
