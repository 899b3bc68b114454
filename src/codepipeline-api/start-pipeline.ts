import { findExecutionByKey } from '../db/executions.ts';
import type { ApiPipeline } from '../db/api-pipelines.ts';
import type { StartRequest } from '../engine/engine.ts';
import type { ExecutionId } from '../pipeline/execution.ts';
import { ApiError } from './api-error.ts';
import type { Call } from './door.ts';
import { actorOf } from './stored-pipeline.ts';

export interface PipelineStart {
  /** The same intent of the same pipeline is the same execution. */
  readonly intent: string;
  readonly trigger: StartRequest['trigger'];
  readonly sourceRevisions?: StartRequest['sourceRevisions'];
  readonly variables?: StartRequest['variables'];
}

/** Starts an execution of a pipeline that was made through the API. It has no commit, so nothing of GitHub's is told. */
export async function startPipeline(call: Call, pipeline: ApiPipeline, start: PipelineStart): Promise<ExecutionId> {
  const { digest, definition } = pipeline;
  return call.door.engine.start({
    idempotencyKey: keyOf(pipeline, start.intent),
    repositoryId: pipeline.scope,
    pipeline: pipeline.name,
    lane: pipeline.lane,
    definition,
    trigger: start.trigger,
    sourceRevisions: start.sourceRevisions ?? [],
    variables: start.variables ?? [],
    by: actorOf(call.caller),
    context: {
      headSha: '',
      configSha: '',
      configDigest: digest,
      fork: false,
      authors: [],
      unmappedAuthors: [],
      cause: `${start.trigger.type} by ${call.caller.arn}`,
      gates: {},
      bareCommands: true,
    },
  });
}

/** The execution that this intent started before. */
export async function knownStart({ door }: Call, pipeline: ApiPipeline, intent: string): Promise<ExecutionId | null> {
  return (await findExecutionByKey(door.db, keyOf(pipeline, intent)))?.execution.id ?? null;
}

/** How long a client token means the same start (CP-X-8). */
const tokenLifetimeMs = 24 * 60 * 60_000;

/** The intent of a client token: the same within 24 hours of its first use, a new one after. */
export async function intentOfToken({ door }: Call, pipeline: ApiPipeline, token: string): Promise<string> {
  for (let use = 1; use <= 1000; use += 1) {
    const intent = `token/${token}/${use}`;
    const known = await findExecutionByKey(door.db, keyOf(pipeline, intent));
    const isOld = known && door.now().getTime() - Date.parse(known.execution.startedAt) >= tokenLifetimeMs;
    if (!isOld) return intent;
  }
  throw new ApiError('ConflictException', 'This client token was used too often; use a new one.');
}

function keyOf({ lane }: ApiPipeline, intent: string): string {
  return `${lane}/${intent}`;
}
