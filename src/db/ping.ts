import { sql, type Kysely } from 'kysely';
import type { Database } from './database.ts';

/** For readiness: rejects when the database cannot answer. */
export async function databaseAnswers(db: Kysely<Database>): Promise<true> {
  await sql`select 1`.execute(db);
  return true;
}
