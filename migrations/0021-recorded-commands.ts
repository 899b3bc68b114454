import { sql, type Kysely } from 'kysely';

/** Which rows of the audit tell of a command already: it is worked on again after a crash, and told of once. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table human_commands add column recorded text[] not null default '{}'`.execute(db);
}
