import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Execution } from '../../src/pipeline/execution.ts';
import { logPath } from '../../src/providers/action-log.ts';
import { serveControl } from '../../src/web/control.ts';
import { executionPageData } from '../../src/web/page-data.ts';
import {
  actionId,
  executionId,
  failedExecution,
  pageSource,
  runningExecution,
  waitingExecution,
} from '../web/sample-execution.ts';
import { penstock } from './run-command.ts';

let home: string;
let stop: (() => Promise<void>) | undefined;
let current: { execution: Execution; live: boolean };

/** A Penstock that runs with this home and holds one execution. */
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'penstock-logs-'));
  current = { execution: failedExecution(), live: false };
  const data = () => executionPageData(pageSource(current.execution, current.live));
  stop = await serveControl(home, {
    loadExecution: (id) => Promise.resolve(id === executionId ? data() : null),
    recentExecutions: () => Promise.resolve([data()]),
    linkTo: (id) => `https://penstock.example.org/executions/${id}?signed`,
    startedAt: new Date('2026-11-23T04:00:00Z'),
  });
});
afterEach(async () => {
  await stop?.();
  rmSync(home, { recursive: true });
});

function log(action: string, text: string): string {
  const file = logPath(home, executionId, action);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const run = (...argv: string[]) => penstock(argv, { env: { PENSTOCK_HOME: home } });

describe('penstock logs', () => {
  test('prints each action under its name, without colours', async () => {
    log(actionId('unit'), '\u001B[31mnot ok\u001B[0m 6\n');
    log(actionId('lint'), '8 files\n');
    expect(await run('logs', executionId)).toEqual({
      code: 0,
      out: '== Test/unit, attempt 1: Failed\nnot ok 6\n== Test/lint, attempt 1: Succeeded\n8 files\n',
      err: '',
    });
  });

  test('of one action prints only what it printed; the beginning of the id is enough', async () => {
    log(actionId('unit'), 'not ok 6\n');
    log(actionId('lint'), '8 files\n');
    expect((await run('logs', executionId.slice(0, 6), 'lint')).out).toBe('8 files\n');
    expect((await run('logs', executionId, 'Test/unit')).out).toBe('not ok 6\n');
  });

  test('shows earlier attempts before the current one', async () => {
    current = { execution: waitingExecution(), live: true };
    log(actionId('unit', 1), 'not ok\n');
    log(actionId('unit', 2), 'ok\n');
    expect((await run('logs', executionId, 'unit')).out).toBe('not ok\nok\n');
  });

  test('with -f goes on until the execution has ended', async () => {
    current = { execution: runningExecution(), live: true };
    const file = log(actionId('unit'), 'first\n');
    const following = run('logs', '-f', executionId, 'unit');
    await sleep(50);
    appendFileSync(file, 'second\n');
    current = { execution: failedExecution(), live: false };
    expect(await following).toEqual({ code: 0, out: 'first\nsecond\n', err: '' });
  });

  test.each([
    [['logs', 'ffff'], 1, 'No execution begins with ffff'],
    [['logs', executionId, 'uint'], 1, 'Did you mean unit?'],
    [['logs', executionId, 'deploy'], 1, 'It has Source/Checkout, Test/unit'],
    [['logs'], 2, 'Which execution?'],
    [['logs', executionId], 0, 'Nothing was printed on this host yet'],
  ])('%j ends with %i and says so', async (argv, code, text) => {
    expect(await run(...argv)).toMatchObject({ code, err: expect.stringContaining(text) as string });
  });
});

describe('penstock link', () => {
  test('prints a fresh link to the page', async () => {
    expect(await run('link', executionId.slice(0, 8))).toEqual({
      code: 0,
      out: `https://penstock.example.org/executions/${executionId}?signed\n`,
      err: '',
    });
  });

  test('for what is not there, or while nothing runs, says what to do', async () => {
    expect((await run('link', 'ffff')).err).toContain('No execution begins with ffff');
    await stop?.();
    stop = undefined;
    expect(await run('link', executionId)).toMatchObject({
      code: 1,
      err: expect.stringContaining('penstock logs') as string,
    });
  });
});

describe('penstock status', () => {
  test('says that it runs and lists executions', async () => {
    current = { execution: waitingExecution(), live: true };
    const { code, out } = await run('status');
    expect(code).toBe(0);
    expect(out).toContain(`Penstock runs as process ${process.pid} since 2026-11-23 04:00:00 UTC.`);
    expect(out).toMatch(
      /^5f0c2f5e {3}acme\/web#12 {2}web {7}3f2a91c {2}Waiting for approval {2}2026-11-23 04:00:00 UTC$/m,
    );
  });

  test('with --json gives everything', async () => {
    const { out } = await run('status', '--json');
    expect(JSON.parse(out)).toMatchObject({
      process: { pid: process.pid },
      executions: [{ id: executionId, status: 'Failed' }],
    });
  });

  test('asks the database when nothing runs, and makes none where there is none', async () => {
    await stop?.();
    stop = undefined;
    const { code, out } = await run('status');
    expect([code, out]).toEqual([0, `No Penstock runs with ${home}.\nNothing was started yet.\n`]);
    expect(existsSync(join(home, 'database'))).toBe(false);
  });
});
