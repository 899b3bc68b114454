import type { Kysely, Transaction } from 'kysely';
import type { Database } from '../../db/database.ts';
import type { ActionOutput } from '../../db/engine-tables.ts';
import { lockLane } from '../../db/lanes.ts';
import { recordMove } from '../../db/pipeline-decisions.ts';
import type { Along, ExecutionContext } from '../engine.ts';
import type { Actor, ActionExecutionId, LaneKey } from '../../pipeline/execution.ts';
import type { Input, Refusal } from '../../pipeline/protocol.ts';
import { changes, type Change } from '../../pipeline/changes.ts';
import { transition } from '../../pipeline/transition.ts';
import { loadState } from './load-state.ts';
import { saveMove } from './save-move.ts';

/**
 * The only writer of engine state: lock the lane, load, decide, save the new state with its effect jobs and report
 * jobs, all in one transaction. It never waits for the network.
 */
export interface InputRequest {
  readonly lane: LaneKey;
  readonly repositoryId: number;
  readonly pipeline: string;
  readonly pullRequest: number | null;
  readonly input: Input;
  readonly by: Actor;
  readonly at: Date;
  /** Makes the ids of everything that this input brings to life; the same for a repeated input. */
  readonly seed: string;
  /** Of a start or a rollback: what to remember beside the new execution. */
  readonly birth?: Birth;
  /** Of a fact that ends an action: what it put out. */
  readonly output?: { readonly action: ActionExecutionId; readonly output: ActionOutput };
  readonly along?: Along;
}

export interface Birth {
  readonly idempotencyKey: string;
  readonly host: string;
  readonly context: ExecutionContext;
}

export type Applied =
  | { readonly outcome: 'moved'; readonly changes: readonly Change[] }
  | { readonly outcome: 'ignored'; readonly why: string }
  | { readonly outcome: 'refused'; readonly refusal: Refusal };

export function applyInput(db: Kysely<Database>, request: InputRequest): Promise<Applied> {
  return db.transaction().execute((trx) => applyLocked(trx, request));
}

/** The same inside a transaction that is open already: for facts about several lanes that must count together. */
export async function applyLocked(trx: Transaction<Database>, request: InputRequest): Promise<Applied> {
  const lane = await lockLane(trx, request.lane, {
    repositoryId: request.repositoryId,
    pipeline: request.pipeline,
    ...(request.pullRequest === null ? {} : { pullRequest: request.pullRequest }),
  });
  const loaded = await loadState(trx, lane, request.input);
  const refusal = await request.along?.recheck?.(trx);
  if (refusal) return { outcome: 'refused', refusal };
  const moved = transition(loaded.state, request.input, { at: request.at, seed: request.seed, by: request.by });
  if (moved.outcome !== 'moved') return moved;
  const changed = changes(loaded.state, moved.state);
  await recordMove(trx, request);
  await saveMove(trx, { request, before: loaded, after: moved.state, effects: moved.effects, changes: changed });
  await request.along?.onDone?.(trx);
  return { outcome: 'moved', changes: changed };
}
