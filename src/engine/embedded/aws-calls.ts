import type { WorkerJob } from '../../db/worker-jobs.ts';
import type { RepositoryRef } from '../../github/github.ts';

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

/**
 * What the embedded engine asks of AWS; each is there only when the operator configured a client for it. Both throw
 * TransientError when AWS does not answer.
 */
export interface AwsCalls {
  readonly alarmState?: (call: AlarmCall) => Promise<AlarmState | 'missing' | RefusedCall>;
  /** Hands a job over to a function, which answers by PutJobSuccessResult or PutJobFailureResult (CP 4.3). */
  readonly invokeFunction?: (call: FunctionCall) => Promise<FunctionAnswer>;
}

/** For whom a call is made: what the operator allows is said by repository (SEC-T-05). */
export interface CallSubject {
  readonly repository: RepositoryRef;
  readonly execution: string;
  readonly pullRequest?: number;
}

export interface AlarmCall {
  readonly subject: CallSubject;
  readonly alarm: string;
  /** As the declaration has it. */
  readonly region: string | undefined;
}

export interface FunctionCall {
  readonly subject: CallSubject;
  readonly functionName: string;
  readonly region: string | undefined;
  /** The client makes the event of CP 4.3 of it, with account and credentials. */
  readonly job: WorkerJob;
}

/** The operator does not allow it, or AWS does not. */
export interface RefusedCall {
  readonly kind: 'refused';
  readonly code: 'ConfigurationError' | 'PermissionError';
  readonly message: string;
}

export type FunctionAnswer =
  /** It runs; its own return value is ignored (CP-J-19). */
  | { readonly kind: 'accepted' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'error'; readonly message: string }
  | RefusedCall;
