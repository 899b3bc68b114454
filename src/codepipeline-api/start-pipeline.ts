import { findExecutionByKey } from '../db/executions.ts';
import type { ServedPipeline } from '../db/api-pipelines.ts';
import { RefusedError } from '../engine/embedded/refused-error.ts';
import type { StartRequest } from '../engine/engine.ts';
import type { Actor, ExecutionId } from '../pipeline/execution.ts';
import { ApiError } from './api-error.ts';
import { isDeclared, type DeclaredPipeline } from './declared-pipeline.ts';
import type { Call } from './door.ts';
import { actorOf } from './stored-pipeline.ts';

export interface PipelineStart {
  /** The same intent of the same pipeline is the same execution. */
  readonly intent: string;
  readonly trigger: StartRequest['trigger'];
  readonly sourceRevisions?: StartRequest['sourceRevisions'];
  readonly variables?: StartRequest['variables'];
}

/** Starts an execution. A pipeline that was made through the API has no commit, so nothing of GitHub's is told. */
export async function startPipeline(call: Call, pipeline: ServedPipeline, start: PipelineStart): Promise<ExecutionId> {
  if (isDeclared(pipeline)) return startDeclared(call, pipeline, start);
  return call.door.engine.start(startRequestOf(pipeline, keyOf(pipeline, start.intent), start, actorOf(call.caller)));
}

/** Of a pipeline that was made through the API. */
export function startRequestOf(
  pipeline: ServedPipeline,
  idempotencyKey: string,
  start: Omit<PipelineStart, 'intent'>,
  by: Extract<Actor, { kind: 'api' }>,
): StartRequest {
  const { digest, definition } = pipeline;
  return {
    idempotencyKey,
    repositoryId: pipeline.scope,
    pipeline: pipeline.name,
    lane: pipeline.lane,
    definition,
    trigger: start.trigger,
    sourceRevisions: start.sourceRevisions ?? [],
    variables: start.variables ?? [],
    by,
    context: {
      headSha: '',
      configSha: '',
      configDigest: digest,
      fork: false,
      authors: [],
      unmappedAuthors: [],
      cause: `${start.trigger.type} by ${by.arn}`,
      gates: {},
      bareCommands: true,
    },
  };
}

/** On a commit of its repository: its source actions that read another place take what is newest there. */
async function startDeclared({ door, caller }: Call, pipeline: DeclaredPipeline, start: PipelineStart) {
  const { repositories } = door;
  if (!repositories) throw new Error(`the pipeline ${pipeline.name} is declared in a repository, and none is known`);
  const [sha, ...more] = new Set((start.sourceRevisions ?? []).map(({ revisionId }) => revisionId));
  if (more.length > 0 || (sha !== undefined && !/^[0-9a-f]{40}$/.test(sha))) {
    throw new ApiError('ValidationException', 'A pipeline of a repository takes one commit: give its 40 digits.');
  }
  const { pipeline: name, pullRequest } = pipeline.declared;
  return repositories.start({
    idempotencyKey: keyOf(pipeline, start.intent),
    repositoryId: pipeline.scope,
    pipeline: name,
    pullRequest,
    ...(sha === undefined ? {} : { sha }),
    variables: start.variables ?? [],
    by: actorOf(caller),
  });
}

/** The model has no exception for a start whose declaration cannot run here any more (CP-P-6). */
export function declaredOnly(error: unknown): never {
  if (!(error instanceof RefusedError) || error.refusal.rule !== 'CP-P-6') throw error;
  throw new ApiError('ValidationException', error.message);
}

/** The execution that this intent started before. */
export async function knownStart(
  { door }: Call,
  pipeline: ServedPipeline,
  intent: string,
): Promise<ExecutionId | null> {
  return (await findExecutionByKey(door.db, keyOf(pipeline, intent)))?.execution.id ?? null;
}

/** How long a client token means the same start (CP-X-8). */
const tokenLifetimeMs = 24 * 60 * 60_000;

/** The intent of a client token: the same within 24 hours of its first use, a new one after. */
export async function intentOfToken({ door }: Call, pipeline: ServedPipeline, token: string): Promise<string> {
  for (let use = 1; use <= 1000; use += 1) {
    const intent = `token/${token}/${use}`;
    const known = await findExecutionByKey(door.db, keyOf(pipeline, intent));
    const isOld = known && door.now().getTime() - Date.parse(known.execution.startedAt) >= tokenLifetimeMs;
    if (!isOld) return intent;
  }
  throw new ApiError('ConflictException', 'This client token was used too often; use a new one.');
}

function keyOf({ lane }: ServedPipeline, intent: string): string {
  return `${lane}/${intent}`;
}
