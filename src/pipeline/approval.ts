import { endAction, failAction, findAction } from './actions.ts';
import type { ActionDeclaration } from './definition.ts';
import { refuse, runOf, stageOf, type Draft, type Verdict } from './draft.ts';
import type { ActionRun } from './execution.ts';
import type { PipelineCommand } from './protocol.ts';
import { attemptsOf } from './status.ts';

type Answer = Extract<PipelineCommand, { kind: 'approve' | 'reject' }>;

const longestSummary = 512;
const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Checks in the order of CP-A-6: shape, stage, action, answered already, token, summary. */
export function answerApproval(draft: Draft, answer: Answer): Verdict {
  const malformed = shapeProblem(answer);
  if (malformed !== undefined) return refuse('ValidationException', 'CP-A-6', malformed);
  const execution = draft.executions[answer.execution];
  if (!execution) return staleToken('CP-A-6', `Execution ${answer.execution} is not known in this lane.`);
  const stage = stageOf(draft, execution, answer.stage);
  if (!stage) return refuse('StageNotFoundException', 'CP-A-6', `The pipeline has no stage named '${answer.stage}'.`);
  const declared = stage.actions.find((action) => action.name === answer.action);
  if (declared?.actionTypeId.category !== 'Approval') {
    const message = `Stage '${answer.stage}' has no approval action named '${answer.action}'.`;
    return refuse('ActionNotFoundException', 'CP-A-6', message);
  }
  const run = runOf(draft, answer.execution, answer.stage);
  const attempt = run && attemptsOf(run).find(({ id, action }) => id === answer.token && action === answer.action);
  return refusalFor(draft, answer, declared, attempt) ?? take(draft, answer);
}

function shapeProblem(answer: Answer): string | undefined {
  if (!uuid.test(answer.token)) return 'The token of an approval is a UUID; take it from the waiting approval.';
  if (answer.summary.length > longestSummary) {
    return `The summary has ${answer.summary.length} characters; write at most ${longestSummary}.`;
  }
  return undefined;
}

function refusalFor(
  draft: Draft,
  answer: Answer,
  declared: ActionDeclaration,
  attempt: ActionRun | undefined,
): Verdict | undefined {
  if (attempt?.answeredBy) {
    return refuse(
      'ApprovalAlreadyCompletedException',
      'CP-A-6',
      `The approval '${answer.action}' was answered already.`,
    );
  }
  if (attempt?.status !== 'InProgress') {
    if (isOutdated(draft, answer)) {
      const message = `The pipeline ${draft.before.pipeline} has been updated, and the approval request you responded to is now out of date.`;
      return staleToken('CP-X-62', message);
    }
    return staleToken('CP-A-6', `The approval '${answer.action}' does not wait for this token any more.`);
  }
  if (!needsSummary(declared) || answer.summary.trim()) return undefined;
  const message = `Action '${answer.action}' in stage '${answer.stage}' requires a summary. Provide a summary in the approval result and try again.`;
  return staleToken('CP-A-7', message);
}

/** A blank answer is refused (CP-A-7). */
export function needsSummary({ configuration }: Pick<ActionDeclaration, 'configuration'>): boolean {
  return configuration['IsSummaryRequired']?.toLowerCase() === 'true';
}

function isOutdated(draft: Draft, answer: Answer): boolean {
  const execution = draft.executions[answer.execution];
  return execution?.cancel !== undefined || execution?.ending?.as === 'Cancelled';
}

function staleToken(rule: string, message: string): Verdict {
  return refuse('InvalidApprovalTokenException', rule, message);
}

/** Approved: Succeeded with the reviewer's words (CP-A-3). Rejected: Failed (CP-A-4). */
function take(draft: Draft, answer: Answer): Verdict {
  const found = findAction(draft, answer.execution, answer.token);
  if (!found) return staleToken('CP-A-6', `The approval '${answer.action}' does not wait for this token any more.`);
  const answeredBy = draft.given.by;
  if (answer.kind === 'approve') {
    endAction(draft, found, { status: 'Succeeded', summary: answer.summary, answeredBy });
  } else {
    const error = { code: 'JobFailed', message: answer.summary || 'The approval was rejected.' };
    failAction(draft, found, error, { answeredBy, summary: answer.summary });
  }
  draft.due.add(answer.execution);
  return 'moved';
}
