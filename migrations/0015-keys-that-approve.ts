import { sql, type Kysely } from 'kysely';

/** Access keys whose answer may release the gates of a repository's own pipelines. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(`alter table api_keys add column may_approve boolean not null default false`).execute(db);
}
