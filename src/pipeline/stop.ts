import { abandonRunning } from './actions.ts';
import { abandonRules } from './conditions.ts';
import { definitionOf, putExecution, refuse, type Draft, type Verdict } from './draft.ts';
import type { Execution } from './execution.ts';
import type { PipelineCommand } from './protocol.ts';
import { endWaiting } from './stage-occupancy.ts';
import { executionStatus, isTerminal } from './status.ts';

type StopCommand = Extract<PipelineCommand, { kind: 'stop' }>;

/** Stop and wait, or stop and abandon (CP 2.6). Waiting at an entrance, it is Stopped at once (CP-X-31). */
export function stopExecution(draft: Draft, command: StopCommand): Verdict {
  const execution = draft.executions[command.execution];
  if (!execution) return notStoppable(`Execution ${command.execution} is not known here.`);
  const status = executionStatus(execution, definitionOf(draft, execution));
  const isHarder = command.abandon && execution.stop?.abandon === false;
  if (status === 'Stopping' && !isHarder) return duplicated(draft, execution);
  if (isTerminal(status)) return notStoppable(`Execution ${execution.id} is ${status} already.`);
  putExecution(draft, { ...execution, stop: stopOf(draft, command, execution.stop) });
  endWaiting(draft, execution.id);
  if (command.abandon) {
    abandonRunning(draft, execution.id);
    abandonRules(draft, execution.id);
  }
  draft.due.add(execution.id);
  return 'moved';
}

/** An abandon without a reason of its own keeps that of the stop before it. */
function stopOf(draft: Draft, command: StopCommand, before: Execution['stop']): NonNullable<Execution['stop']> {
  const { abandon, reason = before?.reason } = command;
  return { abandon, at: draft.at, by: draft.given.by, ...(reason !== undefined && { reason }) };
}

function notStoppable(message: string): Verdict {
  return refuse('PipelineExecutionNotStoppableException', 'CP-X-34', message);
}

function duplicated(draft: Draft, execution: Execution): Verdict {
  const message =
    `The execution with ID ${execution.id} in ${draft.before.pipeline} is already in a stopping state. ` +
    'If you already chose to stop and wait, you cannot make that request again. You can choose to stop and abandon ' +
    'now, but be aware that this option can lead to failed actions. If you already chose to stop and abandon, you ' +
    'cannot make that request again.';
  return refuse('DuplicatedStopRequestException', 'CP-X-33', message);
}
