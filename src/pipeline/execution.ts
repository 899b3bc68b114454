import type { ExecutionMode } from './definition.ts';
import type { TestReport } from './test-report.ts';

/**
 * What is remembered of one run of a pipeline. Statuses of executions and stages are computed from this
 * (see `executionStatus` and `stageStatus` in src/pipeline/status.ts), never stored beside it.
 * Times are ISO 8601 texts in UTC, so that a stored execution reads back equal.
 */

export type ExecutionId = string & { readonly __brand: 'ExecutionId' };
export type ActionExecutionId = string & { readonly __brand: 'ActionExecutionId' };
/** The unit of lock and mode: one per pull request, one per pipeline for everything else. See `laneKey`. */
export type LaneKey = string & { readonly __brand: 'LaneKey' };

export type ExecutionStatus =
  'InProgress' | 'Stopping' | 'Stopped' | 'Succeeded' | 'Failed' | 'Superseded' | 'Cancelled';
export type StageStatus = 'InProgress' | 'Stopping' | 'Stopped' | 'Succeeded' | 'Failed' | 'Skipped' | 'Cancelled';
export type ActionStatus = 'InProgress' | 'Succeeded' | 'Failed' | 'Abandoned';

/** Who asked: a GitHub account, a caller of the CodePipeline API, or Penstock itself with its reason. */
export type Actor =
  | { readonly kind: 'person'; readonly id: number; readonly login: string }
  | { readonly kind: 'api'; readonly arn: string }
  | { readonly kind: 'penstock'; readonly why: string };

export type TriggerType =
  | 'CreatePipeline'
  | 'StartPipelineExecution'
  | 'PollForSourceChanges'
  | 'Webhook'
  | 'CloudWatchEvent'
  | 'PutActionRevision'
  | 'WebhookV2'
  | 'ManualRollback'
  | 'AutomatedRollback';

export interface SourceRevision {
  readonly actionName: string;
  readonly revisionId: string;
  /** `S3_OBJECT_KEY`: the newest version of another key than the declared one. */
  readonly revisionType?: 'COMMIT_ID' | 'IMAGE_DIGEST' | 'S3_OBJECT_VERSION_ID' | 'S3_OBJECT_KEY';
  /** Of a version: the object's key, where it is not the declared one. */
  readonly objectKey?: string;
  readonly revisionSummary?: string;
  readonly revisionUrl?: string;
  /** What whoever told of it calls the change that made it (CP-J-12). */
  readonly revisionChangeId?: string;
  /** When it was made, ISO 8601. */
  readonly created?: string;
}

/** Failure codes as CodePipeline's `errorDetails.code`; `ActionLost` is ours: the process that ran it is gone. */
export interface ActionError {
  readonly code: string;
  readonly message: string;
}

/** What the service behind an ended action tells beyond its error: the engine of AWS asks it once. */
export interface ActionStory {
  /** As AWS names it: `CodeBuild`, `CloudFormation`. */
  readonly service: string;
  /** In the service's words, why it failed; masked, at most 1,000 characters. */
  readonly said?: string;
  /** A sentence of ours: what could not be asked, and the right that is missing. */
  readonly unasked?: string;
  /** What it printed, where there is no log to read later; masked, at most 50. */
  readonly lines?: readonly string[];
  readonly reports?: readonly TestReport[];
}

/** One attempt of one action (the current one; finished attempts are rows of action_executions). */
export interface ActionRun {
  readonly action: string;
  readonly id: ActionExecutionId;
  /** 1 for the first run of this action in this execution, +1 for each re-run. */
  readonly attempt: number;
  readonly status: ActionStatus;
  /** While InProgress: `waiting` means that a person has to answer. */
  readonly phase: 'starting' | 'running' | 'waiting' | 'ended';
  readonly startedAt: string;
  readonly endedAt?: string;
  /** A manual approval's token while it waits (equals `id`, CP-A-1). */
  readonly token?: string;
  /** When the action fails by itself (CP 1.6). */
  readonly deadline?: string;
  readonly externalExecutionId?: string;
  readonly externalExecutionUrl?: string;
  readonly summary?: string;
  readonly error?: ActionError;
  readonly story?: ActionStory;
  /** Who answered an approval. */
  readonly answeredBy?: Actor;
  readonly percentComplete?: number;
}

/** One stage of one execution: its current attempt. */
export interface StageRun {
  readonly stage: string;
  /** 1, +1 for each retry of this stage. */
  readonly attempt: number;
  readonly startedAt: string;
  /** Set once the stage is settled (nothing of it runs and nothing more of it will start). */
  readonly endedAt?: string;
  /** Set when the entry condition said SKIP (CP-C-5). */
  readonly skipped?: boolean;
  /** Set when a stop, or the end of the whole execution, settled it before its own end. */
  readonly stopped?: boolean;
  /** Set when an update of the definition settled it (CP-X-61). */
  readonly cancelled?: boolean;
  readonly actions: readonly ActionRun[];
  /** Ended attempts that a retry replaced, oldest first. */
  readonly earlier?: readonly ActionRun[];
  /** The stage's conditions as far as they were evaluated in this attempt (CP 2.10). */
  readonly conditions?: Readonly<Partial<Record<ConditionKind, ConditionRun>>>;
  /** Evaluations that a retry replaced, oldest first, with the stage's attempt that they belong to. */
  readonly earlierConditions?: readonly EarlierCondition[];
  readonly retries?: {
    readonly manual: number;
    readonly automatic: number;
    readonly latest: 'ManualStageRetry' | 'AutomatedStageRetry';
  };
}

