import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { subscribedEvents, toWebhookEvent } from '../../src/github/webhook-event.ts';
import { asDeliveredToAnApp, webhookExamples } from './webhook-examples.ts';

const name = fc.oneof(fc.constantFrom(...subscribedEvents), fc.string());

test('SEC-E-10 no JSON value makes the door throw, and each gets an event or a reason', () => {
  fc.assert(
    fc.property(name, fc.jsonValue({ maxDepth: 5 }), (event, body) => {
      const outcome = toWebhookEvent(event, body);
      expect(outcome.kind === 'event' || outcome.reason.length > 0).toBe(true);
    }),
    { numRuns: 500 },
  );
});

/** A path to any value inside a payload. */
function pathsIn(value: unknown, at: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, inner]) => pathsIn(inner, [...at, key]))];
}

function withValue(whole: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const holder = whole as Record<string, unknown>;
  const copy: Record<string, unknown> = Array.isArray(holder) ? Object.assign([], holder) : { ...holder };
  copy[key] = withValue(holder[key], rest, value);
  return copy;
}

test('SEC-E-05 a real payload with any one value exchanged never throws', () => {
  const payloads = subscribedEvents.flatMap((event) =>
    webhookExamples(event).map((body) => ({ event, body: asDeliveredToAnApp(body), paths: pathsIn(body) })),
  );
  const mutation = fc.record({
    payload: fc.constantFrom(...payloads),
    place: fc.nat(),
    value: fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(undefined, Number.NaN, 2n ** 60n, 2 ** 60, '\0', '\ud800'),
    ),
  });
  fc.assert(
    fc.property(mutation, ({ payload, place, value }) => {
      const path = payload.paths[place % payload.paths.length] ?? [];
      const outcome = toWebhookEvent(payload.event, withValue(payload.body, path, value));
      // What passes can be stored: no NUL, and no number that was rounded.
      if (outcome.kind === 'event') expect(JSON.stringify(outcome.event)).not.toMatch(/\\u0000|\\ud800/);
      else expect(outcome.reason).not.toBe('');
    }),
    { numRuns: 2000 },
  );
});
