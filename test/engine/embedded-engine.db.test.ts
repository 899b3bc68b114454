import { expect, test } from 'vitest';
import { listActionExecutions } from '../../src/db/action-executions.ts';
import { findExecution } from '../../src/db/executions.ts';
import { laneKey } from '../../src/pipeline/execution.ts';
import { waitingApprovals } from '../../src/pipeline/status.ts';
import { testDatabase } from '../database.ts';
import { passDeadline, runEffect } from '../../src/engine/embedded/run-effect.ts';
import { aPipeline, withStage } from './a-pipeline.ts';
import { engineBench, repository } from './engine-bench.ts';

const database = await testDatabase();
const { db } = database;
const bench = await engineBench(database);

const twoStages = aPipeline({ Source: { Checkout: 'CodeStarSourceConnection' }, Build: { Unit: {}, Lint: {} } });
const by = { kind: 'person', id: 2, login: 'reviewer' } as const;

test('an execution runs its stages in order and the actions of one runOrder together', async () => {
  const id = await bench.start(twoStages);
  await bench.settled();
  expect(await bench.status(id)).toBe('Succeeded');
  const ran = bench.started.filter((action) => action.execution === id).map((action) => action.declaration.name);
  expect(ran[0]).toBe('Checkout');
  expect(ran.slice(1).toSorted()).toEqual(['Lint', 'Unit']);
});

test('the same idempotency key is the same execution, also when two ask at once (CP-X-8)', async () => {
  const [first, second] = await Promise.all([
    bench.start(twoStages, { key: 'push/42/web/abc' }),
    bench.start(twoStages, { key: 'push/42/web/abc' }),
  ]);
  expect(second).toBe(first);
  await bench.settled();
  const ran = bench.started.filter((action) => action.execution === first);
  expect(ran).toHaveLength(3);
});

test('so it is when the first of them failed at once (CP-X-7, CP-X-8)', async () => {
  const needy = { ...twoStages, variables: [{ name: 'TAG' }] };
  const twice = [1, 2].map(() => bench.start(needy, { key: 'push/42/web/needy', pullRequest: 21 }));
  const [first, second] = await Promise.all(twice);
  expect(second).toBe(first);
  expect(await bench.status(first!)).toBe('Failed');
});

test('work that ran out of time is stopped also where the stage is retried by itself at once (CP-F-23, CP-X-50)', async () => {
  // Asked again when it is polled: the first attempt goes on whenever that is.
  bench.answers['Unit'] = ({ attempt }) =>
    attempt === 1
      ? { kind: 'running', externalId: 'x', pollAfterMs: 600_000 }
      : { kind: 'succeeded', outputVariables: {} };
  const definition = withStage(twoStages, 'Build', { onFailure: { result: 'RETRY' } });
  const id = await bench.start(definition, { pullRequest: 22 });
  await bench.settled();
  const unit = (await bench.read(id)).stages[1]?.actions.find(({ action }) => action === 'Unit');
  await passDeadline(bench.runner, id, unit!.id);
  await bench.settled();
  expect(await bench.status(id)).toBe('Succeeded');
  expect(bench.stopped).toContain(`${id}/Build/Unit/1`);
  delete bench.answers['Unit'];
});

test('the log of work that was stopped is closed: nobody reports its end any more', async () => {
  bench.answers['Unit'] = () => ({ kind: 'running', externalId: 'x', pollAfterMs: 600_000 });
  const id = await bench.start(twoStages, { pullRequest: 23 });
  await bench.settled();
  const { lane, stages } = await bench.read(id);
  const unit = stages[1]?.actions.find(({ action }) => action === 'Unit');
  const closed: string[] = [];
  const logs = { ...bench.runner.logs, close: (action: string) => void closed.push(action) };
  await bench.engine.obey({ kind: 'stop', lane, execution: id, abandon: true }, by);
  const stop = {
    kind: 'stop-action',
    execution: id,
    stage: 'Build',
    action: 'Unit',
    attempt: 1,
    id: unit!.id,
  } as const;
  await runEffect({ ...bench.runner, logs }, stop);
  expect(closed).toEqual([unit!.id]);
  delete bench.answers['Unit'];
});

