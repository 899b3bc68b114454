import type { Generated } from 'kysely';
import type { GeneratedTimestamp } from './column-types.ts';

/** Tables of migration 0016: how the AWS engine keeps within what an account takes, and events that nobody could read. */
export interface AwsTables {
  aws_budgets: AwsBudgetTable;
  aws_dead_events: AwsDeadEventTable;
}

/** One bucket of tokens for each AWS account, shared by all replicas. */
interface AwsBudgetTable {
  account: string;
  /** As of `filled_at`; below 0 after more calls than it held. */
  tokens: number;
  filled_at: GeneratedTimestamp;
  /** Times in a row that AWS throttled. */
  strikes: Generated<number>;
  paused_until: GeneratedTimestamp;
}

/** Messages of an event queue that hold no event. */
interface AwsDeadEventTable {
  id: Generated<number>;
  queue: string;
  message_id: string;
  body: string;
  why: string;
  seen_at: GeneratedTimestamp;
}
