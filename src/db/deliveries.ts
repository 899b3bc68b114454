import type { Kysely, Transaction } from 'kysely';
import type { Database } from './database.ts';
import { enqueue } from './jobs.ts';
import { plainText } from './json.ts';

export interface NewDelivery {
  readonly guid: string;
  readonly event: string;
  /** As received, byte for byte. */
  readonly body: Buffer;
}

export interface Delivery extends NewDelivery {
  readonly receivedAt: Date;
  readonly outcome: DeliveryOutcome | null;
}

type DeliveryOutcome = 'handled' | 'ignored' | 'rejected';

/**
 * Stores a delivery with its job. A repeat (GitHub keeps the guid on redelivery) stores nothing; when the first one was
 * never worked off, because its job died, the repeat gives it a new job.
 */
export async function recordDelivery(trx: Transaction<Database>, delivery: NewDelivery): Promise<'new' | 'repeated'> {
  const stored = await trx
    .insertInto('deliveries')
    .values({ guid: delivery.guid, event: delivery.event, body: delivery.body })
    .onConflict((oc) => oc.column('guid').doNothing())
    .executeTakeFirst();
  const isNew = stored.numInsertedOrUpdatedRows === 1n;
  if (isNew || (await isUnhandled(trx, delivery.guid))) {
    const { guid } = delivery;
    await enqueue(trx, { kind: 'delivery', payload: { guid }, dedupeKey: `delivery/${guid}` });
  }
  return isNew ? 'new' : 'repeated';
}

async function isUnhandled(db: Kysely<Database>, guid: string): Promise<boolean> {
  const row = await db.selectFrom('deliveries').select('outcome').where('guid', '=', guid).executeTakeFirst();
  return row?.outcome === null;
}

export async function loadDelivery(db: Kysely<Database>, guid: string): Promise<Delivery | null> {
  const row = await db
    .selectFrom('deliveries')
    .where('guid', '=', guid)
    .select(['guid', 'event', 'body', 'outcome', 'received_at as receivedAt'])
    .executeTakeFirst();
  return row ?? null;
}

export interface DeliveryEnd {
  readonly outcome: DeliveryOutcome;
  readonly reason: string;
  readonly repositoryId?: number;
}

/** The first end counts: a repeated run of the job does not change it. */
export async function finishDelivery(db: Kysely<Database>, guid: string, end: DeliveryEnd): Promise<void> {
  await db
    .updateTable('deliveries')
    .set((eb) => ({
      outcome: end.outcome,
      reason: plainText(end.reason),
      handled_at: eb.fn<Date>('now'),
      repository_id: end.repositoryId ?? null,
    }))
    .where('guid', '=', guid)
    .where('outcome', 'is', null)
    .execute();
}

/** Newest first, without bodies. */
export function recentDeliveries(db: Kysely<Database>, filter: { repositoryId?: number; limit: number }) {
  return db
    .selectFrom('deliveries')
    .select(['guid', 'event', 'outcome', 'reason'])
    .select(['received_at as receivedAt', 'handled_at as handledAt', 'repository_id as repositoryId'])
    .$if(filter.repositoryId !== undefined, (query) => query.where('repository_id', '=', filter.repositoryId ?? null))
    .orderBy('received_at', 'desc')
    .limit(filter.limit)
    .execute();
}

/** Which of these guids we have: GitHub's list of deliveries minus these were lost on the way. */
export async function knownDeliveries(db: Kysely<Database>, guids: readonly string[]): Promise<ReadonlySet<string>> {
  if (guids.length === 0) return new Set();
  const rows = await db.selectFrom('deliveries').select('guid').where('guid', 'in', guids).execute();
  return new Set(rows.map((row) => row.guid));
}

/** Deletes worked-off deliveries received before that moment, `limit` at a time. Answers how many went. */
export async function pruneDeliveries(db: Kysely<Database>, before: Date, limit = 500): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('deliveries')
    .where('guid', 'in', (eb) =>
      eb
        .selectFrom('deliveries')
        .select('guid')
        .where('received_at', '<', before)
        .where('outcome', 'is not', null)
        .orderBy('received_at')
        .limit(limit),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}
