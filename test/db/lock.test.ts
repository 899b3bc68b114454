import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { takeLock } from '../../src/db/lock.ts';
import { UserError } from '../../src/errors.ts';

let home: string;
let directory: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'penstock-lock-'));
  directory = join(home, 'db');
});
afterEach(() => rmSync(home, { recursive: true }));

const lockFile = () => `${directory}.lock`;

/** A process of its own that takes the lock and then waits to be killed. */
async function holderProcess() {
  const module = join(import.meta.dirname, '../../src/db/lock.ts');
  const script = `const { takeLock } = await import(${JSON.stringify(module)});
    await takeLock(${JSON.stringify(directory)}); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

test('a second taker is refused, with the holder and the way out named', async () => {
  const release = await takeLock(directory);
  const second = takeLock(directory);
  await expect(second).rejects.toThrow(UserError);
  await expect(second).rejects.toThrow(new RegExp(`in use by process ${process.pid}.*PENSTOCK_HOME`));
  await release();
});

test('released, it can be taken again', async () => {
  await (
    await takeLock(directory)
  )();
  expect(existsSync(lockFile())).toBe(false);
  await (
    await takeLock(directory)
  )();
});

test('another living process keeps it; killed with SIGKILL, it is taken over', async () => {
  const holder = await holderProcess();
  await expect(takeLock(directory)).rejects.toThrow(`process ${holder.pid}`);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const release = await takeLock(directory);
  expect(JSON.parse(readFileSync(lockFile(), 'utf8'))).toMatchObject({ pid: process.pid });
  await release();
});

test('a process with the same id that started at another time is not the holder', async () => {
  const release = await takeLock(directory);
  const lock = JSON.parse(readFileSync(lockFile(), 'utf8'));
  await release();
  writeFileSync(lockFile(), JSON.stringify({ ...lock, processStart: 'earlier' }));
  await (
    await takeLock(directory)
  )();
});

test('half a lock file counts as stale', async () => {
  writeFileSync(lockFile(), '{"pid": 1');
  await (
    await takeLock(directory)
  )();
});

test('a holder on another machine counts as alive while it touches the file', async () => {
  writeFileSync(lockFile(), JSON.stringify({ pid: 1, processStart: 'x', host: 'elsewhere', since: 'today' }));
  await expect(takeLock(directory)).rejects.toThrow('process 1 on elsewhere');
  utimesSync(lockFile(), 1, 1);
  await (
    await takeLock(directory)
  )();
});

test('of ten takers at once over a stale lock one gets it', async () => {
  for (let round = 0; round < 10; round += 1) {
    writeFileSync(lockFile(), '{}');
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => takeLock(directory)));
    const got = results.filter((result) => result.status === 'fulfilled');
    expect(got).toHaveLength(1);
    await got[0]?.value();
    expect(readdirSync(home)).toEqual([]);
  }
});

test('a process that was killed while it replaced a stale lock stands in nobody’s way', async () => {
  const gone = JSON.stringify({ pid: 2 ** 30, processStart: 'x', host: hostname(), since: 'today' });
  writeFileSync(lockFile(), '{}');
  const right = createHash('sha256').update('{}').digest('hex').slice(0, 8);
  writeFileSync(`${lockFile()}.${right}`, gone);
  const release = await takeLock(directory);
  await expect(takeLock(directory)).rejects.toThrow(`process ${process.pid}`);
  await release();
  expect(readdirSync(home)).toEqual([]);
});
