import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { webhookPath } from '../src/intake.ts';
import { testDatabase } from './database.ts';
import { openDoor, post, rawPost, secret } from './intake-door.ts';

const { db } = await testDatabase();
const door = await openDoor(db);
afterAll(() => door.close());

/** What HTTP itself lets through in a header. */
const headerText = fc.string({ unit: 'grapheme-ascii', maxLength: 100 }).map((text) => text.trim());

const request = fc.record({
  body: fc.uint8Array({ maxLength: 2_000 }),
  signed: fc.boolean(),
  'x-github-event': headerText,
  'x-github-delivery': fc.oneof(headerText, fc.uuid()),
  'content-type': fc.oneof(headerText, fc.constant('application/json'), fc.constant('application/json; charset=utf-8')),
  'x-hub-signature-256': headerText,
});

test('SEC-E-11 whatever comes is answered with a word of the door, and the door stays open', async () => {
  await fc.assert(
    fc.asyncProperty(request, async ({ body, signed, ...headers }) => {
      const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
      const response = await fetch(`http://127.0.0.1:${door.port}${webhookPath}`, {
        method: 'POST',
        body: new Uint8Array(body),
        headers: { ...headers, 'x-hub-signature-256': signed ? signature : headers['x-hub-signature-256'] },
      });
      await response.text();
      expect([200, 202, 400, 401, 415]).toContain(response.status);
      if (!signed) expect(response.status).toBeGreaterThanOrEqual(400);
    }),
    { numRuns: 400 },
  );
  expect(await post(door, { body: '{}' })).toBe(202);
});

test('SEC-E-11 lines that are no HTTP do not end the process', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'binary', maxLength: 200 }), { maxLength: 5 }), async (lines) => {
      const { socket, ended } = await rawPost(door, lines);
      socket.end('\r\n\r\n');
      await ended;
    }),
    { numRuns: 100 },
  );
  expect(await post(door, { body: '{}' })).toBe(202);
});
