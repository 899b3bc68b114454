import { sql, type Kysely } from 'kysely';
import type { Database } from './database.ts';
import { plainText } from './json.ts';

export interface DeadEvent {
  /** Address of the queue that it came from. */
  readonly queue: string;
  readonly messageId: string;
  readonly body: string;
  readonly why: string;
}

/** Enough to see what somebody sent. */
const mostOfBody = 4_000;

/** Keeps a message that holds no event, before it is taken from its queue. Seeing it again adds nothing. */
export async function setAsideEvent(db: Kysely<Database>, { queue, messageId, body, why }: DeadEvent): Promise<void> {
  const row = { queue, message_id: messageId, body: plainText(body).slice(0, mostOfBody), why: plainText(why) };
  await db
    .insertInto('aws_dead_events')
    .values(row)
    .onConflict((oc) => oc.columns(['queue', 'message_id']).doNothing())
    .execute();
}

export async function countDeadEvents(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*) as n from aws_dead_events`.execute(db);
  return rows[0]?.n ?? 0;
}

/** Deletes what was set aside before that moment. Answers how many went. */
export async function pruneDeadEvents(db: Kysely<Database>, before: Date): Promise<number> {
  const { numDeletedRows } = await db.deleteFrom('aws_dead_events').where('seen_at', '<', before).executeTakeFirst();
  return Number(numDeletedRows);
}
