import { adminScope, findApiPipeline, type ApiPipeline, type ServedPipeline } from '../db/api-pipelines.ts';
import { loadLane, type Lane } from '../db/lanes.ts';
import { findExecution, type ExecutionRecord } from '../db/executions.ts';
import { ApiError } from './api-error.ts';
import { findDeclared, isDeclared, refuseDeclared, type DeclaredPipeline } from './declared-pipeline.ts';
import type { Call, Caller } from './door.ts';
import { wireName, type Actor } from '../pipeline/execution.ts';
import type { StageDeclaration } from '../pipeline/definition.ts';

/** The pipeline of that name as far as the caller may know of it (CP-X-65). */
export async function pipelineNamed(call: Call, name: string): Promise<ServedPipeline> {
  const found = await findPipeline(call, name);
  if (found) return found;
  throw pipelineNotFound(call, name);
}

export function pipelineNotFound({ door }: Call, name: string): ApiError {
  const message = `The account with AWS account ID '${door.account}' does not include a pipeline named '${name}'`;
  return new ApiError('PipelineNotFoundException', message);
}

/** One that was made through the API comes first. */
export async function findPipeline(call: Call, name: string): Promise<ServedPipeline | null> {
  return (await findApiPipeline(call.door.db, call.caller.scope, name)) ?? findDeclared(call, name);
}

/** For what changes a pipeline: only one that was made through the API. */
export async function apiPipelineNamed(call: Call, name: string): Promise<ApiPipeline> {
  const found = await pipelineNamed(call, name);
  if (isDeclared(found)) throw refuseDeclared(found);
  return found as ApiPipeline;
}

/** What its stages hold; nothing when it is declared and nothing ran in this lane yet. */
export async function stagesOf({ door }: Call, pipeline: ServedPipeline): Promise<Lane['stages']> {
  return (await loadLane(door.db, pipeline.lane))?.stages ?? {};
}

/** Only of this pipeline: another one's execution does not exist here. */
export async function executionOfPipeline(call: Call, pipeline: ServedPipeline, id: string): Promise<ExecutionRecord> {
  const found = await findExecution(call.door.db, id);
  if (found?.execution.lane === pipeline.lane) return found;
  const hint = found && isDeclared(pipeline) ? placeOf(pipeline, found) : '';
  const message = `The pipeline execution with ID ${id} does not exist in the pipeline ${pipeline.name}.${hint}`;
  throw new ApiError('PipelineExecutionNotFoundException', message);
}

function placeOf({ scope, declared }: DeclaredPipeline, { repositoryId, execution }: ExecutionRecord): string {
  if (repositoryId !== scope || execution.pipeline !== declared.pipeline) return '';
  return ` Name the pipeline ${wireName(execution.lane, execution.pipeline)}, where it runs.`;
}

export function stageNamed(
  { definition, name }: Pick<ServedPipeline, 'definition' | 'name'>,
  stage: string,
): StageDeclaration {
  const found = definition.stages.find((one) => one.name === stage);
  if (found) return found;
  throw new ApiError('StageNotFoundException', `The pipeline '${name}' does not have a stage named '${stage}'.`);
}

export function actorOf({ arn }: Caller): Extract<Actor, { kind: 'api' }> {
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
