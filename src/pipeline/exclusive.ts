import { executionOf, putExecution, without, type Draft } from './draft.ts';
import type { Execution, ExecutionId } from './execution.ts';

/**
 * Stages with one lock over all lanes (design section 4). The queue itself is the shell's: this lane asks for the lock
 * when everything else lets the execution in, so that nobody holds it before a closed gate.
 */

export function needsLock(execution: Execution, stage: string): boolean {
  const isExclusive = execution.exclusive?.includes(stage) ?? false;
  return isExclusive && !(execution.lock?.stage === stage && execution.lock.state === 'held');
}

export function requestLock(draft: Draft, id: ExecutionId, stage: string): void {
  const execution = executionOf(draft, id);
  if (execution.lock?.stage === stage) return;
  putExecution(draft, { ...execution, lock: { stage, state: 'requested' } });
  draft.effects.push({ kind: 'request-lock', execution: id, stage });
}

export function giveUpLock(draft: Draft, id: ExecutionId): void {
  const execution = executionOf(draft, id);
  if (!execution.lock) return;
  draft.effects.push({ kind: 'release-lock', execution: id, stage: execution.lock.stage });
  putExecution(draft, without(execution, 'lock'));
}
