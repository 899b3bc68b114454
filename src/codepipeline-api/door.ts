import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import type { DeclaredStart } from '../engine/engine.ts';
import type { EmbeddedEngine } from '../engine/embedded/embedded-engine.ts';
import type { ArtifactStore } from '../providers/artifact-store.ts';
import type { ExecutionId } from '../pipeline/execution.ts';
import type { KeyCache } from './key-cache.ts';
import type { ServerSecret } from './server-secret.ts';

/** Repositories with pipelines of their own, behind a door that has a GitHub beside it. */
export interface Repositories {
  /** Whether the operator serves it, and the App is installed on it. */
  serves(repositoryId: number): Promise<boolean>;
  /** Throws UserError for what cannot be started, with the reason. */
  start(start: DeclaredStart): Promise<ExecutionId>;
}

/** What the operations of the CodePipeline API work with. */
export interface Door {
  readonly db: Kysely<Database>;
  readonly engine: EmbeddedEngine;
  readonly artifacts: ArtifactStore;
  readonly secret: ServerSecret;
  readonly keys: KeyCache;
  readonly log: Logger;
  readonly now: () => Date;
  /** As they appear in ARNs. */
  readonly account: string;
  readonly region: string;
  /** Where callers reach this door, for the addresses of webhooks; no slash at the end. */
  readonly url: () => string;
  /** Of running multipart uploads. */
  readonly uploads: string;
  /** Absent: only pipelines that were made through the API exist. */
  readonly repositories?: Repositories;
  /** How long after a continuation the next job is offered (CP-J-9); 5 s without it. */
  readonly continuationDelayMs?: number;
}

/** Whoever asks, after the signature was checked. */
export interface Caller {
  readonly arn: string;
  /** The repository that the key is bound to, or `adminScope`: its pipelines are the only ones that exist for it. */
  readonly scope: number;
  readonly readOnly: boolean;
  /** Its answer releases gates of pipelines that a repository declares. */
  readonly mayApprove: boolean;
  /** Of a worker job's short-lived credentials: the only objects that they open. */
  readonly objects?: SessionObjects;
  /** Of a function's credentials: the one job that they may answer for. */
  readonly job?: string;
}

export interface SessionObjects {
  /** `bucket/key` */
  readonly read: readonly string[];
  readonly write: readonly string[];
}

/** One request to one operation. */
export interface Call {
  readonly door: Door;
  readonly caller: Caller;
}

/**
 * An input after `checkShape`: what the model requires is there. The SDK types required members as possibly undefined,
 * because it does not check them (CP-W-9).
 */
export type Checked<T> = T extends Date
  ? T
  : T extends readonly (infer E)[]
    ? readonly Checked<E>[]
    : T extends object
      ? { readonly [K in keyof T]: Checked<Exclude<T[K], undefined>> }
      : T;

export type Operation<I, O> = (call: Call, input: Checked<I>) => Promise<O>;
