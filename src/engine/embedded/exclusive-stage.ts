import type { Kysely, Transaction } from 'kysely';
import {
  dropGonePlaces,
  executionsInQueue,
  grantFirstPlace,
  joinExclusiveStage,
  lockExclusiveStage,
  lockWishOf,
  readExclusiveQueue,
  type ExclusiveStage,
} from '../../db/exclusive-stages.ts';
import type { Database } from '../../db/database.ts';
import type { ExecutionRecord } from '../../db/executions.ts';
import type { Actor, StageLock } from '../../pipeline/execution.ts';
import type { LockFact } from '../../pipeline/fact.ts';
import { applyLocked } from './apply-input.ts';

/**
 * One lock for a stage over all lanes, first come first served. The queue is settled as a whole under its own row
 * lock: who is gone leaves, the first one is granted, and everybody whose place changed is told in the same
 * transaction. So it does no harm to settle it twice, late, or after a crash.
 */
export interface LockKeeper {
  readonly db: Kysely<Database>;
  readonly now: () => Date;
}

const keeper: Actor = { kind: 'penstock', why: 'the lock over all lanes' };

/** Settles the queue of a stage, first adding this execution if it still asks for the lock. */
export async function settleExclusiveStage(shell: LockKeeper, execution: string, stage: string): Promise<void> {
  await shell.db.transaction().execute(async (trx) => {
    const known = await lockWishOf(trx, execution);
    if (!known) return;
    const at = { repositoryId: known.repositoryId, pipeline: known.pipeline, stage };
    await lockExclusiveStage(trx, at);
    // Looked at again under the lock: whoever gave up in the meantime has a release on its way, which must find nothing.
    const wish = await lockWishOf(trx, execution);
    if (wish?.stage === stage) await joinExclusiveStage(trx, at, execution);
    await dropGonePlaces(trx, at);
    await grantFirstPlace(trx, at);
    await tellQueue(trx, shell, at);
  });
}

async function tellQueue(trx: Transaction<Database>, shell: LockKeeper, at: ExclusiveStage): Promise<void> {
  const queue = await readExclusiveQueue(trx, at);
  const records = await executionsInQueue(trx, queue);
  let place = 0;
  const news: { readonly record: ExecutionRecord; readonly fact: LockFact }[] = [];
  for (const { execution, granted } of queue) {
    if (!granted) place += 1;
    const record = records.get(execution);
    const lock = record?.execution.lock;
    if (!record || isTold(lock, granted ? 'held' : place)) continue;
    const about = { execution: record.execution.id, stage: at.stage };
    news.push({
      record,
      fact: granted ? { kind: 'lock-granted', ...about } : { kind: 'lock-queued', ...about, place },
    });
  }
  // Lanes are locked in one order by everybody who locks several, so that two queues cannot wait for each other.
  for (const { record, fact } of news.toSorted((a, b) => compare(a.record, b.record))) {
    await applyLocked(trx, {
      lane: record.execution.lane,
      repositoryId: record.repositoryId,
      pipeline: record.pipeline,
      pullRequest: record.pullRequest,
      input: fact,
      by: keeper,
      at: shell.now(),
      seed: record.execution.id,
    });
  }
}

function isTold(lock: StageLock | undefined, known: 'held' | number): boolean {
  return known === 'held' ? lock?.state === 'held' : lock?.state === 'requested' && lock.place === known;
}

function compare(a: ExecutionRecord, b: ExecutionRecord): number {
  const [left, right] = [a.execution.lane, b.execution.lane];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
