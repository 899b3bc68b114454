import { sql, type Kysely } from 'kysely';

/** What the CodePipeline API keeps beyond the engine's own tables. `scope` is a repository's id, or 0 for admin keys. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table api_keys (
    access_key_id text primary key,
    sealed_secret bytea not null,
    repository_id bigint,
    read_only boolean not null,
    created_at timestamptz not null default now(),
    revoked_at timestamptz
  )`,

  `create table api_pipelines (
    id bigint generated always as identity primary key,
    scope bigint not null,
    name text not null,
    version integer not null check (version > 0),
    digest text not null references definitions (digest),
    tags jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (scope, name)
  )`,

  `create table api_pipeline_versions (
    pipeline_id bigint not null references api_pipelines (id) on delete cascade,
    version integer not null,
    digest text not null references definitions (digest),
    created_at timestamptz not null default now(),
    primary key (pipeline_id, version)
  )`,

  `create table api_webhooks (
    scope bigint not null,
    name text not null,
    path text not null unique,
    target_pipeline text not null,
    target_action text not null,
    authentication text not null,
    sealed_configuration bytea not null,
    filters jsonb not null,
    tags jsonb not null default '{}',
    last_triggered timestamptz,
    primary key (scope, name)
  )`,

  `create table api_buckets (
    name text primary key,
    scope bigint not null,
    created_at timestamptz not null default now()
  )`,
];
