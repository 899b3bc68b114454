import type {
  StartPipelineExecutionInput,
  StartPipelineExecutionOutput,
  StopPipelineExecutionInput,
  StopPipelineExecutionOutput,
} from '@aws-sdk/client-codepipeline';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { ExecutionId, SourceRevision } from '../pipeline/execution.ts';
import { randomUUID } from 'node:crypto';
import { ApiError } from './api-error.ts';
import type { Checked, Operation } from './door.ts';
import { obey } from './obey.ts';
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
  const sourceRevisions = overrides(pipeline.definition, input.sourceRevisions ?? []);
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

type Given = Checked<NonNullable<StartPipelineExecutionInput['sourceRevisions']>>;

/** CP-X-9. An override that could not be honoured is refused: running something else would be worse. */
export function overrides(definition: PipelineDefinition, given: Given): readonly SourceRevision[] {
  const sources = new Set(definition.stages[0]?.actions.map(({ name }) => name));
  return given.map(({ actionName, revisionType, revisionValue }) => {
    if (!sources.has(actionName)) throw invalid(`The pipeline has no source action named '${actionName}'.`);
    if (given.filter((other) => other.actionName === actionName).length > 1) {
      throw invalid(`More than one revision is given for the source action '${actionName}'.`);
    }
    if (revisionType === 'S3_OBJECT_KEY') {
      throw invalid('S3_OBJECT_KEY cannot be overridden on this engine. Give an S3_OBJECT_VERSION_ID instead.');
    }
    return { actionName, revisionType, revisionId: revisionValue };
  });
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
