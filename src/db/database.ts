import type { Generated } from 'kysely';
import type { ApiTables } from './api-tables.ts';
import type { AwsTables } from './aws-tables.ts';
import type { BigInt8, GeneratedTimestamp, Json, NullableTimestamp, Timestamp } from './column-types.ts';
import type { EngineTables } from './engine-tables.ts';
import type { PeopleTables } from './people-tables.ts';

/** The tables. Kept equal to migrations/ by the schema snapshot test. bigint columns hold GitHub ids below 2^53. */
export interface Database extends ApiTables, AwsTables, EngineTables, PeopleTables {
  deliveries: DeliveryTable;
  jobs: JobTable;
  repositories: RepositoryTable;
  start_decisions: StartDecisionTable;
  check_runs: CheckRunTable;
  ticks: TickTable;
  event_sinks: { name: string };
}

/** One webhook as GitHub sent it. The guid survives redelivery, so it removes repeats. */
interface DeliveryTable {
  guid: string;
  event: string;
  received_at: GeneratedTimestamp;
  body: Buffer;
  /** null: not worked on yet. */
  outcome: 'handled' | 'ignored' | 'rejected' | null;
  reason: string | null;
  handled_at: NullableTimestamp;
  repository_id: BigInt8 | null;
}

interface JobTable {
  id: Generated<BigInt8>;
  kind: string;
  payload: Json<unknown>;
  /** At most one job that has not started per dedupe key. */
  dedupe_key: string | null;
  /** Only workers of this host may claim it; null means any. */
  host: string | null;
  run_at: GeneratedTimestamp;
  /** Times claimed; never goes back, so (worker, attempts) names one hand-out: the fencing token. */
  attempts: Generated<number>;
  /** Times in a row that it failed or that its worker vanished; dead at max_attempts. */
  failures: Generated<number>;
  max_attempts: Generated<number>;
  lease_until: NullableTimestamp;
  worker: string | null;
  dead: Generated<boolean>;
  last_error: string | null;
  created_at: GeneratedTimestamp;
}

/** Repositories seen, by GitHub's numeric id; names follow renames. */
interface RepositoryTable {
  id: BigInt8;
  owner: string;
  name: string;
  installation_id: BigInt8;
  /** Not installed any more, suspended, or moved to another owner and not confirmed yet. */
  suspended: string | null;
  seen_at: GeneratedTimestamp;
}

/** Why a pipeline started or did not, per event: what /status and /why answer from. */
interface StartDecisionTable {
  id: Generated<BigInt8>;
  repository_id: BigInt8;
  pipeline: string;
  head_sha: string;
  pull_request: number | null;
  delivery: string | null;
  outcome: 'started' | 'filtered' | 'held' | 'broken' | 'passed';
  reason: string;
  execution_id: string | null;
  at: GeneratedTimestamp;
}

/** Check runs posted, newest `n` per (execution, stage); stage '' is the aggregate. */
interface CheckRunTable {
  id: Generated<BigInt8>;
  repository_id: BigInt8;
  head_sha: string;
  name: string;
  execution_id: string | null;
  stage: string;
  n: number;
  /** null between the intent to post and GitHub's answer. */
  github_id: BigInt8 | null;
  status: string;
  conclusion: string | null;
  /** Digest of what was last sent. */
  sent_digest: string | null;
  posted_at: GeneratedTimestamp;
  updated_at: GeneratedTimestamp;
}

/** Periodic work: when each kind last ran, so that one replica at a time does it. */
interface TickTable {
  name: string;
  last_run: Timestamp;
  cursor: string | null;
}
