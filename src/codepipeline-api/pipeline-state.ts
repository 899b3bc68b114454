import type {
  ActionState,
  GetPipelineStateInput,
  GetPipelineStateOutput,
  StageExecution,
  StageState,
  TransitionState,
} from '@aws-sdk/client-codepipeline';
import type { ServedPipeline } from '../db/api-pipelines.ts';
import { loadDefinitions } from '../db/definitions.ts';
import { loadExecutions } from '../db/executions.ts';
import type { ActionDeclaration, PipelineDefinition, StageDeclaration } from '../pipeline/definition.ts';
import type { ActionRun, Execution, StageRun } from '../pipeline/execution.ts';
import type { StageBook, TransitionSetting } from '../pipeline/protocol.ts';
import { attemptsOf, stageStatus } from '../pipeline/status.ts';
import { conditionStates } from './condition-states.ts';
import { customLinks, customTypesIn, type CustomTypes } from './custom-links.ts';
import type { Call, Operation } from './door.ts';
import { actorText, pipelineNamed, stagesOf } from './stored-pipeline.ts';

/** The latest of each stage: different stages may show different executions (CP-X-66). */
export const getPipelineState: Operation<GetPipelineStateInput, GetPipelineStateOutput> = async (call, { name }) => {
  const pipeline = await pipelineNamed(call, name);
  const stages = await stagesOf(call, pipeline);
  const { definition } = pipeline;
  // PARALLEL executions do not share a state that could be shown (CP 2.2).
  const books = definition.executionMode === 'PARALLEL' ? withoutExecutions(stages) : stages;
  const known = { ...(await executionsIn(call, pipeline, books)), types: await customTypesIn(call.door, definition) };
  return {
    pipelineName: name,
    pipelineVersion: pipeline.version,
    stageStates: definition.stages.map((stage) =>
      stageState(stage, (Object.hasOwn(books, stage.name) ? books[stage.name] : undefined) ?? { inbound: [] }, known),
    ),
    created: pipeline.createdAt,
    updated: pipeline.updatedAt,
  };
};

type Books = Readonly<Record<string, StageBook>>;

function withoutExecutions(books: Books): Books {
  return Object.fromEntries(
    Object.entries(books).map(([stage, { inboundTransition }]) => [
      stage,
      { inbound: [], ...(inboundTransition && { inboundTransition }) },
    ]),
  );
}

interface Known {
  readonly executions: ReadonlyMap<string, Execution>;
  readonly definitions: Readonly<Record<string, PipelineDefinition>>;
  readonly types: CustomTypes;
}

async function executionsIn(
  { door }: Call,
  { digest, definition }: ServedPipeline,
  books: Books,
): Promise<Omit<Known, 'types'>> {
  const ids = Object.values(books).flatMap(({ inbound, latestEntered }) => [...inbound, latestEntered ?? []].flat());
  const records = await loadExecutions(door.db, [...new Set(ids)]);
  // Mostly all of them go by the definition that was just read.
  const others = new Set(records.map(({ execution }) => execution.definition).filter((one) => one !== digest));
  return {
    executions: new Map(records.map(({ execution }) => [execution.id, execution])),
    definitions: { [digest]: definition, ...(await loadDefinitions(door.db, [...others])) },
  };
}

function stageState(stage: StageDeclaration, book: StageBook, known: Known): StageState {
  const inboundExecutions = book.inbound.flatMap((id): StageExecution[] => {
    const execution = known.executions.get(id);
    return execution ? [{ pipelineExecutionId: id, status: 'InProgress', ...rollbackType(execution) }] : [];
  });
  const [next] = inboundExecutions;
  const execution = book.latestEntered === undefined ? undefined : known.executions.get(book.latestEntered);
  const definition = execution && known.definitions[execution.definition];
  const run = execution?.stages.find((one) => one.stage === stage.name);
  return {
    stageName: stage.name,
    ...(next && { inboundExecution: next }),
    inboundExecutions,
    inboundTransitionState: transitionState(book.inboundTransition),
    actionStates: stage.actions.map((action) => actionState(action, run, execution, known.types)),
    ...(execution && definition && run && latestOf(execution, definition, run, stage)),
  };
}

function latestOf(
  execution: Execution,
  definition: PipelineDefinition,
  run: StageRun,
  stage: StageDeclaration,
): Partial<StageState> {
  return {
    latestExecution: {
      pipelineExecutionId: execution.id,
      status: stageStatus(run, execution, definition),
      ...rollbackType(execution),
    },
    ...conditionStates(stage, run),
    ...(run.retries && {
      retryStageMetadata: {
        manualStageRetryAttempt: run.retries.manual,
        autoStageRetryAttempt: run.retries.automatic,
        latestRetryTrigger: run.retries.latest,
      },
    }),
  };
}

function rollbackType({ type }: Execution): { type?: 'ROLLBACK' } {
  return type === 'ROLLBACK' ? { type } : {};
}

/** What follows `enabled` is there once somebody changed it (CP-X-24). */
function transitionState(setting: TransitionSetting | undefined): TransitionState {
  if (!setting) return { enabled: true };
  return {
    enabled: setting.enabled,
    lastChangedBy: actorText(setting.changedBy),
    lastChangedAt: new Date(setting.changedAt),
    ...(setting.reason !== undefined && { disabledReason: setting.reason }),
  };
}

function actionState(
  declared: ActionDeclaration,
  stage: StageRun | undefined,
  execution: Execution | undefined,
  types: CustomTypes,
): ActionState {
  const run = stage && attemptsOf(stage).findLast(({ action }) => action === declared.name);
  return {
    actionName: declared.name,
    ...(run && execution && currentRevision(declared, run, execution)),
    ...customLinks(types, declared, run),
    ...(run && { latestExecution: actionExecution(run) }),
  };
}

/** Of a source action that is done (CP-X-67). */
function currentRevision(declared: ActionDeclaration, run: ActionRun, execution: Execution): Partial<ActionState> {
  if (declared.actionTypeId.category !== 'Source' || run.status !== 'Succeeded') return {};
  const revision = execution.sourceRevisions.find(({ actionName }) => actionName === declared.name);
  if (!revision) return {};
  const { revisionId, revisionUrl, revisionChangeId = revisionId, created = run.endedAt ?? run.startedAt } = revision;
  return {
    currentRevision: { revisionId, revisionChangeId, created: new Date(created) },
    ...(revisionUrl !== undefined && { revisionUrl, entityUrl: revisionUrl }),
  };
}

function actionExecution(run: ActionRun): NonNullable<ActionState['latestExecution']> {
  const { id, status, startedAt, endedAt, summary, error, answeredBy, percentComplete } = run;
  const text = summary ?? error?.message;
  return {
    actionExecutionId: id,
    status,
    ...(text !== undefined && text !== '' && { summary: text }),
    lastStatusChange: new Date(endedAt ?? startedAt),
    // Only while somebody may answer with it (CP-A-1).
    ...(status === 'InProgress' && run.token !== undefined && { token: run.token }),
    ...(answeredBy && { lastUpdatedBy: actorText(answeredBy) }),
    ...(run.externalExecutionId !== undefined && { externalExecutionId: run.externalExecutionId }),
    ...(run.externalExecutionUrl !== undefined && { externalExecutionUrl: run.externalExecutionUrl }),
    ...(percentComplete !== undefined && { percentComplete }),
    ...(error && status === 'Failed' && { errorDetails: { code: error.code, message: error.message } }),
  };
}
