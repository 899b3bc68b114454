import type { ColumnType, Generated } from 'kysely';
import type { ApiTables } from './api-tables.ts';
import type { AwsTables } from './aws-tables.ts';
import type { CustomActionType } from './custom-action-types.ts';
import type { AskedOfEngine } from './human-commands.ts';
import type { WorkerJobData, WorkerJobResult, WorkerJobStatus } from './worker-jobs.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { ConditionKind, Execution, RuleRun } from '../pipeline/execution.ts';
import type { StageBook } from '../pipeline/protocol.ts';
import type { ExecutionContext } from '../engine/engine.ts';
import type { ArtifactLocation } from '../providers/provider.ts';

/** The tables. Kept equal to migrations/ by the schema snapshot test. bigint columns hold GitHub ids below 2^53. */
export interface Database extends ApiTables, AwsTables {
  deliveries: DeliveryTable;
  jobs: JobTable;
  repositories: RepositoryTable;
  pull_request_heads: PullRequestHeadTable;
  start_decisions: StartDecisionTable;
  lanes: LaneTable;
  definitions: DefinitionTable;
  executions: ExecutionTable;
  action_executions: ActionExecutionTable;
  check_runs: CheckRunTable;
  human_commands: HumanCommandTable;
  refusals: RefusalTable;
  votes: VoteTable;
  audit: AuditTable;
  ticks: TickTable;
  rule_executions: RuleExecutionTable;
  exclusive_stages: ExclusiveStageTable;
  exclusive_places: ExclusivePlaceTable;
  custom_action_types: CustomActionTypeTable;
  worker_jobs: WorkerJobTable;
  event_sinks: { name: string };
}

type Timestamp = ColumnType<Date, Date | string, Date | string>;
type NullableTimestamp = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
/** Written as JSON text (pg would turn an array into a Postgres array), read as the value. */
type Json<T> = ColumnType<T, string, string>;
type GeneratedTimestamp = ColumnType<Date, Date | string | undefined, Date | string>;
/** pg's parser for int8 is set to Number in db/open.ts. */
type BigInt8 = number;

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

