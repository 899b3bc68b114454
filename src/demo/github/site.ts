import type { AppRecord } from './app-record.ts';
import type { FaultBook } from './faults.ts';
import type { State } from './state.ts';
import type { Webhooks } from './webhooks.ts';

/** The stand-in at work: what every route and every act of a person is given. */
export interface Site {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  readonly directory: string;
  readonly app: AppRecord;
  readonly state: State;
  readonly webhooks: Webhooks;
  readonly faults: FaultBook;
  readonly now: () => Date;
}
