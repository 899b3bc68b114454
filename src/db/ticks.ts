import { sql, type Kysely } from 'kysely';
import type { Database } from './database.ts';

/** True for one caller per interval, over all replicas, by the database's clock. */
export async function takeTick(db: Kysely<Database>, name: string, everyMs: number): Promise<boolean> {
  const { rows } = await sql`
    insert into ticks (name, last_run) values (${name}, now())
    on conflict (name) do update set last_run = now()
    where ticks.last_run <= now() - make_interval(secs => ${everyMs / 1000})
    returning 1`.execute(db);
  return rows.length === 1;
}

/** How far a walk over something outside has come; null before the first. */
export async function cursorOf(db: Kysely<Database>, name: string): Promise<string | null> {
  const row = await db.selectFrom('ticks').select('cursor').where('name', '=', name).executeTakeFirst();
  return row?.cursor ?? null;
}

export async function saveCursor(db: Kysely<Database>, name: string, cursor: string): Promise<void> {
  await db
    .insertInto('ticks')
    .values({ name, cursor, last_run: sql<Date>`now()` })
    .onConflict((oc) => oc.column('name').doUpdateSet({ cursor }))
    .execute();
}
