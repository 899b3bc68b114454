import type { ActionReport } from './provider.ts';

export type EndReport = Extract<ActionReport, { kind: 'succeeded' | 'failed' }>;

/** `JobFailed`: the work went wrong. `ConfigurationError`: what was asked for cannot work. `PermissionError`: not allowed. */
export type FailureCode = 'JobFailed' | 'ConfigurationError' | 'PermissionError' | 'ActionLost' | 'InternalError';

export function failed(code: FailureCode, message: string): EndReport {
  return { kind: 'failed', error: { code, message } };
}
