import type { PipelineDefinition, RetryMode } from './definition.ts';
import type {
  ActionError,
  ActionExecutionId,
  Actor,
  ConditionKind,
  Execution,
  ExecutionId,
  LaneKey,
  SourceRevision,
  TriggerType,
} from './execution.ts';

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

/** What the world reports. Facts may come late, twice or never; each names the attempt that it is about. */
export type Fact =
  | {
      readonly kind: 'action-running';
      readonly execution: ExecutionId;
      readonly action: ActionExecutionId;
      readonly externalExecutionId?: string;
      readonly externalExecutionUrl?: string;
      readonly summary?: string;
      readonly percentComplete?: number;
    }
  | { readonly kind: 'action-waiting'; readonly execution: ExecutionId; readonly action: ActionExecutionId }
  | {
      readonly kind: 'action-succeeded';
      readonly execution: ExecutionId;
      readonly action: ActionExecutionId;
      readonly summary?: string;
      readonly percentComplete?: number;
      readonly externalExecutionId?: string;
      readonly externalExecutionUrl?: string;
      /** Set by source actions: what was really taken. */
      readonly revision?: SourceRevision;
    }
  | {
      readonly kind: 'action-failed';
      readonly execution: ExecutionId;
      readonly action: ActionExecutionId;
      readonly error: ActionError;
      readonly externalExecutionId?: string;
      readonly externalExecutionUrl?: string;
    }
  /** The deadline of a running action passed (CP 1.6). */
  | { readonly kind: 'deadline-passed'; readonly execution: ExecutionId; readonly action: ActionExecutionId }
  | RuleFact
  | LockFact;

/** What is reported of one rule of a condition (CP 2.10). */
export type RuleFact =
  | {
      readonly kind: 'rule-running';
      readonly execution: ExecutionId;
      readonly rule: ActionExecutionId;
      readonly summary?: string;
      readonly externalExecutionId?: string;
      readonly externalExecutionUrl?: string;
    }
  | {
      readonly kind: 'rule-succeeded';
      readonly execution: ExecutionId;
      readonly rule: ActionExecutionId;
      readonly summary?: string;
      readonly externalExecutionId?: string;
    }
  | {
      /** `rule-errored`: it could not be evaluated, for example because an alarm is missing (CP-C-8). */
      readonly kind: 'rule-failed' | 'rule-errored';
      readonly execution: ExecutionId;
      readonly rule: ActionExecutionId;
      readonly error: ActionError;
      readonly externalExecutionId?: string;
    }
  | { readonly kind: 'rule-deadline-passed'; readonly execution: ExecutionId; readonly rule: ActionExecutionId };

/** What is reported of a lock over all lanes. `place` 1 means next. */
export type LockFact =
  | { readonly kind: 'lock-granted'; readonly execution: ExecutionId; readonly stage: string }
  | {
      readonly kind: 'lock-queued';
      readonly execution: ExecutionId;
      readonly stage: string;
      readonly place: number;
    };

export type Input = StartInput | UpdateDefinitionInput | PipelineCommand | Fact;

/** Work for the shell, saved in the same transaction as the new state. Each may run more than once. */
export type Effect =
  | {
      readonly kind: 'start-action' | 'stop-action';
      readonly execution: ExecutionId;
      readonly stage: string;
      readonly action: string;
      readonly attempt: number;
      readonly id: ActionExecutionId;
    }
  | {
      readonly kind: 'watch-deadline';
      readonly execution: ExecutionId;
      readonly stage: string;
      readonly action: string;
      readonly attempt: number;
      readonly id: ActionExecutionId;
      /** ISO 8601, UTC. */
      readonly at: string;
    }
  | RuleEffect
  | {
      /**
       * `request-lock`: join the queue of this stage over all lanes of the pipeline, first come first served; answer
       * `lock-granted` or `lock-queued`. `release-lock`: leave the queue or give the lock back. Both may repeat and
       * overtake each other, so the shell looks at `Execution.lock` when it runs one: a request is void when the
       * execution has no lock on this stage any more, a release when it has asked again.
       */
      readonly kind: 'request-lock' | 'release-lock';
      readonly execution: ExecutionId;
      readonly stage: string;
    };

export type RuleEffect =
  | ({ readonly kind: 'start-rule' | 'stop-rule' } & RuleAddress)
  | ({ readonly kind: 'watch-rule-deadline'; readonly at: string } & RuleAddress);

export interface RuleAddress {
  readonly execution: ExecutionId;
  readonly stage: string;
  readonly condition: ConditionKind;
  readonly rule: string;
  /** Of the stage: rules are evaluated anew in each attempt. */
  readonly attempt: number;
  readonly id: ActionExecutionId;
}

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

/**
 * What became different between two states of one lane. Reports, events and audit rows derive from it.
 * Every execution that is not the same as before has exactly one `execution` change; `from` equals `to` when its status
 * stayed and only something inside it moved.
 */
export type Change =
  | { readonly kind: 'execution'; readonly execution: ExecutionId; readonly from?: string; readonly to: string }
  | {
      readonly kind: 'stage';
      readonly execution: ExecutionId;
      readonly stage: string;
      readonly attempt: number;
      readonly from?: string;
      readonly to: string;
    }
  | {
      readonly kind: 'action';
      readonly execution: ExecutionId;
      readonly stage: string;
      readonly action: string;
      readonly id: ActionExecutionId;
      readonly attempt: number;
      readonly from?: string;
      readonly to: string;
    }
  | {
      readonly kind: 'transition';
      readonly stage: string;
      readonly transition: 'Inbound' | 'Outbound';
      readonly enabled: boolean;
    };
