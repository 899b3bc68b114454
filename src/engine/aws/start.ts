import type { Transaction } from 'kysely';
import { adoptedExecutionOf, enqueueObservation } from '../../db/aws-executions.ts';
import type { Database } from '../../db/database.ts';
import { findExecutionByKey, liveExecutionsOfLane } from '../../db/executions.ts';
import { TransientError, UserError, describeError } from '../../errors.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import type { ExecutionId } from '../../pipeline/execution.ts';
import type { StartRequest } from '../engine.ts';
import { asAws, type AwsExecution } from './aws-execution.ts';
import { AwsRefusal } from './call-errors.ts';
import { findTwin, twinWindowMs } from './find-executions.ts';
import { ask, boundForPerson, boundTo, type Bound, type Ground } from './ground.ts';
import {
  changeRecord,
  dropRefresh,
  enqueueRefresh,
  findAwsRecord,
  isTaken,
  definitionOfRecord,
  type AwsRecord,
} from './records.ts';
import { writeRecord } from './write-record.ts';

/** A start that AWS did not take for so long is not what anybody waits for any more. */
const patienceMs = 6 * 60 * 60_000;

/** Writes down the intent, then starts; what is not clear afterwards, the row's own job finds out. */
export async function start(ground: Ground, request: StartRequest): Promise<ExecutionId> {
  const known = await findExecutionByKey(ground.db, request.idempotencyKey);
  if (known) return known.execution.id;
  const bound = await boundTo(ground, request.repositoryId, request.pipeline);
  const instead = (trx: Transaction<Database>) => adoptedBefore(trx, ground, request);
  const { id, fresh } = await writeRecord(ground, bound, request, byEvent(request) ? { instead } : {});
  if (fresh) await finishStart(ground, id);
  return id;
}

/** An event asked for it, and not a person: such a start must not be the second one of its commit (CP-T-1). */
function byEvent({ trigger }: Pick<StartRequest, 'trigger'>): boolean {
  return trigger.type === 'WebhookV2';
}

/** AWS started this commit by itself, and we found that before its event came here. */
async function adoptedBefore(
  trx: Transaction<Database>,
  ground: Ground,
  { repositoryId, pipeline, context: { headSha } }: StartRequest,
): Promise<ExecutionId | undefined> {
  const since = new Date(ground.now().getTime() - twinWindowMs);
  return (await adoptedExecutionOf(trx, { repositoryId, pipeline, headSha, since }))?.execution.id;
}

/** An execution of AWS as ours from now on. Undefined: somebody else has just put it on record. */
export async function adopt(ground: Ground, request: StartRequest, awsId: string): Promise<ExecutionId | undefined> {
  const bound = await boundTo(ground, request.repositoryId, request.pipeline);
  const instead = (trx: Transaction<Database>) => startUnderWay(trx, request);
  const { id, fresh } = await writeRecord(ground, bound, request, { instead, awsId });
  if (!fresh) return undefined;
  await enqueueObservation(ground.db, request, 0);
  return id;
}

/** A start of ours that waits for its answer may turn out to be the one that was found. */
async function startUnderWay(trx: Transaction<Database>, { lane }: StartRequest): Promise<ExecutionId | undefined> {
  const live = await liveExecutionsOfLane(trx, lane);
  return live.find(({ execution }) => asAws(execution)?.aws.executionId === undefined)?.execution.id;
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
  const definition = await definitionOfRecord(ground.db, record);
  if (byEvent(execution)) await ground.budget.admit(bound.target.account, 'start');
  const mayBeStarted = byEvent(execution) && startsByItself(definition);
  const twin = mayBeStarted ? await findTwin(ground, bound, record) : undefined;
  if (twin !== undefined) return attach(ground, record, { executionId: twin, adopted: true });
  const input = startInput(bound, execution, definition);
  const answer = await ask(ground, bound, 'StartPipelineExecution', (api) => api.startPipelineExecution(input));
  const awsId = answer.pipelineExecutionId;
  if (awsId === undefined) throw new TransientError('StartPipelineExecution answered without an id');
  await attach(ground, record, { executionId: awsId });
  // Withdrawn while the call was under way.
  const after = await findAwsRecord(ground.db, execution.id);
  if (after?.execution.ending) await stopUnwanted(ground, bound, awsId);
}

/** AWS watches the repository itself: a filter, or a source action that detects changes. */
function startsByItself({ triggers, stages }: PipelineDefinition): boolean {
  const detects = (stages[0]?.actions ?? []).some(
    ({ actionTypeId, configuration }) =>
      actionTypeId.provider === 'CodeStarSourceConnection' && configuration['DetectChanges']?.toLowerCase() !== 'false',
  );
  return triggers.length > 0 || detects;
}

async function attach(
  ground: Ground,
  record: AwsRecord,
  aws: { readonly executionId: string; readonly adopted?: true },
): Promise<void> {
  const { id } = record.execution;
  const updatedAt = ground.now().toISOString();
  try {
    await changeRecord(ground.db, id, ({ execution }) => ({
      execution: { ...execution, aws: { ...execution.aws, ...aws }, updatedAt },
      observed: { seen: undefined },
    }));
    await enqueueObservation(ground.db, record, ground.pace.fastest);
    await dropRefresh(ground.db, id);
  } catch (error) {
    if (!isTaken(error)) throw error;
    await stepBack(ground, id, updatedAt);
  }
}

/** Another record has the execution that this start found: that one is shown, and this one was none. */
async function stepBack(ground: Ground, id: ExecutionId, at: string): Promise<void> {
  const why = 'AWS started this commit by itself, and that execution is the one that is shown.';
  await changeRecord(ground.db, id, ({ execution }) => ({
    execution: { ...execution, ending: { as: 'Stopped', at, why }, updatedAt: at },
  }));
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
  await enqueueRefresh(ground.db, record.execution.id, error.retryAfterMs ?? pause);
}

async function giveUp(ground: Ground, id: string, summary: string): Promise<void> {
  const at = ground.now().toISOString();
  await changeRecord(ground.db, id, ({ execution }) =>
    execution.ending
      ? undefined
      : { execution: { ...execution, ending: { as: 'Failed', at, summary }, updatedAt: at } },
  );
}
