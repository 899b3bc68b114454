import { createHash, timingSafeEqual } from 'node:crypto';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Kysely } from 'kysely';
import { awsExecutionsOf } from '../db/aws-executions.ts';
import type { Database } from '../db/database.ts';
import type { BoundPipelines } from '../deps.ts';
import { readEvent } from '../engine/aws/events.ts';

export const awsEventsPath = '/aws/events';

/**
 * Where an EventBridge API destination sends state changes of CodePipeline. Who sends shows the key; what is sent only
 * says which execution to look at, so that a forged state reaches nobody (SEC-E-18).
 */
export function awsEvents(options: {
  readonly db: Kysely<Database>;
  readonly look: BoundPipelines['look'];
  /** Read when the first event comes: most servers have no AWS side. */
  readonly key: () => string;
}): Hono {
  const door = new Hono();
  // EventBridge's own limit for one event.
  door.post(awsEventsPath, bodyLimit({ maxSize: 256 * 1024 }), async (context) => {
    if (!isSame(context.req.header('x-penstock-key') ?? '', options.key())) return context.text('wrong key', 401);
    const event = readEvent(await context.req.json<unknown>().catch(() => undefined));
    if (!event) return context.text('left alone: no state change of CodePipeline', 202);
    const host = `aws:${event.account}/${event.region}/${event.pipelineName}`;
    const executions = await awsExecutionsOf(options.db, host, event.awsId);
    for (const execution of executions) await options.look(execution, 0);
    return context.text(executions.length > 0 ? 'looking' : 'left alone: not on record', 202);
  });
  return door;
}

function isSame(shown: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(shown), digest(wanted));
}
