import type { ActionError, ActionExecutionId, ExecutionId, SourceRevision } from './execution.ts';

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
