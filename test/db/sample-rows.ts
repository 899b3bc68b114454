import { sql, type Kysely } from 'kysely';
import type { Database } from '../../src/db/database.ts';

/** One row in every table, as the first release could have written it: what later migrations must live with. */
export async function insertSampleRows(db: Kysely<Database>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `insert into deliveries (guid, event, body) values ('sample', 'push', '{}'::bytea)`,
  `insert into jobs (kind, payload, dedupe_key) values ('report', '{"execution":"e1"}', 'sample')`,
  `insert into repositories (id, owner, name, installation_id) values (1, 'acme', 'web', 7)`,
  `insert into pull_request_heads (repository_id, number, head_sha, base_ref, base_sha, author_id)
   values (1, 5, 'aaa', 'main', 'bbb', 9)`,
  `insert into start_decisions (repository_id, pipeline, head_sha, outcome, reason)
   values (1, 'web', 'aaa', 'started', 'push to main')`,
  `insert into lanes (key, repository_id, pipeline) values ('1/web/main', 1, 'web')`,
  `insert into definitions (digest, definition) values ('d1', '{}')`,
  `insert into executions (id, lane, repository_id, pipeline, head_sha, idempotency_key, definition, status, live,
     waiting, host, context, schema_version, state, started_at, updated_at)
   values ('e1', '1/web/main', 1, 'web', 'aaa', 'k1', 'd1', 'InProgress', true, false, 'h', '{}', 1, '{}', now(), now())`,
  `insert into action_executions (id, execution_id, stage, action, attempt, status, started_at)
   values ('a1', 'e1', 'Build', 'Unit', 1, 'InProgress', now())`,
  `insert into check_runs (repository_id, head_sha, name, execution_id, n, status)
   values (1, 'aaa', 'web', 'e1', 1, 'in_progress')`,
  `insert into human_commands (source, repository_id, person_id, login, text)
   values ('comment/1', 1, 9, 'ada', '/approve')`,
  `insert into votes (repository_id, execution_id, stage, action, token, head_sha, config_digest, person_id, login,
     answer, channel, source, reason)
   values (1, 'e1', 'Release', 'Approve', 't1', 'aaa', 'c1', 9, 'ada', 'approve', 'comment', 'comment/1', '')`,
  `insert into audit (who, what, why) values ('ada', 'approve', 'asked')`,
  `insert into ticks (name, last_run) values ('sweep', now())`,
];
