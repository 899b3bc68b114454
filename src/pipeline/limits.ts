import { definitionOf, type Draft } from './draft.ts';
import { isTerminal, executionStatus } from './status.ts';

/** Live executions in QUEUED or PARALLEL mode (CP-X-10), here in one lane. */
export const maxLiveExecutions = 50;

/** Actions in progress at once in one PARALLEL execution (CP-X-21). */
export const maxParallelActions = 5;

/** A transition that was disabled for longer lets nobody go on (CP-X-27). */
export const longestHoldInDays = 30;

export function liveCount(draft: Draft): number {
  return Object.values(draft.executions).filter(
    (execution) => !isTerminal(executionStatus(execution, definitionOf(draft, execution))),
  ).length;
}
