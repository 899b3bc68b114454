import { sql, type Kysely } from 'kysely';

/** Stages with one lock over all lanes, rules of conditions, updated declarations, custom actions and their jobs. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...lanes, ...rules, ...exclusive, ...workers]) await sql.raw(statement).execute(db);
}

const lanes = [`alter table lanes add column current text references definitions (digest)`];

const rules = [
  `create table rule_executions (
    id text primary key,
    execution_id text not null references executions (id) on delete cascade,
    stage text not null,
    condition text not null check (condition in ('beforeEntry', 'onSuccess', 'onFailure')),
    rule text not null,
    attempt integer not null check (attempt > 0),
    status text not null,
    started_at timestamptz not null,
    updated_at timestamptz not null,
    ended_at timestamptz,
    input jsonb,
    state jsonb not null
  )`,
  `create index rule_executions_execution on rule_executions (execution_id, started_at)`,
];

const exclusive = [
  // Exists to be locked: whoever changes a queue holds this row.
  `create table exclusive_stages (
    repository_id bigint not null,
    pipeline text not null,
    stage text not null,
    primary key (repository_id, pipeline, stage)
  )`,
  `create table exclusive_places (
    ticket bigint generated always as identity primary key,
    repository_id bigint not null,
    pipeline text not null,
    stage text not null,
    execution_id text not null references executions (id) on delete cascade,
    asked_at timestamptz not null default clock_timestamp(),
    granted_at timestamptz,
    unique (execution_id, stage),
    foreign key (repository_id, pipeline, stage) references exclusive_stages (repository_id, pipeline, stage)
  )`,
  `create index exclusive_places_queue on exclusive_places (repository_id, pipeline, stage, ticket)`,
  `create unique index exclusive_places_holder on exclusive_places (repository_id, pipeline, stage)
    where granted_at is not null`,
];

const workers = [
  `create table custom_action_types (
    category text not null,
    provider text not null,
    version text not null,
    declaration jsonb not null,
    created_at timestamptz not null default now(),
    deleted_at timestamptz,
    primary key (category, provider, version)
  )`,
  `create table worker_jobs (
    id text primary key,
    execution_id text not null references executions (id) on delete cascade,
    subject text not null check (subject in ('action', 'rule')),
    subject_id text not null,
    category text not null,
    owner text not null,
    provider text not null,
    version text not null,
    query_value text,
    status text not null
      check (status in ('Created', 'Queued', 'Dispatched', 'InProgress', 'TimedOut', 'Succeeded', 'Failed')),
    nonce text,
    data jsonb not null,
    result jsonb,
    available_at timestamptz not null default now(),
    dispatched_at timestamptz,
    ended_at timestamptz,
    created_at timestamptz not null default now()
  )`,
  `create index worker_jobs_due on worker_jobs (category, provider, version, available_at)
    where status in ('Queued', 'Dispatched')`,
  `create index worker_jobs_subject on worker_jobs (subject_id)`,
];
