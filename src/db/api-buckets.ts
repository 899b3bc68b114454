import type { Kysely } from 'kysely';
import { adminScope } from './api-pipelines.ts';
import type { Database } from './database.ts';

/** Remembers that somebody made it; a second time changes nothing. */
export async function noteBucket(db: Kysely<Database>, name: string): Promise<void> {
  await db
    .insertInto('api_buckets')
    .values({ name, scope: adminScope })
    .onConflict((oc) => oc.column('name').doNothing())
    .execute();
}

export async function isNotedBucket(db: Kysely<Database>, name: string): Promise<boolean> {
  const row = await db.selectFrom('api_buckets').select('name').where('name', '=', name).executeTakeFirst();
  return row !== undefined;
}

/** By name. */
export function listBuckets(db: Kysely<Database>) {
  return db.selectFrom('api_buckets').select(['name', 'created_at as createdAt']).orderBy('name').execute();
}

export async function forgetBucket(db: Kysely<Database>, name: string): Promise<void> {
  await db.deleteFrom('api_buckets').where('name', '=', name).execute();
}
