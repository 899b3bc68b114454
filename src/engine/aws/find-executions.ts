import type { ExecutionTrigger, PipelineExecutionSummary } from '@aws-sdk/client-codepipeline';
import { knownAwsExecutions, type Watched } from '../../db/aws-executions.ts';
import type { Actor, Execution, ExecutionId, ExecutionStatus, TriggerType } from '../../pipeline/execution.ts';
import type { Bound, Ground } from './ground.ts';
import { newestExecutions } from './look.ts';
import { over } from './seen-stage.ts';
import type { AwsRecord } from './records.ts';
import { isOurRole } from './session.ts';

/** An execution of a bound pipeline that AWS started and that is not on record here. */
export interface FoundExecution {
  readonly awsId: string;
  readonly startedAt: Date | undefined;
  readonly live: boolean;
  readonly trigger: { readonly type: TriggerType; readonly detail: string };
  /** Commits by source action; empty until the source stage is done (CP-E-10). */
  readonly revisions: readonly {
    readonly actionName: string;
    readonly revisionId: string;
    readonly revisionSummary?: string;
  }[];
  readonly by: Actor;
  /** Of a rollback that was started in the console: our execution whose work it brings back. */
  readonly rollbackOf?: ExecutionId;
}

/** What one page of the newest hundred executions says that our records do not. */
export interface Found {
  readonly strangers: readonly FoundExecution[];
  /** On record as ended, and not ended like that there: somebody retried them in the console. */
  readonly revived: readonly ExecutionId[];
}

/** What is older than the newest hundred is history. */
const mostListed = 100;

const triggerTypes = {
  CreatePipeline: true,
  StartPipelineExecution: true,
  PollForSourceChanges: true,
  Webhook: true,
  CloudWatchEvent: true,
  PutActionRevision: true,
  WebhookV2: true,
  ManualRollback: true,
  AutomatedRollback: true,
} satisfies Record<TriggerType, true>;

/** Undefined for one that AWS invented later: nobody here could read it. */
export function triggerOf(told: ExecutionTrigger | undefined): Execution['trigger'] | undefined {
  const { triggerType = '', triggerDetail = '' } = told ?? {};
  return isTriggerType(triggerType) ? { type: triggerType, detail: triggerDetail } : undefined;
}

function isTriggerType(text: string): text is TriggerType {
  return Object.hasOwn(triggerTypes, text);
}

/** The answer of an event's start is looked for among executions of this age. */
export const twinWindowMs = 60 * 60_000;

/** An execution for this very commit that AWS's own trigger started (CP-T-1): CodePipeline's id of it. */
export async function findTwin(ground: Ground, bound: Bound, record: AwsRecord): Promise<string | undefined> {
  const { strangers } = await compare(ground, bound, record, await newest(ground, bound));
  const since = ground.now().getTime() - twinWindowMs;
  const commits = new Set(
    record.execution.sourceRevisions.map(({ actionName, revisionId }) => `${actionName} ${revisionId}`),
  );
  const twin = strangers.find(
    ({ revisions, startedAt, rollbackOf }) =>
      rollbackOf === undefined &&
      (startedAt?.getTime() ?? 0) >= since &&
      revisions.some(({ actionName, revisionId }) => commits.has(`${actionName} ${revisionId}`)),
  );
  return twin?.awsId;
}

/** Mostly one call: the newest hundred. */
export async function newest(ground: Ground, bound: Bound): Promise<readonly PipelineExecutionSummary[]> {
  return newestExecutions(ground, bound, mostListed);
}

export async function compare(
  ground: Ground,
  bound: Bound,
  where: Watched,
  told: readonly PipelineExecutionSummary[],
): Promise<Found> {
  const targets = told.flatMap((one) => one.rollbackMetadata?.rollbackTargetPipelineExecutionId ?? []);
  const ids = told.flatMap((one) => one.pipelineExecutionId ?? []);
  const known = await knownAwsExecutions(ground.db, where, [...ids, ...targets]);
  const byAwsId = new Map(known.map((one) => [one.awsId, one]));
  const strangers = told.flatMap((one): FoundExecution[] => {
    const ours = isOurRole(one.trigger?.triggerDetail, bound.target.roleArn);
    if (one.pipelineExecutionId === undefined || byAwsId.has(one.pipelineExecutionId) || ours) return [];
    const target = byAwsId.get(one.rollbackMetadata?.rollbackTargetPipelineExecutionId ?? '');
    return [{ ...foundOf(one.pipelineExecutionId, one), ...(target ? { rollbackOf: target.id } : {}) }];
  });
  const revived = told.flatMap((one) => {
    const record = byAwsId.get(one.pipelineExecutionId ?? '');
    return record && !record.live && !isSameEnd(record.status, one.status) ? [record.id] : [];
  });
  return { strangers, revived };
}

function foundOf(awsId: string, one: PipelineExecutionSummary): FoundExecution {
  const trigger = triggerOf(one.trigger) ?? {
    type: 'StartPipelineExecution',
    detail: one.trigger?.triggerDetail ?? '',
  };
  return {
    awsId,
    startedAt: one.startTime,
    live: isRunning(one.status),
    trigger,
    by: starterOf(trigger),
    revisions: (one.sourceRevisions ?? []).flatMap(({ actionName, revisionId, revisionSummary }) =>
      actionName === undefined || revisionId === undefined
        ? []
        : [{ actionName, revisionId, ...(revisionSummary === undefined ? {} : { revisionSummary }) }],
    ),
  };
}

/** A rollback to that execution that we asked for and whose answer was lost; its id in CodePipeline. */
export async function findOwnRollback(
  ground: Ground,
  bound: Bound,
  where: Watched & { readonly targetAwsId: string },
): Promise<string | undefined> {
  const told = await newest(ground, bound);
  const since = ground.now().getTime() - twinWindowMs;
  const candidates = told.filter(
    (one) =>
      one.rollbackMetadata?.rollbackTargetPipelineExecutionId === where.targetAwsId &&
      isOurRole(one.trigger?.triggerDetail, bound.target.roleArn) &&
      (one.startTime?.getTime() ?? 0) >= since,
  );
  const ids = candidates.flatMap((one) => one.pipelineExecutionId ?? []);
  const known = new Set((await knownAwsExecutions(ground.db, where, ids)).map((one) => one.awsId));
  return ids.find((id) => !known.has(id));
}

/** The caller in the trigger's detail, or AWS itself (CP-X-3). */
function starterOf({ type, detail }: Execution['trigger']): Actor {
  const arn = /arn:aws[a-z-]*:(?:iam|sts)::[^"\s]+/.exec(detail)?.[0];
  return arn === undefined ? { kind: 'penstock', why: `AWS started it (${type})` } : { kind: 'api', arn };
}

/**
 * What we withdrew for a newer commit AWS calls stopped, and what we gave up as cancelled may linger there (CP-X-62): only
 * that it runs again would be news.
 */
function isSameEnd(ours: ExecutionStatus, theirs: string | undefined): boolean {
  if (ours === 'Superseded' || ours === 'Cancelled') return ours === 'Cancelled' || !isRunning(theirs);
  return ours === theirs;
}

/** A status that AWS invents later counts as not over: it is looked at again. */
export function isRunning(status: string | undefined): boolean {
  return status !== undefined && !over.has(status);
}
