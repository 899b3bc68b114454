import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeEach, expect, inject, test } from 'vitest';
import { openDatabase } from '../src/db/open.ts';
import { proxyTo } from './db/database-proxy.ts';
import { emptyTables, testDatabase } from './database.ts';
import { openDoor, post } from './intake-door.ts';

const { db, url } = await testDatabase();
const door = await openDoor(db);
afterAll(() => door.close());
beforeEach(() => emptyTables(db));

const stored = () => db.selectFrom('deliveries').select('guid').execute();

test('SEC-E-14 a database that fails is 503, and the next delivery is taken when it works again', async () => {
  await sql`alter table deliveries rename to gone`.execute(db);
  expect(await post(door, { body: '{}' })).toBe(503);
  await sql`alter table gone rename to deliveries`.execute(db);
  expect(await post(door, { body: '{}' })).toBe(202);
});

test('SEC-F-06 what was stored but not acknowledged is a repeat when it comes again', async () => {
  const impatient = await openDoor(db, { limits: { storeMs: 0 } });
  const guid = randomUUID();
  expect(await post(impatient, { guid, body: '{}' })).toBe(503);
  await expect.poll(stored).toEqual([{ guid }]);
  expect(await post(door, { guid, body: '{}' })).toBe(200);
  expect(await stored()).toEqual([{ guid }]);
  await impatient.close();
});

if (inject('databaseEngine') === 'postgres') {
  test('SEC-E-14 SEC-F-08 a database that does not answer is 503 within five seconds', async () => {
    const proxy = await proxyTo(url!);
    const open = await openDatabase({ kind: 'postgres', url: proxy.url });
    const through = await openDoor(open.db);
    expect(await post(through, { body: '{}' })).toBe(202);
    proxy.blackHole();
    const started = performance.now();
    const answers = await Promise.all([1, 2, 3].map(() => post(through, { body: '{}' })));
    expect(answers).toEqual([503, 503, 503]);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(await stored()).toHaveLength(1);
    await through.close();
    await proxy.close();
    await open.close();
  });

  test('SEC-E-14 a database that is gone is 503', async () => {
    const proxy = await proxyTo(url!);
    const open = await openDatabase({ kind: 'postgres', url: proxy.url });
    await proxy.close();
    const through = await openDoor(open.db);
    expect(await post(through, { body: '{}' })).toBe(503);
    await through.close();
    await open.close();
  });

  test('SEC-F-39 the answer to COMMIT is lost: 503, the row is there, and the redelivery is a repeat', async () => {
    const proxy = await proxyTo(url!);
    const open = await openDatabase({ kind: 'postgres', url: proxy.url });
    const through = await openDoor(open.db);
    const guid = randomUUID();
    proxy.swallowNextCommit();
    expect(await post(through, { guid, body: '{}' })).toBe(503);
    expect(await stored()).toEqual([{ guid }]);
    expect(await post(through, { guid, body: '{}' })).toBe(200);
    expect(await db.selectFrom('jobs').select('id').execute()).toHaveLength(1);
    await through.close();
    await open.close();
    await proxy.close();
  });
}
