import type { ColumnType, Generated } from 'kysely';
import type { BigInt8, GeneratedTimestamp, Json, NullableTimestamp, Timestamp } from './column-types.ts';
import type { CustomActionType } from './custom-action-types.ts';
import type { WorkerJobData, WorkerJobResult, WorkerJobStatus } from './worker-jobs.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { ConditionKind, Execution, RuleRun } from '../pipeline/execution.ts';
import type { StageBook } from '../pipeline/protocol.ts';
import type { ExecutionContext } from '../engine/engine.ts';
import type { ArtifactLocation } from '../providers/provider.ts';

/** What the embedded engine keeps of pipelines and their executions. */
export interface EngineTables {
  lanes: LaneTable;
  definitions: DefinitionTable;
  executions: ExecutionTable;
  action_executions: ActionExecutionTable;
  rule_executions: RuleExecutionTable;
  exclusive_stages: ExclusiveStageTable;
  exclusive_places: ExclusivePlaceTable;
  custom_action_types: CustomActionTypeTable;
  worker_jobs: WorkerJobTable;
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
