import { afterAll, expect, test } from 'vitest';
import { testDatabase } from './database.ts';
import { openDoor, rawConnect } from './intake-door.ts';

const { db } = await testDatabase();
const door = await openDoor(db);
afterAll(() => door.close());

test('SEC-E-09 headers that never end are cut after ten seconds', async () => {
  const started = performance.now();
  const { socket, ended } = await rawConnect(door);
  socket.write('POST /api/github/webhooks HTTP/1.1\r\nHost: door\r\n');
  const drip = setInterval(() => void socket.write('X-More: 1\r\n'), 500);
  expect(await ended).toContain(' 408 ');
  clearInterval(drip);
  expect(performance.now() - started).toBeLessThan(13_000);
});
