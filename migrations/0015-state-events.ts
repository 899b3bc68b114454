import { sql, type Kysely } from 'kysely';

/** Receivers of state changes, by their name in penstock.server.yml: whoever writes a state tells all of them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(`create table event_sinks (name text primary key)`).execute(db);
}
