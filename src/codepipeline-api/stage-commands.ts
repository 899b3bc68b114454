import type {
  DisableStageTransitionInput,
  EnableStageTransitionInput,
  OverrideStageConditionInput,
  RetryStageExecutionInput,
  RetryStageExecutionOutput,
  RollbackStageInput,
  RollbackStageOutput,
} from '@aws-sdk/client-codepipeline';
import { randomUUID } from 'node:crypto';
import type { ExecutionId } from '../pipeline/execution.ts';
import { executionIdFor } from '../pipeline/ids.ts';
import { ApiError } from './api-error.ts';
import type { Call, Operation } from './door.ts';
import { obey } from './obey.ts';
import { executionOfPipeline, pipelineNamed, stageNamed } from './stored-pipeline.ts';

/** The same execution id; new action execution ids (CP-X-48). */
export const retryStageExecution: Operation<RetryStageExecutionInput, RetryStageExecutionOutput> = async (
  call,
  { pipelineName, stageName, pipelineExecutionId, retryMode },
) => {
  const { lane } = await pipelineWithStage(call, pipelineName, stageName);
  const execution = pipelineExecutionId as ExecutionId;
  await obey(
    call,
    { kind: 'retry', lane, execution, stage: stageName, mode: retryMode },
    { operation: 'RetryStageExecution', otherwise: 'StageNotRetryableException' },
  );
  return { pipelineExecutionId };
};

/** A new execution id (CP-X-51). */
export const rollbackStage: Operation<RollbackStageInput, RollbackStageOutput> = async (
  call,
  { pipelineName, stageName, targetPipelineExecutionId },
) => {
  const pipeline = await pipelineWithStage(call, pipelineName, stageName);
  const target = await executionOfPipeline(call, pipeline, targetPipelineExecutionId);
  const execution = executionIdFor(`${pipeline.lane}/rollback/${randomUUID()}`);
  await obey(
    call,
    { kind: 'rollback', lane: pipeline.lane, stage: stageName, execution, target: target.execution.id },
    { operation: 'RollbackStage', otherwise: 'UnableToRollbackStageException' },
  );
  return { pipelineExecutionId: execution };
};

export const overrideStageCondition: Operation<OverrideStageConditionInput, undefined> = async (
  call,
  { pipelineName, stageName, pipelineExecutionId, conditionType },
) => {
  const { lane } = await pipelineWithStage(call, pipelineName, stageName);
  if (conditionType !== 'BEFORE_ENTRY' && conditionType !== 'ON_SUCCESS') {
    throw new ApiError(
      'ConditionNotOverridableException',
      `A condition of type ${String(conditionType)} cannot be overridden.`,
    );
  }
  const execution = pipelineExecutionId as ExecutionId;
  await obey(
    call,
    { kind: 'override', lane, execution, stage: stageName, condition: conditionType },
    { operation: 'OverrideStageCondition', otherwise: 'ConditionNotOverridableException' },
  );
  return undefined;
};

/** Idempotent, as is enabling (CP-X-23). */
export const disableStageTransition: Operation<DisableStageTransitionInput, undefined> = async (call, input) => {
  await setTransition(call, 'disable-transition', input, input.reason);
  return undefined;
};

export const enableStageTransition: Operation<EnableStageTransitionInput, undefined> = async (call, input) => {
  await setTransition(call, 'enable-transition', input);
  return undefined;
};

interface TransitionName {
  readonly pipelineName: string;
  readonly stageName: string;
  readonly transitionType: 'Inbound' | 'Outbound';
}

async function setTransition(
  call: Call,
  kind: 'disable-transition' | 'enable-transition',
  { pipelineName, stageName, transitionType }: TransitionName,
  reason?: string,
): Promise<void> {
  const { lane } = await pipelineWithStage(call, pipelineName, stageName);
  const said = reason === undefined ? {} : { reason };
  await obey(
    call,
    { kind, lane, stage: stageName, transition: transitionType, ...said },
    { operation: 'DisableStageTransition', otherwise: 'ValidationException' },
  );
}

async function pipelineWithStage(call: Call, pipelineName: string, stageName: string) {
  const pipeline = await pipelineNamed(call, pipelineName);
  stageNamed(pipeline, stageName);
  return pipeline;
}
