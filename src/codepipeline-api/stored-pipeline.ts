import { adminScope, findApiPipeline, type ApiPipeline } from '../db/api-pipelines.ts';
import { loadLane, type Lane } from '../db/lanes.ts';
import { findExecution, type ExecutionRecord } from '../db/executions.ts';
import { ApiError } from './api-error.ts';
import type { Call, Caller } from './door.ts';
import type { Actor } from '../pipeline/execution.ts';
import type { StageDeclaration } from '../pipeline/definition.ts';

/** The pipeline of that name as far as the caller may know of it (CP-X-65). */
export async function pipelineNamed({ door, caller }: Call, name: string): Promise<ApiPipeline> {
  const found = await findApiPipeline(door.db, caller.scope, name);
  if (found) return found;
  const message = `The account with AWS account ID '${door.account}' does not include a pipeline named '${name}'`;
  throw new ApiError('PipelineNotFoundException', message);
}

export async function laneOf({ door }: Call, pipeline: ApiPipeline): Promise<Lane> {
  const lane = await loadLane(door.db, pipeline.lane);
  if (!lane) throw new Error(`the pipeline ${pipeline.name} has no lane ${pipeline.lane}`);
  return lane;
}

/** Only of this pipeline: another one's execution does not exist here. */
export async function executionOfPipeline(call: Call, pipeline: ApiPipeline, id: string): Promise<ExecutionRecord> {
  const found = await findExecution(call.door.db, id);
  if (found?.execution.lane === pipeline.lane) return found;
  const message = `The pipeline execution with ID ${id} does not exist in the pipeline ${pipeline.name}.`;
  throw new ApiError('PipelineExecutionNotFoundException', message);
}

export function stageNamed({ definition, name }: ApiPipeline, stage: string): StageDeclaration {
  const found = definition.stages.find((one) => one.name === stage);
  if (found) return found;
  throw new ApiError('StageNotFoundException', `The pipeline '${name}' does not have a stage named '${stage}'.`);
}

export function actorOf({ arn }: Caller): Actor {
  return { kind: 'api', arn };
}

/** Who did something, as the API tells it: an ARN for its own callers, words for everybody else. */
export function actorText(actor: Actor): string {
  switch (actor.kind) {
    case 'api':
      return actor.arn;
    case 'person':
      return actor.login;
    case 'penstock':
      return 'penstock';
    default:
      return actor satisfies never;
  }
}

export function isAdmin({ scope }: Caller): boolean {
  return scope === adminScope;
}
