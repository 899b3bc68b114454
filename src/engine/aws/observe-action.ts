import type { ActionExecution as ActionState, ActionExecutionDetail } from '@aws-sdk/client-codepipeline';
import type { ActionDeclaration } from '../../pipeline/definition.ts';
import type {
  ActionError,
  ActionExecutionId,
  ActionRun,
  ActionStatus,
  ActionStory,
  Actor,
} from '../../pipeline/execution.ts';
import { given } from './read-declaration.ts';
import { isOurRole } from './session.ts';
import type { Story } from './stories/stories.ts';

/** What is known of one attempt of one action, from every place that tells something. */
export interface SeenAction {
  readonly detail: ActionExecutionDetail;
  readonly declared: ActionDeclaration | undefined;
  /** What GetPipelineState says of this very attempt. */
  readonly state: ActionState | undefined;
  /** As we stored this attempt before. */
  readonly prior: ActionRun | undefined;
  /** What the service behind it said, when it was asked in this look. */
  readonly story: Story | undefined;
  readonly at: string;
  readonly roleArn: string;
}

const canceled = /approval action has been cancell?ed/i;

/** An update of the pipeline took an approval away: AWS has no word of its own for that (CP-X-62). */
export function isCanceled({ status, summary = '' }: ActionRun): boolean {
  return status === 'Failed' && canceled.test(summary);
}

/** Its attempt is for the caller to count, who knows the others. */
export function observeAction(seen: SeenAction): Omit<ActionRun, 'attempt'> {
  const { detail, state, declared, at } = seen;
  const result = detail.output?.executionResult;
  const status = statusOf(detail.status);
  const isApproval = isManual(seen);
  // An attempt that has ended never runs again: this read is the older one (CP-X-69). Nobody must answer twice.
  if (status === 'InProgress' && seen.prior?.phase === 'ended') return seen.prior;
  const asks = isApproval && status === 'InProgress';
  const token = asks ? (state?.token ?? result?.externalExecutionId ?? seen.prior?.token) : undefined;
  const error = status === 'Failed' ? errorOf(seen) : undefined;
  const ended = status === 'InProgress' ? undefined : (detail.lastUpdateTime?.toISOString() ?? at);
  return {
    action: detail.actionName ?? declared?.name ?? '',
    id: (detail.actionExecutionId ?? '') as ActionExecutionId,
    status,
    phase: ended !== undefined ? 'ended' : token !== undefined ? 'waiting' : 'running',
    startedAt: detail.startTime?.toISOString() ?? seen.prior?.startedAt ?? at,
    ...given({
      endedAt: ended,
      token,
      externalExecutionId: isApproval ? undefined : (result?.externalExecutionId ?? state?.externalExecutionId),
      externalExecutionUrl: urlOf(seen),
      summary: result?.externalExecutionSummary ?? state?.summary,
      error,
      story: ended === undefined ? undefined : storyOf(seen),
      answeredBy: isApproval && ended !== undefined ? answeredBy(seen) : undefined,
      percentComplete: status === 'InProgress' ? state?.percentComplete : undefined,
    }),
  };
}

function isManual({ declared, detail }: SeenAction): boolean {
  return (declared?.actionTypeId ?? detail.input?.actionTypeId)?.category === 'Approval';
}

/** A status that AWS invents later counts as not ended: it is looked at again. */
function statusOf(status: string | undefined): ActionStatus {
  return status === 'Succeeded' || status === 'Failed' || status === 'Abandoned' ? status : 'InProgress';
}

/** Each service is asked once: what it said stays. */
function storyOf({ story, prior }: SeenAction): ActionStory | undefined {
  if (!story) return prior?.story;
  const { log: _log, url: _url, ...kept } = story;
  return kept;
}

function urlOf({ story, prior, detail, state }: SeenAction): string | undefined {
  const told = story?.url ?? (prior?.story ? prior.externalExecutionUrl : undefined);
  return told ?? detail.output?.executionResult?.externalExecutionUrl ?? state?.externalExecutionUrl;
}

function errorOf({ detail, state }: SeenAction): ActionError {
  const result = detail.output?.executionResult;
  const told = result?.errorDetails ?? state?.errorDetails;
  const message = told?.message ?? result?.externalExecutionSummary ?? state?.summary ?? 'CodePipeline gave no reason.';
  return { code: told?.code ?? 'JobFailed', message };
}

/** When our own role answered, the person is who we remember; AWS knows only the role (CP-A-10). */
function answeredBy({ detail, state, prior, roleArn }: SeenAction): Actor | undefined {
  const arn = detail.updatedBy ?? state?.lastUpdatedBy;
  const summary = detail.output?.executionResult?.externalExecutionSummary ?? state?.summary ?? '';
  if (detail.status === 'Abandoned' || canceled.test(summary)) return undefined;
  if (prior?.answeredBy && (arn === undefined || isOurRole(arn, roleArn))) return prior.answeredBy;
  // A time-out is nobody's answer (CP-A-5): only callers of IAM and STS are people or their tools.
  return arn !== undefined && /^arn:aws[a-z-]*:(iam|sts):/.test(arn) ? { kind: 'api', arn } : undefined;
}
