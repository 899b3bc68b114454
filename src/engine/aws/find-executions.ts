import type { PipelineExecutionSummary } from '@aws-sdk/client-codepipeline';
import { knownAwsExecutions } from '../../db/aws-executions.ts';
import type { Actor, ExecutionId, TriggerType } from '../../pipeline/execution.ts';
import { ask, boundTo, type Bound, type Ground } from './ground.ts';
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
  /** On record as ended, and running again: somebody retried them in the console. */
  readonly revived: readonly ExecutionId[];
}

const running: ReadonlySet<string | undefined> = new Set(['InProgress', 'Stopping']);
/** The answer of an event's start is looked for among executions of this age. */
const twinWindowMs = 60 * 60_000;

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

/** For the sweep: one call per pipeline, however many executions it has. */
export async function findExecutions(ground: Ground, repositoryId: number, pipeline: string): Promise<Found> {
  const bound = await boundTo(ground, repositoryId, pipeline);
  ground.budget.admit(bound.target.account);
  return compare(ground, bound, { repositoryId, pipeline }, await newest(ground, bound));
}

async function newest(ground: Ground, bound: Bound): Promise<readonly PipelineExecutionSummary[]> {
  const input = { pipelineName: bound.target.pipelineName, maxResults: 100 };
  const call = 'ListPipelineExecutions';
  const page = await ask(ground, bound, call, (api) => api.listPipelineExecutions(input));
  return page.pipelineExecutionSummaries ?? [];
}

async function compare(
  ground: Ground,
  bound: Bound,
  where: { readonly repositoryId: number; readonly pipeline: string },
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
    return record && !record.live && running.has(one.status) ? [record.id] : [];
  });
  return { strangers, revived };
}

function foundOf(awsId: string, one: PipelineExecutionSummary): FoundExecution {
  const { triggerType = 'StartPipelineExecution', triggerDetail = '' } = one.trigger ?? {};
  return {
    awsId,
    startedAt: one.startTime,
    live: running.has(one.status),
    trigger: { type: triggerType, detail: triggerDetail },
    by: starterOf(triggerType, triggerDetail),
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
  where: { readonly repositoryId: number; readonly pipeline: string; readonly targetAwsId: string },
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
function starterOf(type: TriggerType, detail: string): Actor {
  const arn = /arn:aws[a-z-]*:(?:iam|sts)::[^"\s]+/.exec(detail)?.[0];
  return arn === undefined ? { kind: 'penstock', why: `AWS started it (${type})` } : { kind: 'api', arn };
}
