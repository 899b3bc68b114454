import { expect, it } from 'vitest';
import { toldByBuilds } from '../../src/handlers/execution-view.ts';
import { actionId, runningExecution, waitingExecution } from '../web/sample-execution.ts';

const phase = { phase: 'BUILD', status: 'IN_PROGRESS', startedAt: '2026-11-23T04:00:02.000Z', attempts: 1 };
const report = { group: 'unit', format: 'JUNITXML', total: 1, passed: 1, failed: 0, skipped: 0 };
const told = { findings: [], reports: [{ ...report, failures: [], flaky: [], problems: [] }], phases: [phase] };

it('phases are shown of a build that runs too, its tests only when it has ended (CP 9.4)', async () => {
  const findings = () => Promise.resolve(told);
  const { phases, reports } = await toldByBuilds({ findings }, runningExecution(), []);
  expect(phases[actionId('unit')]).toEqual([phase]);
  expect(reports[actionId('unit')]).toBeUndefined();
  expect(reports[actionId('lint')]).toEqual(told.reports);
});

it('nobody looks for the phases of an approval that waits', async () => {
  const asked: string[] = [];
  const findings = (_: string, id: string) => Promise.resolve((asked.push(id), told));
  await toldByBuilds({ findings }, waitingExecution(), []);
  expect(asked).not.toContain(actionId('Approve'));
});
