import type { Kysely } from 'kysely';
import type { Database } from '../db/database.ts';
import type { ExecutionRecord } from '../db/executions.ts';
import { holderOfExclusiveStage } from '../db/exclusive-stages.ts';
import type { ExecutionView } from '../render/view.ts';

/** The place in the queue of a stage with one lock over all lanes. Told anew whenever it changes, so is the holder. */
export async function queueView(
  db: Kysely<Database>,
  { execution, repositoryId, pipeline }: ExecutionRecord,
): Promise<Pick<ExecutionView, 'queue'>> {
  const { lock } = execution;
  if (lock?.state !== 'requested' || lock.place === undefined) return {};
  const { stage, place } = lock;
  const holder = await holderOfExclusiveStage(db, { repositoryId, pipeline, stage });
  return { queue: { stage, place, ...(holder ? { behind: holder } : {}) } };
}
