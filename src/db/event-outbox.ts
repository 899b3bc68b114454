import { sql, type Kysely, type Transaction } from 'kysely';
import type { StateEvent } from '../pipeline/state-events.ts';
import type { Database } from './database.ts';
import type { JobPayloads } from './job-payloads.ts';
import { enqueue } from './jobs.ts';
import { jsonText } from './json.ts';

/**
 * State changes on their way out: one job for each event and receiver, written with the state itself. Which receivers
 * there are stands in the database, so that every writer tells them, whatever process it runs in.
 */

/** Exactly these from now on. */
export async function registerEventSinks(db: Kysely<Database>, names: readonly string[]): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await sql`delete from event_sinks where name <> all(${names}::text[])`.execute(trx);
    await sql`insert into event_sinks (name) select unnest(${names}::text[]) on conflict (name) do nothing`.execute(
      trx,
    );
  });
}

/** Failures in a row until such a job is dead; with the queue's pauses that is about an hour. */
const maxAttempts = 20;

export async function enqueueEvents(trx: Transaction<Database>, events: readonly StateEvent[]): Promise<void> {
  if (events.length === 0) return;
  await sql`
    insert into jobs (kind, payload, max_attempts)
    select 'event', jsonb_build_object('sink', s.name, 'event', e.value), ${maxAttempts}
    from jsonb_array_elements(${jsonText(events)}::jsonb) with ordinality e cross join event_sinks s
    order by s.name, e.ordinality`.execute(trx);
}

/** One for each approval and receiver. It counts once this resolves, however often the announcement is made. */
export async function enqueueNotice(db: Kysely<Database>, payload: JobPayloads['notice']): Promise<void> {
  const dedupeKey = `notice/${payload.sink}/${payload.message.approval.token}`;
  await enqueue(db, { kind: 'notice', payload, dedupeKey, maxAttempts });
}
