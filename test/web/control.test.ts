import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { askControl } from '../../src/cli/control-client.ts';
import { controlSocket, serveControl, type ControlDeps } from '../../src/web/control.ts';
import { executionPageData } from '../../src/web/page-data.ts';
import { executionId, pageSource, waitingExecution } from './sample-execution.ts';

let home: string;
beforeEach(() => void (home = mkdtempSync(join(tmpdir(), 'penstock-control-'))));
afterEach(() => rmSync(home, { recursive: true }));

const data = executionPageData(pageSource(waitingExecution(), true));
const deps: ControlDeps = {
  loadExecution: (id) => Promise.resolve(id === executionId ? data : null),
  recentExecutions: () => Promise.resolve([data]),
  linkTo: (id) => `https://penstock.example.org/executions/${id}?signed`,
  startedAt: new Date('2026-11-23T04:00:00Z'),
};

test('a command of the same user asks the running process; nobody else can open its door (SEC-G-05)', async () => {
  const stop = await serveControl(home, deps);
  expect(statSync(controlSocket(home)).mode & 0o777).toBe(0o600);
  expect(await askControl(home, '/status')).toEqual({
    kind: 'answered',
    body: { pid: process.pid, startedAt: '2026-11-23T04:00:00.000Z', executions: [JSON.parse(JSON.stringify(data))] },
  });
  expect(await askControl(home, `/executions/${executionId}`)).toMatchObject({
    kind: 'answered',
    body: { pipeline: 'web' },
  });
  expect(await askControl(home, '/executions/other')).toEqual({ kind: 'not-found' });
  await stop?.();
  expect(await askControl(home, '/status')).toEqual({ kind: 'nobody' });
});

test('the door that a killed process left behind is replaced, that of a living one is not', async () => {
  writeFileSync(controlSocket(home), '');
  const stop = await serveControl(home, deps);
  expect(stop).toBeDefined();
  expect(await serveControl(home, deps)).toBeUndefined();
  expect(await askControl(home, '/status')).toMatchObject({ kind: 'answered' });
  await stop?.();
});
