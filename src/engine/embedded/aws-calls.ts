import type { WorkerJob } from '../../db/worker-jobs.ts';

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

/** What the embedded engine asks of AWS; each is there only when the operator configured a client for it. */
export interface AwsCalls {
  /** `missing`: there is no alarm of that name. Throws TransientError when AWS does not answer. */
  readonly alarmState?: (alarm: string, region: string | undefined) => Promise<AlarmState | 'missing'>;
  /** Hands a job over to a function, which answers by PutJobSuccessResult or PutJobFailureResult (CP 4.3). */
  readonly invokeFunction?: (call: FunctionCall) => Promise<FunctionAnswer>;
}

export interface FunctionCall {
  readonly functionName: string;
  readonly region: string | undefined;
  /** The client makes the event of CP 4.3 of it, with account and credentials. */
  readonly job: WorkerJob;
}

export type FunctionAnswer =
  /** It runs; its own return value is ignored (CP-J-19). */
  { readonly kind: 'accepted' } | { readonly kind: 'missing' } | { readonly kind: 'error'; readonly message: string };
