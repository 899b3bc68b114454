import type { ActionExecutionId, ConditionKind, ExecutionId } from './execution.ts';

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