test('variables of an earlier action reach a later one; a missing one fails it with the text of CP-V-6 (CP-V-4)', async () => {
  bench.answers['Unit'] = () => ({ kind: 'succeeded', outputVariables: { TAG: 'v7' } });
  const definition = aPipeline({
    Source: { Checkout: 'CodeStarSourceConnection' },
    Build: { Unit: { namespace: 'Build' } },
    Deploy: {
      Ship: { configuration: { Tag: '#{Build.TAG}' }, commands: ['echo #{codepipeline.PipelineExecutionId}'] },
    },
    After: { Notify: { configuration: { Text: '#{Build.NOPE}' } } },
  });
  const id = await bench.start(definition, { pullRequest: 5 });
  await bench.settled();
  const ship = bench.started.find((action) => action.execution === id && action.declaration.name === 'Ship');
  expect(ship?.configuration).toEqual({ Tag: 'v7' });
  expect(ship?.declaration.commands).toEqual([`echo ${id}`]);
  expect(await bench.status(id)).toBe('Failed');
  const rows = await listActionExecutions(db, id);
  expect(rows.find((row) => row.action === 'Notify')?.output?.error?.message).toContain(
    'one or more variables could not be resolved: Action name=Notify',
  );
  delete bench.answers['Unit'];
});

test('an action that takes the namespace `pr` is what `#{pr.…}` means, also for a pull request (CP-V-2)', async () => {
  bench.answers['Unit'] = () => ({ kind: 'succeeded', outputVariables: { Number: 'mine' } });
  const definition = aPipeline({
    Source: { Checkout: 'CodeStarSourceConnection' },
    Build: { Unit: { namespace: 'pr' } },
    Deploy: { Ship: { configuration: { Tag: '#{pr.Number}' } } },
  });
  const id = await bench.start(definition, { pullRequest: 53 });
  await bench.settled();
  const ship = bench.started.find((action) => action.execution === id && action.declaration.name === 'Ship');
  expect(ship?.configuration).toEqual({ Tag: 'mine' });
  delete bench.answers['Unit'];
});

test('variables that are too large, alone or filled in, fail the action with their size (CP-V-10, CP-1.5)', async () => {
  const definition = aPipeline({
    Source: { Checkout: 'CodeStarSourceConnection' },
    Build: { Unit: { namespace: 'Build' } },
    Ship: { Ship: { configuration: { A: '#{Build.TAG}', BB: '#{Build.TAG}' } } },
  });
  const messages = async (length: number, pullRequest: number) => {
    bench.answers['Unit'] = () => ({ kind: 'succeeded', outputVariables: { TAG: 'x'.repeat(length) } });
    const id = await bench.start(definition, { pullRequest });
    await bench.settled();
    const { stages } = await bench.read(id);
    return stages.slice(1).map((stage) => stage.actions[0]?.error?.message);
  };
  expect(await messages(122_871, 51)).toEqual(['The output variables take 122881 bytes; at most 122880 are allowed.']);
  const [unit, ship] = await messages(122_870, 52);
  expect(unit).toBeUndefined();
  expect(ship).toContain('the configuration takes 245756 bytes');
  expect((await messages(51_193, 53))[1]).toContain(
    'the configuration takes 102402 bytes; at most 102400 are allowed.',
  );
  expect(await messages(51_192, 54)).toEqual([undefined, undefined]);
  delete bench.answers['Unit'];
});

test('an approval waits, is answered with its token, and the stage goes on (CP-A-1, CP-A-3)', async () => {
  const gated = aPipeline({
    Source: { Checkout: 'CodeStarSourceConnection' },
    Release: { Approve: 'Manual', Ship: { runOrder: 2 } },
  });
  const id = await bench.start(gated, { pullRequest: 6 });
  await bench.settled();
  const record = await findExecution(db, id);
  const [gate] = record ? waitingApprovals(record.execution) : [];
  expect(record?.waiting).toBe(true);
  const lane = laneKey(repository.id, 'web', 6);
  const command = { kind: 'approve', lane, execution: id, stage: 'Release', action: 'Approve', summary: 'ok' } as const;
  const wrong = await bench.engine.obey({ ...command, token: '00000000-0000-4000-8000-000000000000' }, by);
  expect(wrong).toMatchObject({ outcome: 'refused', refusal: { exception: 'InvalidApprovalTokenException' } });
  expect(await bench.engine.obey({ ...command, token: gate?.token ?? '' }, by)).toEqual({ outcome: 'done' });
  await bench.settled();
  expect(await bench.status(id)).toBe('Succeeded');
});

