import type { ExecutionMode } from './definition.ts';
import { definitionOf, type Draft } from './draft.ts';
import type { Execution } from './execution.ts';
import { isTerminal, executionStatus } from './status.ts';

/** Live executions in QUEUED or PARALLEL mode (CP-X-10), here in one lane. */
const maxLiveExecutions = 50;

/** Actions in progress at once in one PARALLEL execution (CP-X-21). */
export const maxParallelActions = 5;

/** A transition that was disabled for longer lets nobody go on (CP-X-27). */
export const longestHoldInDays = 30;

/** Whether one more of this mode would be too many (CP-X-10, CP-X-46, CP-C-12). */
export function isFull(draft: Draft, mode: ExecutionMode): boolean {
  if (mode === 'SUPERSEDED') return false;
  const isLive = (execution: Execution) => !isTerminal(executionStatus(execution, definitionOf(draft, execution)));
  return Object.values(draft.executions).filter(isLive).length >= maxLiveExecutions;
}

export const fullText = `${maxLiveExecutions} executions of this pipeline are in progress already. Wait until one has ended, or stop one.`;
