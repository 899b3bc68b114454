import { createHash, timingSafeEqual } from 'node:crypto';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Kysely } from 'kysely';
import { awsExecutionsOf } from '../db/aws-executions.ts';
import type { Database } from '../db/database.ts';
import type { BoundPipelines } from '../deps.ts';
import { readEvent } from '../engine/aws/events.ts';
import { signatureHeader, signatureOf } from './event-receivers.ts';

export const awsEventsPath = '/aws/events';

/**
 * Where an EventBridge API destination, or the events of another Penstock, send state changes of CodePipeline. Who sends
 * shows the key or signs with it; what is sent only
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
    const body = await context.req.text();
    const signature = context.req.header(signatureHeader);
    const shown = signature ?? context.req.header('x-penstock-key') ?? '';
    const wanted = signature === undefined ? options.key() : signatureOf(body, options.key());
    if (!isSame(shown, wanted)) return context.text('wrong key', 401);
    const event = readEvent(parsed(body));
    if (!event) return context.text('left alone: no state change of CodePipeline', 202);
    const host = `aws:${event.account}/${event.region}/${event.pipelineName}`;
    const executions = await awsExecutionsOf(options.db, host, event.awsId);
    for (const execution of executions) await options.look(execution, 0);
    return context.text(executions.length > 0 ? 'looking' : 'left alone: not on record', 202);
  });
  return door;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function isSame(shown: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(shown), digest(wanted));
}
