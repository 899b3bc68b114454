import { sql, type Kysely } from 'kysely';

/** How often a person asked lately is counted at every command; without this all of the repository's were read. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index human_commands_person on human_commands (repository_id, person_id, at)`.execute(db);
}
