import { sql, type Kysely } from 'kysely';
import type { Database } from './database.ts';

/**
 * A process that starts on a host is the only one there, so leases of earlier ones are void: their jobs need not wait
 * for the lease to run out. The hand-out counts as failed, as if the lease had run out.
 */
export async function endLeasesOfHost(db: Kysely<Database>, host: string): Promise<void> {
  await db
    .updateTable('jobs')
    .set({ lease_until: sql<Date>`now() - interval '1 second'` })
    .where('worker', 'is not', null)
    .where(sql<boolean>`starts_with(worker, ${`${host}/`})`)
    .execute();
}
