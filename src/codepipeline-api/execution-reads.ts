import type {
  ArtifactRevision,
  GetPipelineExecutionInput,
  GetPipelineExecutionOutput,
  ListPipelineExecutionsInput,
  ListPipelineExecutionsOutput,
  PipelineExecutionSummary,
} from '@aws-sdk/client-codepipeline';
import { executionPage } from '../db/api-executions.ts';
import type { ServedPipeline } from '../db/api-pipelines.ts';
import { loadDefinitions } from '../db/definitions.ts';
import type { ExecutionRecord } from '../db/executions.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Execution } from '../pipeline/execution.ts';
import { stageStatus } from '../pipeline/status.ts';
import type { Call, Operation } from './door.ts';
import { artifactNameOf, statusSummaryOf, takenRevisions, triggerOf, typeOf, wireRevision } from './execution-words.ts';
import { readToken, tokenMember } from './paging.ts';
import { executionOfPipeline, pipelineNamed } from './stored-pipeline.ts';

export const getPipelineExecution: Operation<GetPipelineExecutionInput, GetPipelineExecutionOutput> = async (
  call,
  { pipelineName, pipelineExecutionId },
) => {
  const pipeline = await pipelineNamed(call, pipelineName);
  const { execution, status } = await executionOfPipeline(call, pipeline, pipelineExecutionId);
  const definition = await definitionOf(call, execution);
  return {
    pipelineExecution: {
      pipelineName,
      pipelineVersion: definition.version,
      pipelineExecutionId: execution.id,
      status,
      ...statusSummaryOf(execution),
      artifactRevisions: artifactRevisions(execution, definition),
      variables: execution.variables.map(({ name, value }) => ({ name, resolvedValue: value })),
      trigger: triggerOf(execution),
      executionMode: execution.mode,
      ...typeOf(execution),
    },
  };
};

async function definitionOf({ door }: Call, { id, definition }: Execution): Promise<PipelineDefinition> {
  const found = (await loadDefinitions(door.db, [definition]))[definition];
  if (!found) throw new Error(`the definition of execution ${id} is missing`);
  return found;
}

function artifactRevisions(execution: Execution, definition: PipelineDefinition): ArtifactRevision[] {
  const runs = execution.stages.flatMap((stage) => stage.actions);
  return takenRevisions(execution).map(({ actionName, revisionId, revisionSummary, revisionUrl, ...known }) => ({
    name: artifactNameOf(definition, actionName),
    revisionId,
    ...(known.revisionChangeId !== undefined && { revisionChangeIdentifier: known.revisionChangeId }),
    created: new Date(
      known.created ?? runs.find(({ action }) => action === actionName)?.endedAt ?? execution.startedAt,
    ),
    ...(revisionSummary !== undefined && { revisionSummary }),
    ...(revisionUrl !== undefined && { revisionUrl }),
  }));
}

const pageSize = 100;

export const listPipelineExecutions: Operation<ListPipelineExecutionsInput, ListPipelineExecutionsOutput> = async (
  call,
  input,
) => {
  const pipeline = await pipelineNamed(call, input.pipelineName);
  const stage = input.filter?.succeededInStage?.stageName;
  const query = { operation: 'ListPipelineExecutions', about: [pipeline.lane, stage ?? null] };
  const token = readToken(call, query, input.nextToken);
  const before = token === undefined ? undefined : Number(token);
  const size = input.maxResults ?? pageSize;
  const found = await matching(call, pipeline, { stage, before, limit: size + 1 });
  const shown = found.slice(0, size);
  const next = found.length > size ? String(shown.at(-1)?.execution.order) : undefined;
  return { pipelineExecutionSummaries: shown.map(summaryOf), ...tokenMember(call, query, next) };
};

interface Wanted {
  readonly stage: string | undefined;
  readonly before: number | undefined;
  readonly limit: number;
}

async function matching(call: Call, pipeline: ServedPipeline, wanted: Wanted): Promise<readonly ExecutionRecord[]> {
  const found: ExecutionRecord[] = [];
  let { before } = wanted;
  for (;;) {
    const page = await executionPage(call.door.db, pipeline.lane, {
      limit: wanted.limit,
      ...(before === undefined ? {} : { before }),
    });
    found.push(...page.filter(({ execution }) => fits(execution, pipeline, wanted.stage)));
    before = page.at(-1)?.execution.order;
    if (found.length >= wanted.limit || page.length < wanted.limit) return found.slice(0, wanted.limit);
  }
}

/** `succeededInStage` lists what a rollback may go back to: standard executions of the current version (CP-X-56). */
function fits(execution: Execution, { digest, definition }: ServedPipeline, stage: string | undefined): boolean {
  if (stage === undefined) return true;
  const run = execution.stages.find((one) => one.stage === stage);
  const isCurrent = execution.definition === digest && execution.type === 'STANDARD';
  return isCurrent && run !== undefined && stageStatus(run, execution, definition) === 'Succeeded';
}

function summaryOf({ execution, status }: ExecutionRecord): PipelineExecutionSummary {
  const { stop } = execution;
  return {
    pipelineExecutionId: execution.id,
    status,
    ...statusSummaryOf(execution),
    startTime: new Date(execution.startedAt),
    lastUpdateTime: new Date(execution.updatedAt),
    sourceRevisions: takenRevisions(execution).map(wireRevision),
    trigger: triggerOf(execution),
    ...(stop && { stopTrigger: { reason: stop.reason ?? '' } }),
    executionMode: execution.mode,
    ...typeOf(execution),
  };
}