export type ConditionKind = 'beforeEntry' | 'onSuccess' | 'onFailure';
export type ConditionStatus =
  'InProgress' | 'Failed' | 'Errored' | 'Succeeded' | 'Cancelled' | 'Abandoned' | 'Overridden';
export type RuleStatus = 'InProgress' | 'Abandoned' | 'Succeeded' | 'Failed';

/** One evaluation of a condition: all its rules at once, no short cut (CP-C-1). */
export interface ConditionRun {
  readonly startedAt: string;
  readonly rules: readonly RuleRun[];
  readonly overridden?: { readonly at: string; readonly by: Actor };
  /** An update of the definition ended it before it was answered (CP-C-8). */
  readonly cancelled?: boolean;
}

export interface EarlierCondition extends ConditionRun {
  readonly kind: ConditionKind;
  readonly attempt: number;
}

export interface RuleRun {
  readonly rule: string;
  readonly id: ActionExecutionId;
  readonly status: RuleStatus;
  /** It could not be evaluated; counts as failed (CP-C-8). */
  readonly errored?: boolean;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly deadline?: string;
  readonly summary?: string;
  readonly externalExecutionId?: string;
  readonly externalExecutionUrl?: string;
  readonly error?: ActionError;
}

/** A lock over all lanes for one stage (`exclusive:` in the configuration). */
export interface StageLock {
  readonly stage: string;
  readonly state: 'requested' | 'held';
  /** Place in the queue, 1 = next; as last reported. */
  readonly place?: number;
}

/** An end that the stages cannot tell. */
export type Ending =
  | {
      readonly as: 'Superseded';
      readonly at: string;
      /** The newer execution, or the newer commit of the same pull request. */
      readonly by: { readonly execution?: ExecutionId; readonly sha?: string };
    }
  | { readonly as: 'Stopped'; readonly at: string; readonly why?: string }
  | { readonly as: 'Cancelled'; readonly at: string; readonly why: string }
  /** Failed without running anything, for example a required variable without a value (CP-X-7). */
  | { readonly as: 'Failed'; readonly at: string; readonly summary: string };

export interface Execution {
  readonly id: ExecutionId;
  readonly lane: LaneKey;
  readonly pipeline: string;
  /** Place in the start order of the lane; "newer" means larger (CP-X-16). */
  readonly order: number;
  /** Digest of the definition that it started with: a key of `PipelineState.definitions`. */
  readonly definition: string;
  readonly mode: ExecutionMode;
  readonly type: 'STANDARD' | 'ROLLBACK';
  readonly rollbackTarget?: ExecutionId;
  readonly trigger: { readonly type: TriggerType; readonly detail: string };
  readonly sourceRevisions: readonly SourceRevision[];
  readonly variables: readonly { readonly name: string; readonly value: string }[];
  readonly startedAt: string;
  readonly startedBy: Actor;
  readonly updatedAt: string;
  /** Stages that it entered or skipped, in the order of the declaration. */
  readonly stages: readonly StageRun[];
  /** The stage at whose entrance it waits, if it waits. */
  readonly waitingAt?: string;
  readonly stop?: {
    readonly abandon: boolean;
    readonly reason?: string;
    readonly at: string;
    readonly by: Actor;
  };
  /** The definition was updated: what runs may end, nothing new starts, then Cancelled (CP-X-61). */
  readonly cancel?: { readonly at: string; readonly why: string };
  /** Stages that only one execution over all lanes may occupy. */
  readonly exclusive?: readonly string[];
  readonly lock?: StageLock;
  /** A sentence for people: why what is stored may be old, and how to mend that. */
  readonly notice?: string;
  readonly ending?: Ending;
}

/** A lane's key: one per pull request, one for all other starts of a pipeline of one repository. */
export function laneKey(repositoryId: number, pipeline: string, pullRequest?: number): LaneKey {
  return `${repositoryId}/${pipeline}/${pullRequest === undefined ? 'main' : `pr-${pullRequest}`}` as LaneKey;
}

/** What the lane is called where pipelines are known by one name: `web`, and `web@pr-7` for pull request 7. */
export function wireName(lane: LaneKey, pipeline: string): string {
  const [, pullRequest] = /\/(pr-\d+)$/.exec(lane) ?? [];
  return pullRequest === undefined ? pipeline : `${pipeline}@${pullRequest}`;
}
