import { sql, type Kysely } from 'kysely';
import type { Database } from './database.ts';

/** Throws when the database is away. */
export async function databaseAnswers(db: Kysely<Database>): Promise<boolean> {
  await sql`select 1`.execute(db);
  return true;
}
