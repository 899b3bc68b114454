import { sql, type Kysely } from 'kysely';

/** Who was refused in words lately, so that all replicas agree on who gets a reaction only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table refusals (
      repository_id bigint not null,
      person_id bigint not null,
      source text not null,
      told_at timestamptz not null default now(),
      permission text check (permission in ('read', 'none')),
      asked_at timestamptz,
      primary key (repository_id, person_id)
    )`.execute(db);
}