test('a recheck that says no inside the transaction keeps the gate closed', async () => {
  const gated = aPipeline({ Source: { Checkout: 'CodeStarSourceConnection' }, Release: { Approve: 'Manual' } });
  const id = await bench.start(gated, { pullRequest: 7 });
  await bench.settled();
  const [gate] = waitingApprovals((await findExecution(db, id))!.execution);
  const lane = laneKey(repository.id, 'web', 7);
  const command = { kind: 'approve', lane, execution: id, stage: 'Release', action: 'Approve', summary: '' } as const;
  const refusal = { exception: 'InvalidApprovalTokenException', rule: 'SEC-R2', message: 'changed' };
  const obeyed = await bench.engine.obey({ ...command, token: gate!.token }, by, {
    recheck: () => Promise.resolve(refusal),
    onDone: () => Promise.reject(new Error('it was not done')),
  });
  expect(obeyed).toEqual({ outcome: 'refused', refusal });
  expect(await bench.status(id)).toBe('InProgress');
});

test('what goes along with a command is written with its effect or not at all', async () => {
  const gated = aPipeline({ Source: { Checkout: 'CodeStarSourceConnection' }, Release: { Approve: 'Manual' } });
  const id = await bench.start(gated, { pullRequest: 9 });
  await bench.settled();
  const stop = { kind: 'stop', lane: laneKey(repository.id, 'web', 9), execution: id, abandon: true } as const;
  const full = { onDone: () => Promise.reject(new Error('the disk is full')) };
  await expect(bench.engine.obey(stop, by, full)).rejects.toThrow('the disk is full');
  expect(await bench.status(id)).toBe('InProgress');
  let times = 0;
  const onDone = async () => void (times += 1);
  expect(await bench.engine.obey(stop, by, { onDone })).toEqual({ outcome: 'done' });
  expect(await bench.engine.obey(stop, by, { onDone })).toMatchObject({ outcome: 'refused' });
  expect([times, await bench.status(id)]).toEqual([1, 'Stopped']);
});

test('retry of a failed stage keeps the execution and makes new attempts of what failed (CP-X-43, CP-X-48)', async () => {
  let tries = 0;
  bench.answers['Unit'] = () =>
    ++tries === 1
      ? { kind: 'failed', error: { code: 'JobFailed', message: 'exit status 1' } }
      : { kind: 'succeeded', outputVariables: {} };
  const id = await bench.start(twoStages, { pullRequest: 8 });
  await bench.settled();
  expect(await bench.status(id)).toBe('Failed');
  const lane = laneKey(repository.id, 'web', 8);
  await bench.engine.obey({ kind: 'retry', lane, execution: id, stage: 'Build', mode: 'FAILED_ACTIONS' }, by);
  await bench.settled();
  expect(await bench.status(id)).toBe('Succeeded');
  const rows = await listActionExecutions(db, id);
  const attempts = rows.map((row) => `${row.action} ${row.attempt} ${row.status}`).toSorted();
  expect(attempts).toEqual(['Checkout 1 Succeeded', 'Lint 1 Succeeded', 'Unit 1 Failed', 'Unit 2 Succeeded']);
  delete bench.answers['Unit'];
});

test('a newer commit ends the waiting execution of the lane and voids its gate', async () => {
  const gated = aPipeline({ Source: { Checkout: 'CodeStarSourceConnection' }, Release: { Approve: 'Manual' } });
  const id = await bench.start(gated, { pullRequest: 9 });
  await bench.settled();
  const [gate] = waitingApprovals((await findExecution(db, id))!.execution);
  const lane = laneKey(repository.id, 'web', 9);
  const sha = 'b'.repeat(40);
  await bench.engine.obey({ kind: 'withdraw', lane, execution: id, because: { kind: 'newer-commit', sha } }, by);
  expect(await bench.status(id)).toBe('Superseded');
  const late = { kind: 'approve', lane, execution: id, stage: 'Release', action: 'Approve', summary: '' } as const;
  expect(await bench.engine.obey({ ...late, token: gate!.token }, by)).toMatchObject({ outcome: 'refused' });
});
