import { abandonRunning } from './actions.ts';
import { abandonRules } from './conditions.ts';
import { definitionOf, executionOf, openRun, putExecution, refuse, type Draft, type Verdict } from './draft.ts';
import type { Ending } from './execution.ts';
import type { PipelineCommand } from './protocol.ts';
import { settle } from './stage-flow.ts';
import { endWaiting } from './stage-occupancy.ts';
import { executionStatus, isLive, isTerminal } from './status.ts';

type WithdrawCommand = Extract<PipelineCommand, { kind: 'withdraw' }>;

/**
 * A newer commit of the pull request, or its closing, ends the lane's older execution now (design section 4): other than
 * CodePipeline (CP-X-13) also when actions run. An answer to its gates is refused from here on.
 */
export function withdrawExecution(draft: Draft, command: WithdrawCommand): Verdict {
  const execution = draft.executions[command.execution];
  if (!execution) {
    return refuse('PipelineExecutionNotFoundException', 'CP-X-34', `Execution ${command.execution} is not known here.`);
  }
  const definition = definitionOf(draft, execution);
  if (!isLive(execution, definition)) return { ignored: `Execution ${execution.id} has ended already.` };
  const wasOver = isTerminal(executionStatus(execution, definition));
  endWaiting(draft, execution.id);
  abandonRunning(draft, execution.id);
  abandonRules(draft, execution.id);
  const open = openRun(executionOf(draft, execution.id));
  if (open) settle(draft, execution.id, wasOver ? open : { ...open, stopped: true });
  // A failed execution whose other actions still ran stays Failed.
  if (!wasOver) putExecution(draft, { ...executionOf(draft, execution.id), ending: endingOf(draft, command) });
  return 'moved';
}

function endingOf(draft: Draft, { because }: WithdrawCommand): Ending {
  switch (because.kind) {
    case 'newer-commit':
      return { as: 'Superseded', at: draft.at, by: { sha: because.sha } };
    case 'closed':
      return { as: 'Stopped', at: draft.at, why: `The pull request was ${because.merged ? 'merged' : 'closed'}.` };
    case 'base-changed':
      return { as: 'Stopped', at: draft.at, why: `The pull request goes into ${because.base} now.` };
    case 'configuration-changed':
      return { as: 'Stopped', at: draft.at, why: 'It was started anew under the configuration of today.' };
    default:
      return because satisfies never;
  }
}
