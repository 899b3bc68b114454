import type { Kysely } from 'kysely';
import type { Database } from '../db/database.ts';
import type { ExecutionRecord } from '../db/executions.ts';
import { findExecution } from '../db/executions.ts';
import { holderOfExclusiveStage } from '../db/exclusive-stages.ts';
import { loadLane } from '../db/lanes.ts';
import type { ExecutionView } from '../render/view.ts';

/**
 * Who is in the stage that an execution waits to enter, and its place in the queue where the stage has one lock over all
 * lanes. Told anew whenever it changes.
 */
export async function queueView(db: Kysely<Database>, record: ExecutionRecord): Promise<Pick<ExecutionView, 'queue'>> {
  const { execution, repositoryId, pipeline } = record;
  const { lock } = execution;
  if (lock?.state !== 'requested' || lock.place === undefined) return occupied(db, record);
  const { stage, place } = lock;
  const holder = await holderOfExclusiveStage(db, { repositoryId, pipeline, stage });
  return { queue: { stage, place, ...(holder ? { behind: holder } : {}) } };
}

/** An earlier execution of the same lane, for example one that waits for an approval there. */
async function occupied(
  db: Kysely<Database>,
  { execution: { id, lane: key, waitingAt: stage } }: ExecutionRecord,
): Promise<Pick<ExecutionView, 'queue'>> {
  if (stage === undefined) return {};
  const occupant = (await loadLane(db, key))?.stages[stage]?.latestEntered;
  const found = occupant === undefined || occupant === id ? null : await findExecution(db, occupant);
  return found?.live ? { queue: { stage, behind: { headSha: found.context.headSha } } } : {};
}
