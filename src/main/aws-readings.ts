import type { Kysely } from 'kysely';
import type { ServerConfig } from '../config/server-types.ts';
import { budgetStates } from '../db/aws-budgets.ts';
import { countDeadEvents } from '../db/aws-dead-events.ts';
import { longestUnobserved } from '../db/aws-executions.ts';
import type { Database } from '../db/database.ts';
import { budgetOf } from '../engine/aws/budget.ts';
import type { EventQueue } from '../engine/aws/event-queue.ts';
import type { AwsReadings } from '../web/aws-metrics.ts';

export async function readAws(
  db: Kysely<Database>,
  { aws }: ServerConfig,
  queues: readonly EventQueue[],
): Promise<AwsReadings> {
  return {
    budgets: await budgetStates(db, budgetOf(aws.callsPerSecond)),
    unobservedSeconds: await longestUnobserved(db),
    deadEvents: await countDeadEvents(db),
    queues: queues.flatMap((queue) => queue.depths() ?? []),
  };
}
