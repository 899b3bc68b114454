import type { PutApprovalResultInput, PutApprovalResultOutput } from '@aws-sdk/client-codepipeline';
import type { ServedPipeline } from '../db/api-pipelines.ts';
import { executionOfAttempt } from '../db/api-executions.ts';
import { loadDefinitions } from '../db/definitions.ts';
import { findExecution } from '../db/executions.ts';
import type { ExecutionId } from '../pipeline/execution.ts';
import { ApiError } from './api-error.ts';
import type { Call, Operation } from './door.ts';
import { isDeclared } from './declared-pipeline.ts';
import { obey } from './obey.ts';
import { pipelineNamed, stageNamed } from './stored-pipeline.ts';

/** Checks in the order of CP-A-6; who may answer is the matter of the key (CP-A-10). */
export const putApprovalResult: Operation<PutApprovalResultInput, PutApprovalResultOutput> = async (call, input) => {
  const { pipelineName, stageName, actionName, result, token } = input;
  const pipeline = await pipelineNamed(call, pipelineName);
  const execution = await executionOfAttempt(call.door.db, token);
  const stage = stageNamed(await declaredFor(call, pipeline, execution), stageName);
  const action = stage.actions.find(({ name }) => name === actionName);
  if (action?.actionTypeId.category !== 'Approval') {
    const message = `Stage '${stageName}' has no approval action named '${actionName}'.`;
    throw new ApiError('ActionNotFoundException', message);
  }
  checkMayApprove(call, pipeline);
  if (execution === null) {
    throw new ApiError('InvalidApprovalTokenException', `The approval '${actionName}' does not wait for this token.`);
  }
  await obey(
    call,
    {
      kind: result.status === 'Approved' ? 'approve' : 'reject',
      lane: pipeline.lane,
      execution: execution as ExecutionId,
      stage: stageName,
      action: actionName,
      token,
      summary: result.summary,
    },
    { operation: 'PutApprovalResult', otherwise: 'InvalidApprovalTokenException' },
  );
  return { approvedAt: call.door.now() };
};

/** A repository's gate counts people by its own rules, which a key is none of, unless the operator said that it counts. */
function checkMayApprove({ caller }: Call, pipeline: ServedPipeline): void {
  if (!isDeclared(pipeline) || caller.mayApprove) return;
  const message = `User: ${caller.arn} is not authorized to perform: codepipeline:PutApprovalResult: the gates of ${pipeline.name} are answered on GitHub. It takes a key made with --may-approve.`;
  throw new ApiError('AccessDeniedException', message);
}

/** A PARALLEL execution goes on with the version that it started with (CP-X-61); all others by the newest one. */
async function declaredFor(
  { door }: Call,
  pipeline: ServedPipeline,
  execution: string | null,
): Promise<Pick<ServedPipeline, 'definition' | 'name'>> {
  const known = execution === null ? null : await findExecution(door.db, execution);
  if (known?.execution.mode !== 'PARALLEL' || known.execution.lane !== pipeline.lane) return pipeline;
  const digest = known.execution.definition;
  const definition = (await loadDefinitions(door.db, [digest]))[digest];
  return definition ? { name: pipeline.name, definition } : pipeline;
}
