import type {
  ListDeployActionExecutionTargetsInput,
  ListDeployActionExecutionTargetsOutput,
  PutActionRevisionInput,
  PutActionRevisionOutput,
} from '@aws-sdk/client-codepipeline';
import { executionOfAttempt } from '../db/api-executions.ts';
import { findExecution } from '../db/executions.ts';
import { ApiError } from './api-error.ts';
import type { Operation } from './door.ts';
import { knownStart, startPipeline } from './start-pipeline.ts';
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
  const { revisionId, revisionChangeId } = actionRevision;
  const intent = `revision/${JSON.stringify([stageName, actionName, revisionId, revisionChangeId])}`;
  const known = await knownStart(call, pipeline, intent);
  const id = await startPipeline(call, pipeline, {
    intent,
    trigger: { type: 'PutActionRevision', detail: call.caller.arn },
    sourceRevisions: [{ actionName, revisionId }],
  });
  return { newRevision: known === null, pipelineExecutionId: id };
};

/** Deploy actions of this engine have no targets that could be told one by one. */
export const listDeployActionExecutionTargets: Operation<
  ListDeployActionExecutionTargetsInput,
  ListDeployActionExecutionTargetsOutput
> = async ({ door, caller }, { actionExecutionId }) => {
  const id = await executionOfAttempt(door.db, actionExecutionId);
  const execution = id === null ? null : await findExecution(door.db, id);
  if (execution?.repositoryId !== caller.scope) {
    throw new ApiError('ActionExecutionNotFoundException', `There is no action execution ${actionExecutionId}.`);
  }
  return { targets: [] };
};
