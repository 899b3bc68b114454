import { expect, test } from 'vitest';
import type { CliIo } from '../../src/cli/command.ts';
import { textTeller } from '../../src/cli/run-text.ts';
import { execution, source } from '../render/views.ts';

test('the end of a run tells what tests said: counts, those that failed, and those that passed later', () => {
  const lines: string[] = [];
  const io = { out: (line: string) => void lines.push(line), color: false, cwd: '/work/tree' } as unknown as CliIo;
  const unit = {
    group: 'unit',
    format: 'JUNITXML',
    total: 6,
    passed: 3,
    failed: 2,
    skipped: 1,
    failures: [
      { name: 'sum.adds', message: 'expected 4', path: 'sum.js', line: 2 },
      { name: 'net.sends', message: 'reset\nby peer' },
    ],
    flaky: [{ name: 'net.connects', attempt: 2 }],
    problems: [],
  };
  const findings = [
    { path: 'sum.js', line: 2, column: 5, level: 'failure', title: 'sum.adds', message: 'expected 4' } as const,
  ];
  const phase = (name: string, seconds: number, change: object = {}) => ({
    phase: name,
    status: 'SUCCEEDED',
    startedAt: new Date(0).toISOString(),
    endedAt: new Date(seconds * 1000).toISOString(),
    attempts: 1,
    ...change,
  });
  const phases = [
    phase('INSTALL', 0),
    phase('BUILD', 2.5, { status: 'FAILED', attempts: 2 }),
    phase('POST_BUILD', 0.2),
  ];
  textTeller(io, { isolation: 'none', source: '/work/tree' }).end({
    execution: execution([source]),
    status: 'Failed',
    stages: [],
    seconds: 3,
    findings: [{ stage: 'Test', action: 'Unit', findings, reports: [unit], phases }],
    results: { artifacts: [], objects: [] },
  });
  expect(lines.join('\n').split('\n').slice(2)).toEqual([
    '',
    '  Test/Unit',
    '    phases: BUILD 2.5s, 2 attempts, failed · POST_BUILD 0.2s',
    '    unit: 3 passed, 2 failed, 1 skipped',
    '      net.sends: reset',
    '        by peer',
    '      net.connects passed on attempt 2',
    '    sum.js:2:5: sum.adds: expected 4',
  ]);
});

test('a stage that failed says for each action what happened and what mends it, and which conditions were not met', () => {
  const lines: string[] = [];
  const io = { out: (line: string) => void lines.push(line), color: false, cwd: '/work/tree' } as unknown as CliIo;
  const failures = [{ action: 'Unit', cause: 'It ran longer than it may.', mend: 'Raise timeoutInMinutes.\u001b[2J' }];
  const unmet = ['onSuccess Failed: ready: no'];
  textTeller(io, { isolation: 'none', source: '/work/tree' }).end({
    execution: execution([source]),
    status: 'Failed',
    stages: [{ stage: 'Test', status: 'Failed', seconds: 2, failures, unmet }],
    seconds: 3,
    findings: [],
    results: { artifacts: [], objects: [] },
  });
  const [first, ...rest] = lines.join('\n').split('\n').slice(2);
  expect(first).toMatch(/^ {2}✗ Test {2}Failed/);
  expect(rest[0]).toMatch(/^ {6}Unit: It ran longer than it may\. Raise timeoutInMinutes\./);
  expect(rest[0]).not.toContain('\u001b');
  expect(rest[1]).toBe('      onSuccess Failed: ready: no');
});
