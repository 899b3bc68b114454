import type {
  StartPipelineExecutionInput,
  StartPipelineExecutionOutput,
  StopPipelineExecutionInput,
  StopPipelineExecutionOutput,
} from '@aws-sdk/client-codepipeline';
import type { ExecutionId } from '../pipeline/execution.ts';
import { randomUUID } from 'node:crypto';
import { ApiError } from './api-error.ts';
import type { Operation } from './door.ts';
import { obey } from './obey.ts';
import { sourceOverrides } from './source-overrides.ts';
import { declaredOnly, intentOfToken, startPipeline } from './start-pipeline.ts';
import { pipelineNamed } from './stored-pipeline.ts';

/** Checks come before the client token: a repeated call with a mistake in it is still a mistake (CP-X-8). */
export const startPipelineExecution: Operation<StartPipelineExecutionInput, StartPipelineExecutionOutput> = async (
  call,
  input,
) => {
  const pipeline = await pipelineNamed(call, input.name);
  const variables = input.variables ?? [];
  checkNames(variables.map(({ name }) => name));
  const sourceRevisions = sourceOverrides(pipeline.definition, input.sourceRevisions ?? []);
  const token = input.clientRequestToken;
  const intent = token === undefined ? `call/${randomUUID()}` : await intentOfToken(call, pipeline, token);
  const trigger = { type: 'StartPipelineExecution', detail: call.caller.arn } as const;
  const id = await startPipeline(call, pipeline, { intent, trigger, sourceRevisions, variables }).catch(declaredOnly);
  return { pipelineExecutionId: id };
};

/** CP-X-6. */
export function checkNames(names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`The variable ${twice} is given more than once.`);
}

function invalid(message: string): ApiError {
  return new ApiError('ValidationException', message);
}

export const stopPipelineExecution: Operation<StopPipelineExecutionInput, StopPipelineExecutionOutput> = async (
  call,
  { pipelineName, pipelineExecutionId, abandon, reason },
) => {
  const { lane } = await pipelineNamed(call, pipelineName);
  await obey(
    call,
    {
      kind: 'stop',
      lane,
      execution: pipelineExecutionId as ExecutionId,
      abandon: abandon === true,
      ...(reason === undefined ? {} : { reason }),
    },
    { operation: 'StopPipelineExecution', otherwise: 'PipelineExecutionNotStoppableException' },
  );
  return { pipelineExecutionId };
};
