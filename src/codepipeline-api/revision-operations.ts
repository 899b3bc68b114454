import type {
  DeployActionExecutionTarget,
  ListDeployActionExecutionTargetsInput,
  ListDeployActionExecutionTargetsOutput,
  PutActionRevisionInput,
  PutActionRevisionOutput,
} from '@aws-sdk/client-codepipeline';
import { executionOfAttempt } from '../db/api-executions.ts';
import { findExecution } from '../db/executions.ts';
import { ApiError } from './api-error.ts';
import type { Operation } from './door.ts';
import { pageOf } from './paging.ts';
import { declaredOnly, knownStart, startPipeline } from './start-pipeline.ts';
import { pipelineNamed, stageNamed } from './stored-pipeline.ts';

/** A revision that is told again starts nothing new (CP-T-2). */
export const putActionRevision: Operation<PutActionRevisionInput, PutActionRevisionOutput> = async (
  call,
  { pipelineName, stageName, actionName, actionRevision },
) => {
  const pipeline = await pipelineNamed(call, pipelineName);
  const action = stageNamed(pipeline, stageName).actions.find(({ name }) => name === actionName);
  if (!action) {
    throw new ApiError('ActionNotFoundException', `Stage '${stageName}' has no action named '${actionName}'.`);
  }
  if (action.actionTypeId.category !== 'Source') {
    throw new ApiError(
      'ValidationException',
      `The action '${actionName}' is no source action, so it has no revisions.`,
    );
  }
  const { revisionId, revisionChangeId, created } = actionRevision;
  const intent = `revision/${JSON.stringify([stageName, actionName, revisionId, revisionChangeId])}`;
  const known = await knownStart(call, pipeline, intent);
  const id = await startPipeline(call, pipeline, {
    intent,
    trigger: { type: 'PutActionRevision', detail: call.caller.arn },
    sourceRevisions: [{ actionName, revisionId, revisionChangeId, created: created.toISOString() }],
  }).catch(declaredOnly);
  return { newRevision: known === null, pipelineExecutionId: id };
};

/** Deploy actions of this engine have no targets that could be told one by one. */
export const listDeployActionExecutionTargets: Operation<
  ListDeployActionExecutionTargetsInput,
  ListDeployActionExecutionTargetsOutput
> = async (call, { pipelineName, actionExecutionId, filters, nextToken }) => {
  const { db } = call.door;
  const pipeline = pipelineName === undefined ? undefined : await pipelineNamed(call, pipelineName);
  const id = await executionOfAttempt(db, actionExecutionId);
  const found = id === null ? null : await findExecution(db, id);
  const isOther = pipeline !== undefined && found?.execution.lane !== pipeline.lane;
  if (found?.repositoryId !== call.caller.scope || isOther) {
    throw new ApiError('ActionExecutionNotFoundException', `There is no action execution ${actionExecutionId}.`);
  }
  const about = [pipelineName ?? null, actionExecutionId, filters ?? null];
  const query = { operation: 'ListDeployActionExecutionTargets', about };
  const page = pageOf<DeployActionExecutionTarget>(call, query, { items: [], token: nextToken, size: 100 });
  return { targets: [...page.items], ...page.token };
};
