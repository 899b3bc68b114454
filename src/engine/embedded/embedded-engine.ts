import type { Kysely } from 'kysely';
import type { Database } from '../../db/database.ts';
import { lockWishOf } from '../../db/exclusive-stages.ts';
import { findExecutionByKey } from '../../db/executions.ts';
import { loadLane } from '../../db/lanes.ts';
import { loadRepository } from '../../db/repositories.ts';
import type { RepositoryRef } from '../../github/github.ts';
import type { ActionTypeId, PipelineDefinition } from '../../pipeline/definition.ts';
import { notRunnable } from '../../pipeline/runnable.ts';
import { enqueueReport } from './save-move.ts';
import type { Along, Engine, Obeyed, StartRequest, UpdateRequest } from '../engine.ts';
import type { Actor, ExecutionId } from '../../pipeline/execution.ts';
import type { PipelineCommand } from '../../pipeline/protocol.ts';
import { digestOf } from '../../pipeline/digest.ts';
import { executionIdFor } from '../../pipeline/ids.ts';
import { UserError } from '../../errors.ts';
import { settleExclusiveStage } from './exclusive-stage.ts';
import { RefusedError } from './refused-error.ts';
import { applyInput } from './apply-input.ts';

export interface EmbeddedEngineOptions {
  readonly db: Kysely<Database>;
  /** The host whose disk will hold the artifacts of executions started here. */
  readonly host: string;
  readonly now: () => Date;
  /** What runs here beyond the native action types, for pipelines of this repository (CP-P-6). */
  readonly alsoRuns?: (type: ActionTypeId, repository: RepositoryRef) => boolean;
  /** As people know it; us-east-1 without it. */
  readonly region?: string;
}

export interface EmbeddedEngine extends Engine {
  /**
   * What runs may end and is Cancelled then, what waits is Cancelled at once, except from PARALLEL to PARALLEL
   * (CP-X-61). The same declaration again changes nothing.
   */
  updateDefinition(request: UpdateRequest): Promise<void>;
  /** Why a pipeline of this repository with this declaration could not run here (CP-P-6), if it could not. */
  notRunnable(definition: PipelineDefinition, repositoryId: number): Promise<string | undefined>;
}

/** Runs the pure core over Postgres: see src/engine/engine.ts for the contract. */
export function createEmbeddedEngine(options: EmbeddedEngineOptions): EmbeddedEngine {
  return {
    start: (request) => start(options, request),
    obey: (command, by, along) => obey(options, command, by, along),
    refresh: (execution) => refresh(options, execution),
    updateDefinition: (request) => updateDefinition(options, request),
    notRunnable: (definition, repositoryId) => whyNotRunnable(options, definition, repositoryId),
  };
}

async function whyNotRunnable(
  { db, alsoRuns, region }: EmbeddedEngineOptions,
  definition: PipelineDefinition,
  repositoryId: number,
): Promise<string | undefined> {
  const repository = alsoRuns && (await loadRepository(db, repositoryId));
  const runsToo = (type: ActionTypeId): boolean => (repository ? (alsoRuns?.(type, repository) ?? false) : false);
  return notRunnable(definition, runsToo, region);
}

async function updateDefinition(options: EmbeddedEngineOptions, request: UpdateRequest): Promise<void> {
  const { definition, lane, repositoryId, pipeline, by } = request;
  const digest = digestOf(definition);
  const input = { kind: 'update-definition', definition, digest } as const;
  const pullRequest = request.pullRequest ?? null;
  const at = options.now();
  await applyInput(options.db, { lane, repositoryId, pipeline, pullRequest, input, by, at, seed: `${lane}/${digest}` });
}

/** Also settles the queue that it waits in: whoever held the lock may have gone without a word. */
async function refresh(options: EmbeddedEngineOptions, execution: string): Promise<void> {
  const wish = await lockWishOf(options.db, execution);
  if (wish?.stage) await settleExclusiveStage(options, execution, wish.stage);
  await options.db.transaction().execute((trx) => enqueueReport(trx, execution));
}

async function start(options: EmbeddedEngineOptions, request: StartRequest): Promise<ExecutionId> {
  const known = await findExecutionByKey(options.db, request.idempotencyKey);
  if (known) return known.execution.id;
  try {
    return await startAnew(options, request);
  } catch (error) {
    // Somebody with the same key was quicker, and that execution has ended already.
    const other = await findExecutionByKey(options.db, request.idempotencyKey);
    if (other) return other.execution.id;
    throw error;
  }
}

async function startAnew(options: EmbeddedEngineOptions, request: StartRequest): Promise<ExecutionId> {
  const execution = executionIdFor(request.idempotencyKey);
  const why = await whyNotRunnable(options, request.definition, request.repositoryId);
  const applied = await applyInput(options.db, {
    lane: request.lane,
    repositoryId: request.repositoryId,
    pipeline: request.pipeline,
    pullRequest: request.context.pullRequest ?? null,
    input: {
      kind: 'start',
      execution,
      definition: request.definition,
      digest: digestOf(request.definition),
      trigger: request.trigger,
      sourceRevisions: request.sourceRevisions,
      variables: request.variables,
      ...(request.exclusive && request.exclusive.length > 0 ? { exclusive: request.exclusive } : {}),
      ...(why === undefined ? {} : { notRunnable: why }),
    },
    by: request.by,
    at: options.now(),
    seed: execution,
    birth: { idempotencyKey: request.idempotencyKey, host: options.host, context: request.context },
  });
  if (applied.outcome === 'refused') throw new RefusedError(applied.refusal);
  return execution;
}

async function obey(
  options: EmbeddedEngineOptions,
  command: PipelineCommand,
  by: Actor,
  along?: Along,
): Promise<Obeyed> {
  const lane = await loadLane(options.db, command.lane);
  if (!lane) throw new UserError(`There is no lane ${command.lane}: nothing of this pipeline ran here yet.`);
  const applied = await applyInput(options.db, {
    lane: command.lane,
    repositoryId: lane.repositoryId,
    pipeline: lane.pipeline,
    pullRequest: lane.pullRequest,
    input: command,
    by,
    at: options.now(),
    seed: seedOf(command),
    ...(along ? { along } : {}),
  });
  switch (applied.outcome) {
    case 'moved':
      return { outcome: 'done' };
    case 'ignored':
      return { outcome: 'done' };
    case 'refused':
      return { outcome: 'refused', refusal: applied.refusal };
    default:
      return applied satisfies never;
  }
}

function seedOf(command: PipelineCommand): string {
  return 'execution' in command ? command.execution : command.lane;
}
