import { findExecutionByKey, liveExecutionsOfLane } from '../../db/executions.ts';
import { TransientError, UserError, describeError } from '../../errors.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import type { ExecutionId, SourceRevision } from '../../pipeline/execution.ts';
import { executionIdFor } from '../../pipeline/ids.ts';
import type { StartRequest } from '../engine.ts';
import { asAws, type AwsExecution } from './aws-execution.ts';
import { AwsRefusal } from './call-errors.ts';
import { findTwin } from './find-executions.ts';
import { ask, boundForPerson, boundTo, hostOf, type Bound, type Ground } from './ground.ts';
import {
  changeRecord,
  enqueueLook,
  findAwsRecord,
  insertAwsExecution,
  definitionOfRecord,
  type AwsRecord,
} from './records.ts';

/** A start that AWS did not take for so long is not what anybody waits for any more. */
const patienceMs = 6 * 60 * 60_000;
/** A crash between the intent row and the call is made good by the row's own job after this time. */
const intentLookMs = 30_000;

/** Writes down the intent, then starts; what is not clear afterwards, the row's refresh job finds out. */
export async function start(ground: Ground, request: StartRequest): Promise<ExecutionId> {
  const known = await findExecutionByKey(ground.db, request.idempotencyKey);
  if (known) return known.execution.id;
  const bound = await boundTo(ground, request.repositoryId, request.pipeline);
  const { id, fresh } = await writeIntent(ground, bound, request);
  if (fresh) await finishStart(ground, id);
  return id;
}

/** An execution of AWS as ours from now on. Undefined: somebody else has just put it on record. */
export async function adopt(ground: Ground, request: StartRequest, awsId: string): Promise<ExecutionId | undefined> {
  const bound = await boundTo(ground, request.repositoryId, request.pipeline);
  // A start of ours that waits for its answer may turn out to be this one.
  const live = await liveExecutionsOfLane(ground.db, request.lane);
  if (live.some(({ execution }) => asAws(execution)?.aws.executionId === undefined)) return undefined;
  const { id, fresh } = await writeIntent(ground, bound, request, awsId);
  if (!fresh) return undefined;
  await enqueueLook(ground.db, id, 0);
  return id;
}

async function writeIntent(
  ground: Ground,
  bound: Bound,
  request: StartRequest,
  twin?: string,
): Promise<{ id: ExecutionId; fresh: boolean }> {
  const id = executionIdFor(request.idempotencyKey);
  const { definition, repositoryId, idempotencyKey, context } = request;
  const execution = bornExecution(id, request, ground.now().toISOString(), twin);
  const birth = { execution, definition, repositoryId, idempotencyKey, host: hostOf(bound.target), context };
  try {
    await ground.db
      .transaction()
      .execute((trx) => insertAwsExecution(trx, birth, Math.max(intentLookMs, ground.pace.fastest)));
    return { id, fresh: true };
  } catch (error) {
    // The same intent, written by another worker at the same moment.
    const known = await findExecutionByKey(ground.db, idempotencyKey);
    if (known) return { id: known.execution.id, fresh: false };
    throw error;
  }
}

function bornExecution(
  id: ExecutionId,
  request: StartRequest,
  at: string,
  twin: string | undefined,
): Omit<AwsExecution, 'order' | 'definition'> {
  const { lane, pipeline, definition, trigger, sourceRevisions, variables, by } = request;
  return {
    id,
    lane,
    pipeline,
    mode: definition.executionMode,
    type: 'STANDARD',
    trigger,
    sourceRevisions: pinnable(definition, sourceRevisions),
    variables: variables.filter(({ name }) => definition.variables.some((declared) => declared.name === name)),
    startedAt: at,
    startedBy: by,
    updatedAt: at,
    stages: [],
    aws: { askedAt: at, ...(twin === undefined ? {} : { executionId: twin, adopted: true as const }) },
  };
}

/** Only source actions over a connection take the commit of a GitHub repository (CP-X-9). */
function pinnable(definition: PipelineDefinition, revisions: readonly SourceRevision[]): readonly SourceRevision[] {
  const overConnection = new Set(
    (definition.stages[0]?.actions ?? [])
      .filter((action) => action.actionTypeId.provider === 'CodeStarSourceConnection')
      .map((action) => action.name),
  );
  return revisions.filter((revision) => overConnection.has(revision.actionName));
}

/**
 * Starts what was written down and not started yet. The token is our id, so asking again after a lost answer gives the
 * same execution (CP-X-8). Never throws for what AWS says: it is kept for a later try, or shown as the execution's end.
 */
