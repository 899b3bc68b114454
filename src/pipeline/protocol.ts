import type { PipelineDefinition, RetryMode } from './definition.ts';
import type { Effect } from './effect.ts';
import type { Actor, Execution, ExecutionId, LaneKey, SourceRevision, TriggerType } from './execution.ts';
import type { Fact } from './fact.ts';

/**
 * The words between the pure core and the shell.
 * Input = what people ask (PipelineCommand), or the world reports (Fact), or a start.
 */

/** Everything the core needs to know of one lane to decide one input. */
export interface PipelineState {
  readonly lane: LaneKey;
  readonly pipeline: string;
  /** Executions started so far in this lane; the next one's `order` is this plus one. */
  readonly started: number;
  /** Definitions by digest: those of every execution below. */
  readonly definitions: Readonly<Record<string, PipelineDefinition>>;
  /** Live executions, each stage's latest entered and latest succeeded one, and the one that the input names. */
  readonly executions: Readonly<Record<string, Execution>>;
  readonly stages: Readonly<Record<string, StageBook>>;
  /**
   * Digest of the definition in force, once `update-definition` set one (CP 2.9). Without it every execution keeps the
   * definition that it started with, and the newest execution's counts as the one in force.
   */
  readonly current?: string;
}

/** What a lane remembers of a stage beyond single executions. A missing book means: nothing happened yet. */
export interface StageBook {
  /** Executions waiting at the entrance, first to enter first. */
  readonly inbound: readonly ExecutionId[];
  readonly latestEntered?: ExecutionId;
  readonly latestSucceeded?: ExecutionId;
  readonly inboundTransition?: TransitionSetting;
  readonly outboundTransition?: TransitionSetting;
}

export interface TransitionSetting {
  readonly enabled: boolean;
  readonly reason?: string;
  readonly changedAt: string;
  readonly changedBy: Actor;
}

export interface StartInput {
  readonly kind: 'start';
  readonly execution: ExecutionId;
  readonly definition: PipelineDefinition;
  /** Digest of `definition`. */
  readonly digest: string;
  readonly trigger: { readonly type: TriggerType; readonly detail: string };
  readonly sourceRevisions: readonly SourceRevision[];
  readonly variables: readonly { readonly name: string; readonly value: string }[];
  /** Stages with one lock over all lanes. */
  readonly exclusive?: readonly string[];
  /** Why none of it can run here (CP-P-6): a caller is refused, what a trigger began is recorded as failed. */
  readonly notRunnable?: string;
}

/** The declaration of the whole lane was replaced (CP-X-60 to X-63). */
export interface UpdateDefinitionInput {
  readonly kind: 'update-definition';
  readonly definition: PipelineDefinition;
  /** Digest of `definition`. */
  readonly digest: string;
}

/** What people (or the shell on their behalf) ask of an execution or a stage. */
export type PipelineCommand =
  | {
      readonly kind: 'approve' | 'reject';
      readonly lane: LaneKey;
      readonly execution: ExecutionId;
      readonly stage: string;
      readonly action: string;
      readonly token: string;
      /** 0 to 512 characters (CP-A-2). */
      readonly summary: string;
    }
  | {
      readonly kind: 'retry';
      readonly lane: LaneKey;
      readonly execution: ExecutionId;
      readonly stage: string;
      readonly mode: RetryMode;
    }
  | {
      readonly kind: 'stop';
      readonly lane: LaneKey;
      readonly execution: ExecutionId;
      readonly abandon: boolean;
      readonly reason?: string;
    }
  | {
      /** A newer commit of the pull request, or its closing, ends the lane's older execution (design section 4). */
      readonly kind: 'withdraw';
      readonly lane: LaneKey;
      readonly execution: ExecutionId;
      readonly because:
        | { readonly kind: 'newer-commit'; readonly sha: string }
        | { readonly kind: 'closed'; readonly merged: boolean }
        /** The pull request goes into another branch now. */
        | { readonly kind: 'base-changed'; readonly base: string }
        /** Somebody started the pipeline anew under the configuration of today. */
        | { readonly kind: 'configuration-changed'; readonly digest: string };
    }
  | {
      readonly kind: 'rollback';
      readonly lane: LaneKey;
      readonly stage: string;
      /** Id of the new execution. */
      readonly execution: ExecutionId;
      readonly target: ExecutionId;
    }
  | {
      readonly kind: 'override';
      readonly lane: LaneKey;
      readonly execution: ExecutionId;
      readonly stage: string;
      readonly condition: 'BEFORE_ENTRY' | 'ON_SUCCESS';
    }
  | {
      readonly kind: 'disable-transition' | 'enable-transition';
      readonly lane: LaneKey;
      readonly stage: string;
      readonly transition: 'Inbound' | 'Outbound';
      readonly reason?: string;
    };

export type Input = StartInput | UpdateDefinitionInput | PipelineCommand | Fact;

/** A person asked for what cannot be now. */
export interface Refusal {
  /** CodePipeline's exception, for example `NotLatestPipelineExecutionException`. */
  readonly exception: string;
  /** CodePipeline's text where it has one. */
  readonly message: string;
  /** The rule, for example `CP-X-40`. */
  readonly rule: string;
}

export type Transition =
  | { readonly outcome: 'moved'; readonly state: PipelineState; readonly effects: readonly Effect[] }
  /** A late or repeated fact: normal. */
  | { readonly outcome: 'ignored'; readonly why: string }
  | { readonly outcome: 'refused'; readonly refusal: Refusal };

export interface Given {
  readonly at: Date;
  /** Ids are uuid v5 of this seed plus stage/action/attempt, so a replay makes the same ids. */
  readonly seed: string;
  readonly by: Actor;
}
