import type { Kysely } from 'kysely';
import type { Database } from '../../db/database.ts';
import { findExecution, findExecutionByKey } from '../../db/executions.ts';
import { loadLane } from '../../db/lanes.ts';
import { enqueueReport } from './save-move.ts';
import type { Engine, Obeyed, Recheck, StartRequest } from '../engine.ts';
import type { Actor, ExecutionId } from '../../pipeline/execution.ts';
import type { PipelineCommand } from '../../pipeline/protocol.ts';
import { digestOf } from '../../pipeline/digest.ts';
import { executionIdFor } from '../../pipeline/ids.ts';
import { UserError } from '../../errors.ts';
import { applyInput } from './apply-input.ts';

export interface EmbeddedEngineOptions {
  readonly db: Kysely<Database>;
  /** The host whose disk will hold the artifacts of executions started here. */
  readonly host: string;
  readonly now: () => Date;
}

/** Runs the pure core over Postgres: see src/engine/engine.ts for the contract. */
export function createEmbeddedEngine(options: EmbeddedEngineOptions): Engine {
  return {
    start: (request) => start(options, request),
    obey: (command, by, recheck) => obey(options, command, by, recheck),
    refresh: (execution) => options.db.transaction().execute((trx) => enqueueReport(trx, execution)),
  };
}

async function start(options: EmbeddedEngineOptions, request: StartRequest): Promise<ExecutionId> {
  const known = await findExecutionByKey(options.db, request.idempotencyKey);
  if (known) return known.execution.id;
  const execution = executionIdFor(request.idempotencyKey);
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
    },
    by: request.by,
    at: options.now(),
    seed: execution,
    birth: { idempotencyKey: request.idempotencyKey, host: options.host, context: request.context },
  });
  if (applied.outcome === 'refused') throw new UserError(applied.refusal.message);
  return execution;
}

async function obey(
  options: EmbeddedEngineOptions,
  command: PipelineCommand,
  by: Actor,
  recheck?: Recheck,
): Promise<Obeyed> {
  const lane = await loadLane(options.db, command.lane);
  if (!lane) throw new UserError(`There is no lane ${command.lane}: nothing of this pipeline ran here yet.`);
  const target = command.kind === 'rollback' ? await findExecution(options.db, command.target) : undefined;
  const applied = await applyInput(options.db, {
    lane: command.lane,
    repositoryId: lane.repositoryId,
    pipeline: lane.pipeline,
    pullRequest: lane.pullRequest,
    input: command,
    by,
    at: options.now(),
    seed: seedOf(command),
    ...(target && command.kind === 'rollback'
      ? { birth: { idempotencyKey: `rollback/${command.execution}`, host: target.host, context: target.context } }
      : {}),
    ...(recheck ? { recheck } : {}),
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