export async function finishStart(ground: Ground, id: string): Promise<void> {
  const record = await findAwsRecord(ground.db, id);
  if (!record || record.execution.aws.executionId !== undefined || record.execution.ending) return;
  try {
    await startOnAws(ground, record);
  } catch (error) {
    if (error instanceof TransientError) return tryLater(ground, record, error);
    if (error instanceof UserError || error instanceof AwsRefusal) return giveUp(ground, id, error.message);
    throw error;
  }
}

async function startOnAws(ground: Ground, record: AwsRecord): Promise<void> {
  const { execution } = record;
  if (record.context.fork) {
    throw new UserError(
      'This commit comes from a fork, and a pipeline of AWS runs with its own roles and secrets: it is never started for forks.',
    );
  }
  if (execution.sourceRevisions.length === 0) {
    throw new UserError(
      'No source action of the pipeline reads this repository through a connection (provider CodeStarSourceConnection, FullRepositoryId of this repository), so it cannot run this commit and was not started.',
    );
  }
  const bound = await boundForPerson(ground, record, execution.startedBy);
  // An event asked for it, and AWS may have started it by itself already: one commit, one execution (CP-T-1).
  const twin = execution.trigger.type === 'WebhookV2' ? await findTwin(ground, bound, record) : undefined;
  if (twin !== undefined) return attach(ground, record, { executionId: twin, adopted: true });
  const input = startInput(bound, execution, await definitionOfRecord(ground.db, record));
  const answer = await ask(ground, bound, 'StartPipelineExecution', (api) => api.startPipelineExecution(input));
  const awsId = answer.pipelineExecutionId;
  if (awsId === undefined) throw new TransientError('StartPipelineExecution answered without an id');
  await attach(ground, record, { executionId: awsId });
  // Withdrawn while the call was under way.
  const after = await findAwsRecord(ground.db, execution.id);
  if (after?.execution.ending) await stopUnwanted(ground, bound, awsId);
}

async function attach(
  ground: Ground,
  { execution: { id } }: AwsRecord,
  aws: { readonly executionId: string; readonly adopted?: true },
): Promise<void> {
  const updatedAt = ground.now().toISOString();
  await changeRecord(ground.db, id, ({ execution }) => ({
    execution: { ...execution, aws: { ...execution.aws, ...aws }, updatedAt },
  }));
  await enqueueLook(ground.db, id, ground.pace.fastest);
}

function startInput({ target }: Bound, execution: AwsExecution, definition: PipelineDefinition) {
  const marker = { name: 'BOT_EXECUTION_ID', value: execution.id };
  const declares = definition.variables.some((variable) => variable.name === marker.name);
  const variables = [...execution.variables.filter(({ name }) => name !== marker.name), ...(declares ? [marker] : [])];
  return {
    name: target.pipelineName,
    clientRequestToken: execution.id,
    sourceRevisions: execution.sourceRevisions.map(({ actionName, revisionId }) => ({
      actionName,
      revisionType: 'COMMIT_ID' as const,
      revisionValue: revisionId,
    })),
    ...(variables.length > 0 ? { variables } : {}),
  };
}

async function stopUnwanted(ground: Ground, bound: Bound, awsId: string): Promise<void> {
  const input = { pipelineName: bound.target.pipelineName, pipelineExecutionId: awsId, abandon: true };
  await ask(ground, bound, 'StopPipelineExecution', (api) => api.stopPipelineExecution(input));
}

async function tryLater(ground: Ground, record: AwsRecord, error: TransientError): Promise<void> {
  const age = ground.now().getTime() - Date.parse(record.execution.aws.askedAt);
  const why = describeError(error);
  if (age > patienceMs) return giveUp(ground, record.execution.id, `AWS did not take the start for six hours. ${why}`);
  ground.log.warn({ execution: record.execution.id, error: why }, 'a start waits for AWS');
  const pause = Math.min(10 * 60_000, Math.max(ground.pace.fastest, age / 4));
  await enqueueLook(ground.db, record.execution.id, error.retryAfterMs ?? pause);
}

async function giveUp(ground: Ground, id: string, summary: string): Promise<void> {
  const at = ground.now().toISOString();
  await changeRecord(ground.db, id, ({ execution }) =>
    execution.ending
      ? undefined
      : { execution: { ...execution, ending: { as: 'Failed', at, summary }, updatedAt: at } },
  );
}
