import { canceledApproval, failAction, findAction } from './actions.ts';
import { abandonRules } from './conditions.ts';
import { definitionOf, executionOf, putExecution, type Draft, type Verdict } from './draft.ts';
import type { Execution, ExecutionId } from './execution.ts';
import type { UpdateDefinitionInput } from './protocol.ts';
import { endWaiting } from './stage-occupancy.ts';
import { executionStatus, isTerminal } from './status.ts';

/** A new declaration ends what is under way, except from PARALLEL to PARALLEL (CP-X-18, CP-X-61). */
export function updateDefinition(draft: Draft, input: UpdateDefinitionInput): Verdict {
  if (draft.current === input.digest) return { ignored: 'This declaration is in force already.' };
  draft.definitions[input.digest] = input.definition;
  draft.current = input.digest;
  for (const execution of Object.values(draft.executions)) {
    const carriesOn = execution.mode === 'PARALLEL' && input.definition.executionMode === 'PARALLEL';
    const isOver = isTerminal(executionStatus(execution, definitionOf(draft, execution)));
    if (!carriesOn && !isOver && execution.definition !== input.digest) cancel(draft, execution);
  }
  return 'moved';
}

function cancel(draft: Draft, execution: Execution): void {
  if (execution.cancel || execution.stop) return;
  const why = `The pipeline ${draft.before.pipeline} has been updated.`;
  if (execution.waitingAt !== undefined) {
    return endWaiting(draft, execution.id, { as: 'Cancelled', at: draft.at, why });
  }
  putExecution(draft, { ...execution, cancel: { at: draft.at, why } });
  cancelApprovals(draft, execution.id);
  // They only wait, for a window for days: nothing may follow from their answer any more.
  abandonRules(draft, execution.id, { cancelled: true });
  draft.due.add(execution.id);
}

/** At once, shown as Failed (CP-X-62): nobody's answer can count any more. */
function cancelApprovals(draft: Draft, id: ExecutionId): void {
  for (const run of executionOf(draft, id).stages) {
    for (const action of run.actions) {
      const found = findAction(draft, id, action.id);
      if (!found || action.status !== 'InProgress' || action.token === undefined) continue;
      failAction(draft, found, { code: 'JobFailed', message: canceledApproval });
    }
  }
}