/** When each head of a pull request was first seen: what was head when a comment was written. */
interface PullRequestHeadTable {
  repository_id: BigInt8;
  number: number;
  head_sha: string;
  base_ref: string;
  base_sha: string;
  author_id: BigInt8;
  pushed_by: BigInt8 | null;
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

interface LaneTable {
  key: string;
  repository_id: BigInt8;
  pipeline: string;
  pull_request: number | null;
  started: Generated<number>;
  stages: Json<Record<string, StageBook>>;
  updated_at: GeneratedTimestamp;
  /** Digest of the definition in force, once an update set one (CP-X-60). */
  current: ColumnType<string | null, string | null | undefined, string | null>;
}

interface DefinitionTable {
  digest: string;
  definition: Json<PipelineDefinition>;
}

interface ExecutionTable {
  id: string;
  lane: string;
  repository_id: BigInt8;
  pipeline: string;
  pull_request: number | null;
  head_sha: string;
  idempotency_key: string;
  definition: string;
  /** Mirrors of the computed status, for queries; written only by db/executions.ts. */
  status: string;
  live: boolean;
  /** Some gate waits for a person. */
  waiting: boolean;
  /** The host that holds its artifacts. */
  host: string;
  context: Json<ExecutionContext>;
  schema_version: number;
  state: Json<Execution>;
  started_at: Timestamp;
  updated_at: Timestamp;
}

/** One attempt of one action: input, output and variables, written once when it starts and once when it ends. */
interface ActionExecutionTable {
  id: string;
  execution_id: string;
  stage: string;
  action: string;
  attempt: number;
  status: string;
  started_at: Timestamp;
  ended_at: NullableTimestamp;
  input: Json<ActionInput> | null;
  output: Json<ActionOutput> | null;
}

export interface ActionInput {
  readonly configuration: Readonly<Record<string, string>>;
  readonly resolvedConfiguration: Readonly<Record<string, string>>;
  readonly inputArtifacts: readonly { readonly name: string; readonly location: ArtifactLocation }[];
  readonly outputArtifacts: readonly { readonly name: string; readonly location: ArtifactLocation }[];
}

export interface ActionOutput {
  readonly outputVariables: Readonly<Record<string, string>>;
  readonly summary?: string;
  readonly externalId?: string;
  readonly error?: { readonly code: string; readonly message: string };
  /** What check runs tell of its output, for replicas that do not hold its log (src/main/told.ts). */
  readonly told?: unknown;
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

/** Commands that people gave, by the comment, review or button they came from: each is obeyed once. */
interface HumanCommandTable {
  source: string;
  repository_id: BigInt8;
  pull_request: number | null;
  person_id: BigInt8;
  login: string;
  text: string;
  outcome: string | null;
  answer: string | null;
  /** The delivery or sweep that works on it, since when. */
  claimer: string | null;
  claimed_at: GeneratedTimestamp;
  at: GeneratedTimestamp;
  /** By key; see human-commands.ts. */
  asked: ColumnType<Readonly<Record<string, AskedOfEngine>>, string | undefined, string>;
}

/** Who was refused in words lately; see refusals.ts. */
interface RefusalTable {
  repository_id: BigInt8;
  person_id: BigInt8;
  /** The comment, review or button that was answered. */
  source: string;
  told_at: GeneratedTimestamp;
  /** Since then, when they went on. */
  permission: 'read' | 'none' | null;
  asked_at: NullableTimestamp;
}

/** One person's answer to one gate (SEC R1). */
interface VoteTable {
  id: Generated<BigInt8>;
  repository_id: BigInt8;
  pull_request: number | null;
  execution_id: string;
  stage: string;
  action: string;
  /** The waiting attempt's id. */
  token: string;
  head_sha: string;
  base_sha: string | null;
  config_digest: string;
  person_id: BigInt8;
  login: string;
  answer: 'approve' | 'reject' | 'withdrawn';
  channel: 'comment' | 'button' | 'review';
  source: string;
  reason: string;
  at: GeneratedTimestamp;
}

interface AuditTable {
  id: Generated<BigInt8>;
  at: GeneratedTimestamp;
  repository_id: BigInt8 | null;
  execution_id: string | null;
  who: string;
  what: string;
  why: string;
  detail: Json<Readonly<Record<string, unknown>>>;
  /** Hash of the row before it in its repository; the database fills in both. */
  previous: Generated<string>;
  hash: Generated<string>;
}

/** Periodic work: when each kind last ran, so that one replica at a time does it. */
interface TickTable {
  name: string;
  last_run: Timestamp;
  cursor: string | null;
}

/** One evaluation of one rule of a condition (CP 2.10); written again whenever the rule moves. */
interface RuleExecutionTable {
  id: string;
  execution_id: string;
  stage: string;
  condition: ConditionKind;
  rule: string;
  attempt: number;
  status: string;
  started_at: Timestamp;
  updated_at: Timestamp;
  ended_at: NullableTimestamp;
  input: Json<RuleInput> | null;
  state: Json<RuleRun>;
}

export interface RuleInput {
  readonly configuration: Readonly<Record<string, string>>;
  readonly resolvedConfiguration: Readonly<Record<string, string>>;
  readonly commands?: readonly string[];
  readonly inputArtifacts: readonly { readonly name: string; readonly location: ArtifactLocation }[];
}

/** A stage with one lock over all lanes. The row exists to be locked. */
interface ExclusiveStageTable {
  repository_id: BigInt8;
  pipeline: string;
  stage: string;
}

/** Who holds the lock of an exclusive stage, and who waits for it: smallest ticket first. */
interface ExclusivePlaceTable {
  ticket: Generated<BigInt8>;
  repository_id: BigInt8;
  pipeline: string;
  stage: string;
  execution_id: string;
  asked_at: GeneratedTimestamp;
  /** Set for the one that holds the lock. */
  granted_at: NullableTimestamp;
}

/** Action types of owner Custom (CP 4.1). A deleted one keeps its version taken (CP-J-4). */
interface CustomActionTypeTable {
  category: string;
  provider: string;
  version: string;
  declaration: Json<CustomActionType>;
  created_at: GeneratedTimestamp;
  deleted_at: NullableTimestamp;
}

/** One hand-out of an action to a job worker, or to a Lambda function (CP 4.2). */
interface WorkerJobTable {
  id: string;
  execution_id: string;
  subject: 'action' | 'rule';
  /** The action execution or the rule execution. */
  subject_id: string;
  category: string;
  owner: string;
  provider: string;
  version: string;
  /** The value of the type's queryable property. */
  query_value: string | null;
  status: WorkerJobStatus;
  /** Of the latest hand-out. */
  nonce: string | null;
  data: Json<WorkerJobData>;
  /** What the worker reported, to tell a repeated callback from a different one (CP-J-13). */
  result: Json<WorkerJobResult> | null;
  available_at: GeneratedTimestamp;
  dispatched_at: NullableTimestamp;
  ended_at: NullableTimestamp;
  created_at: GeneratedTimestamp;
}
