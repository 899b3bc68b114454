import { answerApproval } from './approval.ts';
import { closeDraft, openDraft, type Draft, type Verdict } from './draft.ts';
import type { LaneKey } from './execution.ts';
import { actionFailed, actionRunning, actionSucceeded, actionWaiting, deadlinePassed } from './action-facts.ts';
import { lockGranted, lockQueued } from './lock-facts.ts';
import { overrideCondition } from './override.ts';
import type { Given, Input, PipelineState, Transition } from './protocol.ts';
import { retryStage } from './retry.ts';
import { rollBackStage } from './rollback.ts';
import { ruleReported } from './rule-facts.ts';
import { advance } from './stage-flow.ts';
import { admitWaiting } from './stage-occupancy.ts';
import { startExecution } from './start.ts';
import { stopExecution } from './stop.ts';
import { setTransition } from './transition-setting.ts';
import { updateDefinition } from './update.ts';
import { withdrawExecution } from './withdraw.ts';

export function emptyState(lane: LaneKey, pipeline: string): PipelineState {
  return { lane, pipeline, started: 0, definitions: {}, executions: {}, stages: {} };
}

/**
 * Decides one input. Pure: the same state, input and `given` make the same answer, ids included.
 * After every input all waiting executions are looked at again (CP 2.4), so no input has to remember whom it freed.
 */
export function transition(state: PipelineState, input: Input, given: Given): Transition {
  const draft = openDraft(state, given);
  const verdict = apply(draft, input);
  if (verdict === 'moved') {
    settleAll(draft);
    return closeDraft(draft);
  }
  if ('ignored' in verdict) return { outcome: 'ignored', why: verdict.ignored };
  return { outcome: 'refused', refusal: verdict.refused };
}

/** Ends because every step either uses up an attempt or moves an execution on. */
function settleAll(draft: Draft): void {
  do {
    advanceDue(draft);
    admitWaiting(draft);
  } while (draft.due.size > 0);
}

function advanceDue(draft: Draft): void {
  while (draft.due.size > 0) {
    const due = [...draft.due];
    draft.due.clear();
    for (const id of due) advance(draft, id);
  }
}

function apply(draft: Draft, input: Input): Verdict {
  switch (input.kind) {
    case 'start':
      return startExecution(draft, input);
    case 'update-definition':
      return updateDefinition(draft, input);
    case 'approve':
    case 'reject':
      return answerApproval(draft, input);
    case 'retry':
      return retryStage(draft, input);
    case 'stop':
      return stopExecution(draft, input);
    case 'withdraw':
      return withdrawExecution(draft, input);
    case 'rollback':
      return rollBackStage(draft, input);
    case 'override':
      return overrideCondition(draft, input);
    case 'disable-transition':
    case 'enable-transition':
      return setTransition(draft, input);
    case 'action-running':
      return actionRunning(draft, input);
    case 'action-waiting':
      return actionWaiting(draft, input);
    case 'action-succeeded':
      return actionSucceeded(draft, input);
    case 'action-failed':
      return actionFailed(draft, input);
    case 'deadline-passed':
      return deadlinePassed(draft, input);
    case 'rule-running':
    case 'rule-succeeded':
    case 'rule-failed':
    case 'rule-errored':
    case 'rule-deadline-passed':
      return ruleReported(draft, input);
    case 'lock-granted':
      return lockGranted(draft, input);
    case 'lock-queued':
      return lockQueued(draft, input);
    default:
      return input satisfies never;
  }
}
