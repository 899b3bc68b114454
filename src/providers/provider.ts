import type { z } from 'zod';
import type { ActionDeclaration, ActionTypeId } from '../pipeline/definition.ts';
import type { ActionError, ActionExecutionId, ExecutionId, SourceRevision } from '../pipeline/execution.ts';
import type { RepositoryRef } from '../github/github.ts';

/**
 * Runs the actions of one provider. Contract:
 * - `start` returns at once; long work goes on behind it. It may be called twice with one token: the work starts once,
 *   the second call reports how the first one stands.
 * - `poll` is called after `running`, at the latest after `pollAfterMs`, earlier when `action.changed()` was called.
 *   After a restart of the process, `poll` begins work of the old one again where that does no harm; elsewhere it answers
 *   `failed` with code `ActionLost`.
 * - `stop` ends the work if it still goes on, and is quiet when it has ended already or was never started. It may come when
 *   a retry has begun: the token says which attempt is meant.
 * - A failed action is a report. Throwing means that the provider itself is broken; the call is repeated later.
 * - Only `action.log` and the output locations are written; nothing of the environment of the process leaks into work.
 */
export interface ActionProvider<C> {
  readonly type: ActionTypeId;
  /** Checked when the definition is read, not when the action runs. */
  readonly configuration: z.ZodType<C>;
  /** Fewest and most artifacts in and out (CP section 5). */
  readonly artifacts: { readonly in: readonly [number, number]; readonly out: readonly [number, number] };
  start(action: StartedAction<C>): Promise<ActionReport>;
  poll?(action: RunningAction<C>): Promise<ActionReport>;
  stop?(action: Pick<RunningAction<C>, 'token'>): Promise<void>;
}

export interface StartedAction<C> {
  /** `execution/stage/action/attempt`: what makes a second call recognisable. */
  readonly token: string;
  readonly execution: ExecutionId;
  readonly actionExecution: ActionExecutionId;
  readonly pipeline: string;
  readonly stage: string;
  readonly attempt: number;
  /** With variables resolved. */
  readonly declaration: ActionDeclaration;
  readonly configuration: C;
  readonly repository: RepositoryRef;
  /** For source actions: the pinned revision. */
  readonly sourceRevision?: SourceRevision;
  readonly inputs: readonly NamedArtifact[];
  /** Where outputs go; allotted before the action runs (CP-D-26). */
  readonly outputs: readonly NamedArtifact[];
  /** What a source action may tell the pipeline about the start (CP-P-3, CP-P-7). */
  readonly origin: ActionOrigin;
  /** `fork` means: no secrets, no network. */
  readonly trust: 'repository' | 'fork';
  /** Secrets this action may see, by name. Their values are masked in logs, summaries and outputs. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly log: ActionLog;
  /** Says that `poll` would now have news. May be called at any time, also after the end. */
  changed(): void;
}

export interface ActionOrigin {
  readonly headSha: string;
  readonly branch?: string;
  readonly pullRequest?: { readonly number: number; readonly title: string; readonly baseRef: string };
}

export interface RunningAction<C> extends StartedAction<C> {
  readonly externalId: string;
}

export interface NamedArtifact {
  readonly name: string;
  readonly location: ArtifactLocation;
}

/** An object of the local artifact store (src/providers/artifact-store.ts). */
export interface ArtifactLocation {
  readonly bucket: string;
  readonly key: string;
}

/** One action attempt's log file: masked and capped. Writing never fails the action. */
export interface ActionLog {
  write(chunk: string | Uint8Array): void;
}

export type ActionReport =
  | {
      readonly kind: 'running';
      readonly externalId: string;
      readonly externalUrl?: string;
      readonly summary?: string;
      readonly pollAfterMs: number;
    }
  /** A person has to answer; nothing is polled. */
  | { readonly kind: 'waiting' }
  | {
      readonly kind: 'succeeded';
      readonly outputVariables: Readonly<Record<string, string>>;
      readonly summary?: string;
      readonly externalId?: string;
      readonly externalUrl?: string;
      readonly revision?: SourceRevision;
    }
  | {
      readonly kind: 'failed';
      readonly error: ActionError;
      readonly externalId?: string;
      readonly externalUrl?: string;
    };

export type AnyProvider = ActionProvider<unknown>;
