import { expect, test } from 'vitest';
import type { ExecutionRecord } from '../../src/db/executions.ts';
import { approve } from '../../src/handlers/commands/approve.ts';
import { answeredBefore } from '../../src/handlers/commands/too-late.ts';
import type { ActionRun, Actor } from '../../src/pipeline/execution.ts';
import type { Asked, CommandDeps } from '../../src/handlers/asked.ts';
import { definition, run, waitingExecution } from '../web/sample-execution.ts';

const rita: Actor = { kind: 'person', id: 2, login: 'rita' };
const sam: Actor = { kind: 'person', id: 3, login: 'sam' };
const expiry: Actor = { kind: 'penstock', why: 'the gate expired' };

function stageOf(stage: string, ...actions: readonly ActionRun[]) {
  return { stage, attempt: 1, startedAt: '2026-11-23T04:00:00.000Z', actions };
}

const answeredAt = (minute: number, answeredBy: Actor) => ({ answeredBy, endedAt: `2026-11-23T04:0${minute}:00.000Z` });

/** Two stages with a gate each; the first one answered last, next to an action that nobody answers. */
const stages = [
  stageOf('Staging', run('Approve', answeredAt(5, rita)), run('unit', { endedAt: '2026-11-23T04:09:00.000Z' })),
  stageOf('Release', run('Approve', { ...answeredAt(3, sam), status: 'Failed' }), run('Legal', answeredAt(2, rita))),
];
const records = [{ execution: { ...waitingExecution(), stages } } as unknown as ExecutionRecord];

test.each([
  ['approve', {}, '+1', '`Staging/Approve` was approved by `rita` already.'],
  ['reject', {}, '-1', 'Too late: `Staging/Approve` was approved by `rita`.'],
  ['approve', { stage: 'Release' }, '-1', 'Too late: `Release/Approve` was rejected by `sam`.'],
  ['reject', { stage: 'Release' }, '+1', '`Release/Approve` was rejected by `sam` already.'],
  ['reject', { stage: 'Release', action: 'Legal' }, '-1', 'Too late: `Release/Legal` was approved by `rita`.'],
] as const)('whoever says %s of %j after its answer hears what became of it (SEC-B-17)', (verb, target, mark, text) => {
  expect(answeredBefore({ records }, { verb, target })).toEqual({ mark, text });
});

test('of what was answered nowhere nothing is told; an expiry names nobody', () => {
  for (const target of [{ stage: 'Test' }, { stage: 'Staging', action: 'unit' }, { pipeline: 'docs' }])
    expect(answeredBefore({ records }, { verb: 'approve', target })).toBeUndefined();
  const ended = {
    ...waitingExecution(),
    stages: [stageOf('Release', run('Approve', { ...answeredAt(1, expiry), status: 'Failed' }))],
  };
  const told = answeredBefore(
    { records: [{ execution: ended } as unknown as ExecutionRecord] },
    { verb: 'approve', target: {} },
  );
  expect(told).toEqual({ mark: '-1', text: 'Too late: `Release/Approve` ended: the gate expired.' });
});

test('while another gate waits, whoever names a commit that it is not for hears of that and of no earlier answer', async () => {
  const token = 'release';
  const waiting = stageOf('Release', run('Legal', { status: 'InProgress', phase: 'waiting', token }));
  const execution = { ...waitingExecution(), stages: [stages[0]!, waiting] };
  const context = { headSha: 'a'.repeat(40), fork: false, gates: {}, bareCommands: true };
  const record = { execution, context, live: true, pipeline: 'web' };
  const asked = {
    records: [record],
    definitions: { [execution.definition]: definition },
    channel: 'comment',
    createdAt: '2026-11-23T05:00:00.000Z',
  };
  const command = { verb: 'approve', target: {}, sha: 'f'.repeat(40), reason: '' } as const;
  const told = await approve({} as CommandDeps, asked as unknown as Asked, command);
  expect(told.mark).toBe('-1');
  expect(told.text).toContain('fffffff');
  expect(told.text).not.toContain('already');
});
