import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { emptyTables, testDatabase } from './database.ts';
import { openDoor, post, rawPost, unsignedHeaders, type RawConnection } from './intake-door.ts';

const { db } = await testDatabase();
const door = await openDoor(db);
const hasty = await openDoor(db, { limits: { bodyMs: 700 } });
afterAll(() => Promise.all([door.close(), hasty.close()]));
beforeEach(() => emptyTables(db));

const mebibyte = 1024 * 1024;

function drainedOrClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    function done(): void {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    }
    socket.on('drain', done);
    socket.on('close', done);
  });
}

/** Sends until the other side stops taking it, at most that much; answers how much went out. */
async function pour({ socket }: RawConnection, bytes: number): Promise<number> {
  const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, 32), Buffer.from('\r\n')]);
  let sent = 0;
  while (sent < bytes && !socket.destroyed && socket.writable) {
    if (!socket.write(chunk)) await drainedOrClosed(socket);
    sent += 65_536;
  }
  return sent;
}

describe('SEC-E-09 size', () => {
  test('25 MB are taken, byte for byte', async () => {
    const body = new Uint8Array(25_000_000).fill(32);
    body[12_345_678] = 7;
    expect(await post(door, { body })).toBe(202);
    const row = await db.selectFrom('deliveries').select('body').executeTakeFirstOrThrow();
    expect(Buffer.compare(row.body, body)).toBe(0);
  });

  test('over 26 MiB by its own word: 413 without reading it', async () => {
    const connection = await rawPost(door, [...unsignedHeaders, `Content-Length: ${26 * mebibyte + 1}`]);
    expect(await connection.ended).toContain(' 413 ');
  });

  test('a chunked body without end is cut at 26 MiB', async () => {
    const connection = await rawPost(door, [...unsignedHeaders, 'Transfer-Encoding: chunked']);
    const sent = await pour(connection, 200 * mebibyte);
    expect(sent).toBeLessThan(40 * mebibyte);
    await connection.ended;
  });

  test('twenty endless unsigned bodies do not grow the process by more than a few bodies', async () => {
    const before = process.memoryUsage().rss;
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss - before)), 20);
    for (let n = 0; n < 20; n += 1) {
      const connection = await rawPost(door, [...unsignedHeaders, 'Transfer-Encoding: chunked']);
      await pour(connection, 60 * mebibyte);
      await connection.ended;
    }
    clearInterval(watch);
    expect(most).toBeLessThan(400 * mebibyte);
    expect(await post(door, { body: '{}' })).toBe(202);
  });

  test('what arrives at the same time is bounded too: more is turned away, and afterwards all is well', async () => {
    const narrow = await openDoor(db, { limits: { arrivingBytes: 3 * mebibyte } });
    const headers = [...unsignedHeaders, `Content-Length: ${2 * mebibyte}`];
    const all = await Promise.all(Array.from({ length: 4 }, () => rawPost(narrow, headers)));
    for (const { socket } of all) socket.write(Buffer.alloc(2 * mebibyte - 1, 32));
    const first = await Promise.race(all.map(({ ended }) => ended));
    expect(first).toContain(' 503 ');
    for (const { socket } of all) socket.destroy();
    await Promise.all(all.map(({ ended }) => ended));
    await expect.poll(() => post(narrow, { body: '{}' })).toBe(202);
    await narrow.close();
  });

  test('less than the promised length is no delivery', async () => {
    const { socket, ended } = await rawPost(door, [...unsignedHeaders, 'Content-Length: 100']);
    socket.write('{}');
    socket.end();
    await ended;
    expect(await db.selectFrom('deliveries').select('guid').execute()).toEqual([]);
  });
});

describe('SEC-E-09 time', () => {
  test('one byte at a time: cut when the time for a body is over', async () => {
    const { socket, ended } = await rawPost(hasty, [...unsignedHeaders, 'Content-Length: 1000']);
    const drip = setInterval(() => void socket.write(' '), 100);
    expect(await ended).toContain(' 408 ');
    clearInterval(drip);
  });

  test('a thousand connections that say nothing more do not keep a real delivery out', async () => {
    const idle = await Promise.all(
      Array.from({ length: 1_000 }, () => rawPost(door, [...unsignedHeaders, 'Content-Length: 1000'])),
    );
    const guid = randomUUID();
    expect(await post(door, { guid, body: '{}' })).toBe(202);
    for (const { socket } of idle) socket.destroy();
  });
});
