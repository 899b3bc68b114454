import { sql, type Kysely } from 'kysely';

/** One record for one execution of CodePipeline, what an account takes from all replicas, and events nobody could read. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...unique, ...budgets, ...events]) await sql.raw(statement).execute(db);
}

const aboutAws = `(state -> 'aws' ->> 'executionId')`;

const unique = [
  // Kept apart by key and lane only until now: of two records of one execution the older one keeps it. The other ends,
  // because without an execution of its own it would be started again.
  `with doubled as (
    select id, row_number() over (
      partition by repository_id, pipeline, host, ${aboutAws} order by live desc, started_at, id) as place
    from executions where ${aboutAws} is not null
  )
  update executions set live = false, waiting = false, status = 'Cancelled',
    state = jsonb_set(state #- '{aws,executionId}', '{ending}', jsonb_build_object(
      'as', 'Cancelled', 'at', state ->> 'updatedAt', 'why', 'Another record shows this execution of CodePipeline.'))
  from doubled where doubled.id = executions.id and doubled.place > 1`,
  `create unique index executions_aws on executions (repository_id, pipeline, host, ${aboutAws})
    where ${aboutAws} is not null`,
];

const budgets = [
  `create table aws_budgets (
    account text primary key,
    tokens double precision not null,
    filled_at timestamptz not null default now(),
    strikes integer not null default 0,
    paused_until timestamptz not null default now()
  )`,
];

const events = [
  `create table aws_dead_events (
    id bigint generated always as identity primary key,
    queue text not null,
    message_id text not null,
    body text not null,
    why text not null,
    seen_at timestamptz not null default now(),
    unique (queue, message_id)
  )`,
];
