import { createHash, timingSafeEqual } from 'node:crypto';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { parseJson } from '../engine/aws/events.ts';
import { signatureHeader, signatureOf } from './event-receivers.ts';
import { takeFrom, type EventDeps } from './take-event.ts';

export const awsEventsPath = '/aws/events';

/**
 * Where an EventBridge API destination, or the events of another Penstock, send state changes of CodePipeline, one in
 * each request. Who sends shows the key in the header that the destination's connection adds, or signs with it.
 */
export function awsEvents(
  options: EventDeps & {
    /** Read when the first event comes: most servers have no AWS side. */
    readonly key: () => string;
  },
): Hono {
  const door = new Hono();
  // EventBridge's own limit for one event.
  door.post(awsEventsPath, bodyLimit({ maxSize: 256 * 1024 }), async (context) => {
    const body = await context.req.text();
    const signature = context.req.header(signatureHeader);
    const shown = signature ?? context.req.header('x-penstock-key') ?? '';
    const wanted = signature === undefined ? options.key() : signatureOf(body, options.key());
    if (!isSame(shown, wanted)) return context.text('wrong key', 401);
    const { outcome, why } = await takeFrom(options, 'https', parseJson(body));
    return context.text(outcome === 'looking' ? why : `left alone: ${why}`, 202);
  });
  return door;
}

/** Takes the same time wherever the two differ, and however long the one that was shown is. */
function isSame(shown: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(shown), digest(wanted));
}
