import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deadJobs, reviveDeadJob } from '../../src/db/dead-jobs.ts';
import { failJob } from '../../src/db/job-endings.ts';
import { claimDueJobs, enqueue } from '../../src/db/jobs.ts';
import { openDatabase, type OpenDatabase } from '../../src/db/open.ts';
import { serveControl } from '../../src/web/control.ts';
import { prepareDatabase } from '../prepared-home.ts';
import { penstock } from './run-command.ts';

let home: string;
let database: OpenDatabase;
const open = () => openDatabase({ kind: 'embedded', directory: join(home, 'database') });
const run = (...argv: string[]) => penstock(['jobs', ...argv], { env: { PENSTOCK_HOME: home } });
const claim = () => claimDueJobs(database.db, { worker: 'w1', host: 'h1', kinds: ['tick'], limit: 1, leaseMs: 30_000 });

/** A home in whose database one job was given up. */
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'penstock-jobs-'));
  await prepareDatabase(join(home, 'database'));
  database = await open();
  await enqueue(database.db, { kind: 'tick', payload: { name: 'audit' }, maxAttempts: 1 });
  const [job] = await claim();
  expect(await failJob(database.db, job!, { error: 'GitHub said\u001B[2J no', transient: false })).toBe('dead');
});
afterAll(async () => {
  await database.close();
  rmSync(home, { recursive: true });
});

test('the process that runs is asked: it shows what was given up, and revives it once', async () => {
  const stop = await serveControl(home, {
    loadExecution: () => Promise.resolve(null),
    recentExecutions: () => Promise.resolve([]),
    linkTo: () => '',
    startedAt: new Date('2026-11-28T04:00:00Z'),
    deadJobs: () => deadJobs(database.db),
    reviveJob: (id) => reviveDeadJob(database.db, id),
  });
  try {
    const [{ id }] = JSON.parse((await run('--json')).out) as [{ id: number }];
    expect((await run()).out).toMatch(
      /^\d+ {2}tick \{"name":"audit"\}\n {4}since \S+Z, given up after 1 failures: GitHub said \[2J no\n$/,
    );
    expect(await run('revive', `${id}`)).toMatchObject({ code: 0, out: expect.stringContaining('runs again') });
    expect((await run()).out).toBe('No job was given up.\n');
    expect(await run('revive', `${id}`)).toMatchObject({ code: 1, err: expect.stringContaining('No job') });
  } finally {
    await stop?.();
  }
  const [revived] = await claim();
  expect(revived).toMatchObject({ payload: { name: 'audit' }, attempts: 1 });
});

test('without one the database itself is read', async () => {
  await database.close();
  expect((await run()).out).toContain('No job was given up');
  database = await open();
});

test('what it cannot understand is refused with what to write', async () => {
  expect(await run('revive', 'all')).toMatchObject({ code: 2, err: expect.stringContaining('Give the number') });
  expect(await run('bury', '1')).toMatchObject({ code: 2, err: expect.stringContaining('penstock jobs revive <id>') });
});
