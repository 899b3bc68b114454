import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import type { EmbeddedEngine } from '../engine/embedded/embedded-engine.ts';
import type { ArtifactStore } from '../providers/artifact-store.ts';
import type { ServerSecret } from './server-secret.ts';

/** What the operations of the CodePipeline API work with. */
export interface Door {
  readonly db: Kysely<Database>;
  readonly engine: EmbeddedEngine;
  readonly artifacts: ArtifactStore;
  readonly secret: ServerSecret;
  readonly log: Logger;
  readonly now: () => Date;
  /** As they appear in ARNs. */
  readonly account: string;
  readonly region: string;
  /** Where callers reach this door, for the addresses of webhooks; no slash at the end. */
  readonly url: () => string;
  /** Of running multipart uploads. */
  readonly uploads: string;
}

/** Whoever asks, after the signature was checked. */
export interface Caller {
  readonly arn: string;
  /** The repository that the key is bound to, or `adminScope`: its pipelines are the only ones that exist for it. */
  readonly scope: number;
  readonly readOnly: boolean;
  /** Of a worker job's short-lived credentials: the only objects that they open. */
  readonly objects?: SessionObjects;
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
