import { sql, type Kysely } from 'kysely';

/**
 * Migrations are additive first, because replicas of two versions run side by side: a new column is nullable or has a
 * default, and what old code still reads is dropped one release later. A migration that old code cannot live with is
 * named `NNNN-....breaking`; older code then refuses to start (src/db/migrate.ts). SQL stays at Postgres 15 level.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...intake, ...queue, ...people, ...engine, ...views]) await sql.raw(statement).execute(db);
}

const intake = [
  `create table deliveries (
    guid text primary key check (length(guid) between 1 and 64),
    event text not null check (length(event) between 1 and 64),
    received_at timestamptz not null default now(),
    body bytea not null,
    outcome text check (outcome in ('handled', 'ignored', 'rejected')),
    reason text,
    handled_at timestamptz,
    repository_id bigint
  )`,
  `create index deliveries_received_at on deliveries (received_at)`,

  `create table repositories (
    id bigint primary key,
    owner text not null,
    name text not null,
    installation_id bigint not null,
    suspended text,
    seen_at timestamptz not null default now()
  )`,
  `create index repositories_name on repositories (lower(owner), lower(name))`,
  `create index repositories_installation on repositories (installation_id)`,

  `create table pull_request_heads (
    repository_id bigint not null,
    number integer not null,
    head_sha text not null,
    base_ref text not null,
    base_sha text not null,
    author_id bigint not null,
    pushed_by bigint,
    seen_at timestamptz not null default clock_timestamp(),
    primary key (repository_id, number, seen_at)
  )`,
  `create index pull_request_heads_sha on pull_request_heads (repository_id, head_sha)`,

  `create table start_decisions (
    id bigint generated always as identity primary key,
    repository_id bigint not null,
    pipeline text not null,
    head_sha text not null,
    pull_request integer,
    delivery text,
    outcome text not null check (outcome in ('started', 'filtered', 'held', 'broken', 'passed')),
    reason text not null,
    execution_id text,
    at timestamptz not null default now()
  )`,
  `create index start_decisions_sha on start_decisions (repository_id, head_sha)`,
  `create index start_decisions_pull_request on start_decisions (repository_id, pull_request)`,
];

const queue = [
  `create table jobs (
    id bigint generated always as identity primary key,
    kind text not null,
    payload jsonb not null,
    dedupe_key text check (length(dedupe_key) <= 500),
    host text,
    run_at timestamptz not null default now(),
    attempts integer not null default 0,
    failures integer not null default 0,
    max_attempts integer not null default 8 check (max_attempts > 0),
    lease_until timestamptz,
    worker text,
    dead boolean not null default false,
    last_error text,
    created_at timestamptz not null default now(),
    constraint jobs_lease check ((worker is null) = (lease_until is null)),
    constraint jobs_dead_unleased check (not dead or worker is null)
  )`,
  // One job that has not started per key; a running one may have one successor waiting.
  `create unique index jobs_waiting_key on jobs (dedupe_key) where worker is null and not dead`,
  `create index jobs_running_key on jobs (dedupe_key) where worker is not null`,
  `create index jobs_due on jobs (run_at, id) where not dead`,
  `create index jobs_leases on jobs (lease_until) where worker is not null`,

  `create table ticks (
    name text primary key,
    last_run timestamptz not null,
    cursor text
  )`,
];

const people = [
  `create table human_commands (
    source text primary key,
    repository_id bigint not null,
    pull_request integer,
    person_id bigint not null,
    login text not null,
    text text not null,
    outcome text,
    answer text,
    claimer text,
    claimed_at timestamptz not null default now(),
    at timestamptz not null default now()
  )`,
  `create index human_commands_pull_request on human_commands (repository_id, pull_request)`,

  `create table votes (
    id bigint generated always as identity primary key,
    repository_id bigint not null,
    pull_request integer,
    execution_id text not null,
    stage text not null,
    action text not null,
    token text not null,
    head_sha text not null,
    base_sha text,
    config_digest text not null,
    person_id bigint not null,
    login text not null,
    answer text not null check (answer in ('approve', 'reject', 'withdrawn')),
    channel text not null check (channel in ('comment', 'button', 'review')),
    source text not null,
    reason text not null,
    at timestamptz not null default now(),
    unique (token, source)
  )`,
  `create index votes_source on votes (source)`,

  `create table audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    repository_id bigint,
    execution_id text,
    who text not null,
    what text not null,
    why text not null,
    detail jsonb not null default '{}'
  )`,
  `create index audit_execution on audit (execution_id)`,
  `create index audit_repository on audit (repository_id, id)`,
];

const engine = [
  `create table definitions (
    digest text primary key,
    definition jsonb not null
  )`,

  `create table lanes (
    key text primary key,
    repository_id bigint not null,
    pipeline text not null,
    pull_request integer,
    started integer not null default 0,
    stages jsonb not null default '{}',
    updated_at timestamptz not null default now()
  )`,
  `create index lanes_repository on lanes (repository_id, pipeline)`,

  `create table executions (
    id text primary key,
    lane text not null references lanes (key),
    repository_id bigint not null,
    pipeline text not null,
    pull_request integer,
    head_sha text not null,
    idempotency_key text not null unique,
    definition text not null references definitions (digest),
    status text not null,
    live boolean not null,
    waiting boolean not null,
    host text not null,
    context jsonb not null,
    schema_version integer not null,
    state jsonb not null,
    started_at timestamptz not null,
    updated_at timestamptz not null
  )`,
  `create index executions_lane on executions (lane, started_at)`,
  `create index executions_live on executions (lane) where live`,
  `create index executions_waiting on executions (repository_id) where waiting`,
  `create index executions_sha on executions (repository_id, head_sha)`,
  `create index executions_pull_request on executions (repository_id, pull_request)`,
  `create index executions_pipeline on executions (repository_id, pipeline, started_at)`,
  `create index executions_started_at on executions (started_at)`,

  `create table action_executions (
    id text primary key,
    execution_id text not null references executions (id) on delete cascade,
    stage text not null,
    action text not null,
    attempt integer not null check (attempt > 0),
    status text not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    input jsonb,
    output jsonb,
    unique (execution_id, stage, action, attempt)
  )`,
];

const views = [
  `create table check_runs (
    id bigint generated always as identity primary key,
    repository_id bigint not null,
    head_sha text not null,
    name text not null,
    execution_id text,
    stage text not null default '',
    n integer not null check (n > 0),
    github_id bigint unique,
    status text not null,
    conclusion text,
    sent_digest text,
    posted_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (execution_id, stage, n)
  )`,
  `create index check_runs_sha on check_runs (repository_id, head_sha, name)`,
  `create unique index check_runs_alone on check_runs (repository_id, head_sha, name, n) where execution_id is null`,
];
