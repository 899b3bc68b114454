/** What is counted of the AWS side; src/web/aws-metrics.ts shows it. */
export interface AwsMeter {
  call(account: string, operation: string, outcome: CallOutcome): void;
  event(source: EventSource, outcome: EventOutcome): void;
}

/** `refused`: an exception of the service's model; `failed`: no answer, or one that nobody understands. */
export type CallOutcome = 'ok' | 'throttled' | 'denied' | 'refused' | 'failed';

export type EventSource = 'queue' | 'https';
export type EventOutcome = 'looking' | 'ignored' | 'dead';

export const noMeter: AwsMeter = { call: () => {}, event: () => {} };
