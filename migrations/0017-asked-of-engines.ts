import { sql, type Kysely } from 'kysely';

/** What a comment or a button asked of an engine, and what came of it: a repeated delivery goes on from there. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table human_commands add column asked jsonb not null default '{}'`.execute(db);
}
