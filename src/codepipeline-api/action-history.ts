import type {
  ActionExecutionDetail,
  ActionExecutionInput,
  ActionExecutionOutput,
  ListActionExecutionsInput,
  ListActionExecutionsOutput,
} from '@aws-sdk/client-codepipeline';
import { actionAttempts, actionRecords, type AttemptRef } from '../db/api-executions.ts';
import type { ActionInput, ActionOutput } from '../db/engine-tables.ts';
import type { ActionDeclaration } from '../pipeline/definition.ts';
import type { ActionRun } from '../pipeline/execution.ts';
import { attemptsOf } from '../pipeline/status.ts';
import type { Call, Operation } from './door.ts';
import { artifactDetails, historyPage, masked, type HistoryPage } from './history.ts';
import { mask, secretKeys } from './secret-values.ts';
import { actorText, pipelineNamed } from './stored-pipeline.ts';

/** Every attempt, newest first (CP-X-70). */
export const listActionExecutions: Operation<ListActionExecutionsInput, ListActionExecutionsOutput> = async (
  call,
  input,
) => {
  const { db } = call.door;
  const pipeline = await pipelineNamed(call, input.pipelineName);
  const source = actionAttempts.bind(undefined, db);
  const page = await historyPage(call, pipeline, { operation: 'ListActionExecutions', input, source });
  const records = await actionRecords(
    db,
    page.attempts.map(({ id }) => id),
  );
  const details = page.attempts.map((attempt) => detailOf(call, page, attempt, records.get(attempt.id) ?? nothing));
  return { actionExecutionDetails: (await Promise.all(details)).flat(), ...page.token };
};

interface Stored {
  readonly input: ActionInput | null;
  readonly output: ActionOutput | null;
}

const nothing: Stored = { input: null, output: null };

async function detailOf(
  call: Call,
  { executions, definitions }: HistoryPage,
  { id, execution: executionId }: AttemptRef,
  stored: Stored,
): Promise<ActionExecutionDetail[]> {
  const execution = executions.get(executionId);
  const definition = execution && definitions[execution.definition];
  for (const stage of execution?.stages ?? []) {
    const run = attemptsOf(stage).find((one) => one.id === id);
    const declared = definition?.stages.find((one) => one.name === stage.stage);
    const action = declared?.actions.find((one) => one.name === run?.action);
    if (!run || !action || !definition) continue;
    const secret = await secretKeys(call.door, action);
    return [
      {
        pipelineExecutionId: executionId,
        actionExecutionId: id,
        pipelineVersion: definition.version,
        stageName: stage.stage,
        actionName: run.action,
        startTime: new Date(run.startedAt),
        lastUpdateTime: new Date(run.endedAt ?? run.startedAt),
        ...(run.answeredBy && { updatedBy: actorText(run.answeredBy) }),
        status: run.status,
        input: inputOf(action, stored.input, secret),
        output: outputOf(run, stored),
      },
    ];
  }
  return [];
}

function inputOf(
  { actionTypeId, configuration, roleArn, region, namespace }: ActionDeclaration,
  input: ActionInput | null,
  secret: ReadonlySet<string>,
): ActionExecutionInput {
  return {
    actionTypeId,
    configuration: masked(configuration, secret, mask),
    ...(input && { resolvedConfiguration: masked(input.resolvedConfiguration, secret, mask) }),
    ...(roleArn !== undefined && { roleArn }),
    ...(region !== undefined && { region }),
    inputArtifacts: artifactDetails(input?.inputArtifacts),
    ...(namespace !== undefined && { namespace }),
  };
}

function outputOf(run: ActionRun, { input, output }: Stored): ActionExecutionOutput {
  const { status, summary, error, externalExecutionUrl, token } = run;
  // A waiting approval is answered with what stands here; in PARALLEL mode it stands nowhere else (CP-A-1).
  const externalId = run.externalExecutionId ?? (status === 'InProgress' ? token : undefined);
  const text = summary ?? output?.summary;
  return {
    outputArtifacts: artifactDetails(input?.outputArtifacts),
    executionResult: {
      ...(externalId !== undefined && { externalExecutionId: externalId }),
      ...(text !== undefined && { externalExecutionSummary: text }),
      ...(externalExecutionUrl !== undefined && { externalExecutionUrl }),
      ...(error && status === 'Failed' && { errorDetails: { code: error.code, message: error.message } }),
    },
    outputVariables: { ...output?.outputVariables },
  };
}
