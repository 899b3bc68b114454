import { z } from 'zod';
import { saveActionInput } from '../../db/action-executions.ts';
import { findCustomActionType, type CustomActionType } from '../../db/custom-action-types.ts';
import { claimFunctionCall, markFunctionCalled, queueWorkerJob, type WorkerJobData } from '../../db/worker-jobs.ts';
import { actionTypeName } from '../../pipeline/action-types.ts';
import { ownRegion } from '../../pipeline/structure-checks.ts';
import type { ActionDeclaration } from '../../pipeline/definition.ts';
import type { ActionError } from '../../pipeline/execution.ts';
import type { AnyProvider, StartedAction } from '../../providers/provider.ts';
import type { ActionSite } from './action-site.ts';
import type { FunctionAnswer } from './aws-calls.ts';
import { callSubject, refusedToFork } from './call-subject.ts';
import { describeAction } from './describe-action.ts';
import { handOut, jobInputs } from './invoke-function.ts';
import { applyFact, applyReport } from './report-fact.ts';
import type { EffectRunner } from './run-effect.ts';
import { workerJobId } from './worker-job-id.ts';

/** Actions that somebody else does: a job worker that polls (CP 4.2), or a Lambda function that is called (CP 4.3). */
export function isHandedOver(runner: EffectRunner, { actionTypeId }: ActionDeclaration): boolean {
  return actionTypeId.owner === 'Custom' || (isFunction(actionTypeId) && runner.aws?.invokeFunction !== undefined);
}

function isFunction({ category, owner, provider }: ActionDeclaration['actionTypeId']): boolean {
  return category === 'Invoke' && owner === 'AWS' && provider === 'Lambda';
}

/** Queues the action's first worker job, once; how it ends comes by putJobSuccess or putJobFailure. */
export async function handOverAction(runner: EffectRunner, site: ActionSite): Promise<void> {
  const { actionTypeId } = site.declaration;
  const type = actionTypeId.owner === 'Custom' ? await findCustomActionType(runner.db, actionTypeId) : null;
  if (actionTypeId.owner === 'Custom' && (!type || type.deleted)) {
    const message = `${actionTypeName(actionTypeId)} is not registered. Create the custom action type, then retry the stage.`;
    return fail(runner, site, { code: 'ConfigurationError', message });
  }
  const described = await describeAction(runner, site, anything(site.declaration));
  if (described.kind === 'unresolved') return applyReport(runner, site, described.report);
  await saveActionInput(runner.db, site.run.id, described.input);
  const data = jobData(site, described.action);
  if (type) return queueForWorkers(runner, site, data, type.declaration);
  await callFunction(runner, site, data);
}

/** A function that asked to be called again (CP-J-9); workers find their jobs by themselves. */
export async function continueFunction(runner: EffectRunner, site: ActionSite): Promise<void> {
  const invoke = runner.aws?.invokeFunction;
  const job = invoke ? await claimFunctionCall(runner.db, site.run.id) : null;
  if (!invoke || !job) return;
  const functionName = job.data.configuration['FunctionName'] ?? '';
  const answer = await invoke({ subject: callSubject(site), functionName, region: site.declaration.region, job });
  await markFunctionCalled(runner.db, job.id);
  await takeAnswer(runner, site, functionName, answer);
}

/** No schema of its own: what a type of somebody else takes is known by its registration only. */
function anything({ actionTypeId }: ActionDeclaration): AnyProvider {
  return {
    type: actionTypeId,
    configuration: z.record(z.string(), z.string()),
    artifacts: { in: [0, 5], out: [0, 5] },
    start: () => Promise.resolve({ kind: 'waiting' }),
  };
}

function jobData(site: ActionSite, action: StartedAction<unknown>): WorkerJobData {
  return {
    actionTypeId: site.declaration.actionTypeId,
    configuration: action.declaration.configuration,
    pipelineContext: {
      repositoryId: site.record.repositoryId,
      pipelineName: site.record.pipeline,
      stage: site.stage,
      action: site.declaration.name,
      actionExecutionId: site.run.id,
      pipelineExecutionId: site.record.execution.id,
    },
    inputArtifacts: jobInputs(site, action.inputs),
    outputArtifacts: action.outputs,
    ...encryptionKeyOf(site),
  };
}

/** Of the store in the action's own region, where there are several. */
function encryptionKeyOf({ declaration, definition }: ActionSite): Pick<WorkerJobData, 'encryptionKey'> {
  const { artifactStore, artifactStores = {} } = definition;
  const store = artifactStore ?? artifactStores[declaration.region ?? ownRegion(definition.stages) ?? ''];
  return store?.encryptionKey ? { encryptionKey: store.encryptionKey } : {};
}

async function queueForWorkers(
  runner: EffectRunner,
  site: ActionSite,
  data: WorkerJobData,
  { configurationProperties }: CustomActionType,
): Promise<void> {
  const missing = configurationProperties.find(({ required, name }) => required && !data.configuration[name]);
  if (missing) {
    const message = `Action '${site.declaration.name}' lacks the required configuration property '${missing.name}'.`;
    return fail(runner, site, { code: 'ConfigurationError', message });
  }
  const queryable = configurationProperties.find((property) => property.queryable);
  const queryValue = queryable && data.configuration[queryable.name];
  await queueWorkerJob(runner.db, {
    id: workerJobId(site.run.id, 1),
    execution: site.record.execution.id,
    subject: 'action',
    subjectId: site.run.id,
    data,
    status: 'Queued',
    ...(queryValue === undefined ? {} : { queryValue }),
  });
  const about = { execution: site.record.execution.id, action: site.run.id };
  await applyFact(runner, site, { kind: 'action-running', ...about });
}

async function callFunction(runner: EffectRunner, site: ActionSite, data: WorkerJobData): Promise<void> {
  const functionName = data.configuration['FunctionName'] ?? '';
  const forked = refusedToFork(site);
  if (forked) return takeAnswer(runner, site, functionName, forked);
  const job = await handOut(runner, {
    execution: site.record.execution.id,
    subject: 'action',
    subjectId: site.run.id,
    data,
  });
  const invoke = runner.aws?.invokeFunction;
  if (!invoke) throw new Error(`action ${site.run.id} needs a Lambda client that is gone`);
  const answer = await invoke({ subject: callSubject(site), functionName, region: site.declaration.region, job });
  await takeAnswer(runner, site, functionName, answer);
}

function takeAnswer(
  runner: EffectRunner,
  site: ActionSite,
  functionName: string,
  answer: FunctionAnswer,
): Promise<void> {
  const about = { execution: site.record.execution.id, action: site.run.id };
  switch (answer.kind) {
    case 'accepted':
      // CP-J-20.
      return applyFact(runner, site, { kind: 'action-running', ...about, externalExecutionId: functionName });
    case 'missing': {
      // CP-J-19.
      const message = `The AWS Lambda function ${functionName} does not exist.`;
      return fail(runner, site, { code: 'ConfigurationError', message });
    }
    case 'refused':
      return fail(runner, site, { code: answer.code, message: answer.message });
    case 'error':
      return fail(runner, site, { code: 'JobFailed', message: answer.message });
    default:
      return answer satisfies never;
  }
}

function fail(runner: EffectRunner, site: ActionSite, error: ActionError): Promise<void> {
  return applyReport(runner, site, { kind: 'failed', error });
}
