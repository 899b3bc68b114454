import type { Transaction } from 'kysely';
import type { GatePolicy } from '../commands/approval-rules.ts';
import type { OwnedFiles } from '../commands/gate.ts';
import type { Database } from '../db/database.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { ApprovalNotification } from '../pipeline/approval-notification.ts';
import type { Actor, ExecutionId, LaneKey, SourceRevision, TriggerType } from '../pipeline/execution.ts';
import type { PipelineCommand, Refusal } from '../pipeline/protocol.ts';

/**
 * A way to make an `Execution` true. Contract:
 * - `start` may be called again with the same idempotency key, after a crash too: same key, same execution.
 * - `obey` may be called again with the same command: the second answer is a refusal or `done`, never a second effect.
 * - `refresh` may be called at any time by anybody; it changes nothing but our own record.
 * - None of them waits for an action to end. All of them throw TransientError when the other side is away.
 */
export interface Engine {
  start(request: StartRequest): Promise<ExecutionId>;
  obey(command: PipelineCommand, by: Actor, along?: Along): Promise<Obeyed>;
  refresh(execution: string): Promise<void>;
}

export interface StartRequest {
  /** Says which intent this is, for example `push/<repository>/<pipeline>/<sha>`. */
  readonly idempotencyKey: string;
  readonly repositoryId: number;
  /** The name under `pipelines:` in .github/penstock.yml. */
  readonly pipeline: string;
  readonly lane: LaneKey;
  readonly definition: PipelineDefinition;
  readonly trigger: { readonly type: TriggerType; readonly detail: string };
  readonly sourceRevisions: readonly SourceRevision[];
  readonly variables: readonly { readonly name: string; readonly value: string }[];
  readonly by: Actor;
  readonly context: ExecutionContext;
  /** Stages that one execution at a time may occupy over all lanes of the pipeline. */
  readonly exclusive?: readonly string[];
  /** Who runs it; the embedded engine unless told otherwise. */
  readonly engine?: 'embedded' | 'aws';
}

/** Replaces the declaration that a lane's executions go by; no execution starts (CP-X-60). */
export interface UpdateRequest {
  readonly lane: LaneKey;
  readonly repositoryId: number;
  readonly pipeline: string;
  readonly pullRequest?: number;
  readonly definition: PipelineDefinition;
  readonly by: Actor;
}

/** What Penstock knows about an execution beyond CodePipeline's own words; stored beside it, never changed. */
export interface ExecutionContext {
  /** The commit that check runs are posted on. */
  readonly headSha: string;
  readonly headBranch?: string;
  /** The pull request whose lane this is, or that owns a push execution. */
  readonly pullRequest?: number;
  readonly baseRef?: string;
  readonly baseSha?: string;
  /** The commit that the configuration was read from, and the digest of what was read. */
  readonly configSha: string;
  readonly configDigest: string;
  /** From a fork: no secrets, no network. */
  readonly fork: boolean;
  readonly title?: string;
  /** Author of the pull request (or of the push) first, then authors and committers of the commits. */
  readonly authors: readonly Person[];
  /** Who pushed the head commit, or merged it. */
  readonly lastPusher?: Person;
  /** Commit authors that GitHub could not map to an account. */
  readonly unmappedAuthors: readonly string[];
  /** Why it started, in words: "push to main", "pull request opened". */
  readonly cause: string;
  /** Owners of the touched files, by CODEOWNERS at `configSha`; read only when a gate's policy asks for them. */
  readonly owners?: readonly OwnedFiles[] | 'unknown';
  /** Lines of that CODEOWNERS that cannot be read. */
  readonly skippedOwnerLines?: readonly number[];
  /** Paths that the pull request changes and that say what runs or who decides: those of the base hold (SEC-C-07). */
  readonly ruleChanges?: readonly string[];
  /** The gates' policies as they were read at `configSha`, by `Stage/Action`. */
  readonly gates: Readonly<Record<string, GatePolicy>>;
  /** False: only `/penstock verb` is heard in this repository. */
  readonly bareCommands: boolean;
  /** True: one comment in the pull request is kept that says where everything stands. */
  readonly statusComment?: boolean;
}

/** What goes along with a command, as close to its effect as the engine can: in its transaction where that is ours. */
export interface Along {
  /** Before it. A refusal from it stops the command. */
  readonly recheck?: Recheck;
  /** After it, in the same transaction; never called where the effect is somebody else's (AWS), which is read back. */
  readonly onDone?: (trx: Transaction<Database>) => Promise<void>;
}

/** Looks once more at stored votes under the lane's lock (SEC R2). Never asks the network. */
export type Recheck = (trx: Transaction<Database>) => Promise<Refusal | undefined>;

export interface Person {
  readonly id: number;
  readonly login: string;
}

/** Where notices that a pipeline asks for are sent. Called at least once for each; it must not wait for a reader, and is
 * called again after it has thrown. */
export interface Notifier {
  /** An approval with a `NotificationArn` began to wait. `message` is what SNS would carry (CP-A-11). */
  approvalWaiting(notice: {
    readonly execution: string;
    readonly topicArn: string;
    readonly message: ApprovalNotification;
  }): Promise<void>;
}

export type Obeyed = { readonly outcome: 'done' } | { readonly outcome: 'refused'; readonly refusal: Refusal };

/** One start of a pipeline that a repository declares: of a pull request's head, or of a commit that was pushed. */
export interface DeclaredStart {
  readonly idempotencyKey: string;
  readonly repositoryId: number;
  readonly pipeline: string;
  readonly pullRequest: number | null;
  /** The newest one when absent. */
  readonly sha?: string;
  readonly variables: readonly { readonly name: string; readonly value: string }[];
  readonly by: Extract<Actor, { kind: 'api' }>;
}
