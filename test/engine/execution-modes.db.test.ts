import { expect, test } from 'vitest';
import { recentExecutions } from '../../src/db/executions.ts';
import { RefusedError } from '../../src/engine/embedded/refused-error.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import { laneKey, type ExecutionId } from '../../src/pipeline/execution.ts';
import { testDatabase } from '../database.ts';
import { aPipeline } from './a-pipeline.ts';
import { engineBench, repository } from './engine-bench.ts';

const database = await testDatabase();
const { db } = database;
const bench = await engineBench(database);

const gated = aPipeline({
  Source: { Checkout: 'CodeStarSourceConnection' },
  Release: { Approve: 'Manual', Ship: { runOrder: 2 } },
});
const queued: PipelineDefinition = { ...gated, executionMode: 'QUEUED' };
const parallel: PipelineDefinition = { ...gated, executionMode: 'PARALLEL' };

function startMany(definition: PipelineDefinition, pipeline: string, count: number): Promise<ExecutionId[]> {
  return Promise.all(Array.from({ length: count }, () => bench.start(definition, { pipeline })));
}

/** In the order in which the lane took them. */
async function inOrder(pipeline: string): Promise<ExecutionId[]> {
  const all = await recentExecutions(db, { lane: laneKey(repository.id, pipeline), limit: 60 });
  return all.toSorted((a, b) => a.execution.order - b.execution.order).map((one) => one.execution.id);
}

async function whoIsIn(stage: string, ids: readonly ExecutionId[]): Promise<ExecutionId[]> {
  const executions = await Promise.all(ids.map((id) => bench.read(id)));
  return executions
    .filter(({ stages }) => stages.some((run) => run.stage === stage && run.endedAt === undefined))
    .map((execution) => execution.id);
}

test('QUEUED: started all at once, they pass one after the other in the order of their start (CP-X-14)', async () => {
  const started = await startMany(queued, 'queued', 5);
  await bench.settled();
  const ids = await inOrder('queued');
  expect(ids.toSorted()).toEqual(started.toSorted());
  const passed: ExecutionId[] = [];
  for (const id of ids) {
    expect(await whoIsIn('Release', ids)).toEqual([id]);
    await bench.answer(id);
    await bench.settled();
    passed.push(id);
  }
  const statuses = await Promise.all(passed.map((id) => bench.status(id)));
  expect(new Set(statuses)).toEqual(new Set(['Succeeded']));
  const ships = bench.started.filter((one) => one.declaration.name === 'Ship').map((one) => one.execution);
  expect(ships).toEqual(ids);
});

test('SUPERSEDED: of those that arrive while one is inside, only the newest is left waiting (CP-X-13, CP-X-17)', async () => {
  const first = await bench.start(gated, { pipeline: 'superseded' });
  await bench.settled();
  await startMany(gated, 'superseded', 3);
  await bench.settled();
  const ids = await inOrder('superseded');
  expect(ids[0]).toBe(first);
  const statuses = await Promise.all(ids.map((id) => bench.status(id)));
  expect(statuses).toEqual(['InProgress', 'Superseded', 'Superseded', 'InProgress']);
  await bench.answer(first, 'reject');
  await bench.settled();
  expect(await whoIsIn('Release', ids)).toEqual([ids[3]]);
});

test('PARALLEL: executions do not see each other (CP 2.2)', async () => {
  const started = await startMany(parallel, 'parallel', 4);
  await bench.settled();
  expect((await whoIsIn('Release', started)).toSorted()).toEqual(started.toSorted());
});

test('PARALLEL: at most five actions of one execution run at a time, and the rest follows (CP-X-21)', async () => {
  const names = Array.from({ length: 8 }, (_, index) => `Part${index}`);
  const definition: PipelineDefinition = {
    ...aPipeline({
      Source: { Checkout: 'CodeStarSourceConnection' },
      Build: Object.fromEntries(names.map((name) => [name, 'Manual'])),
    }),
    executionMode: 'PARALLEL',
  };
  const id = await bench.start(definition, { pipeline: 'wide' });
  await bench.settled();
  const running = async (): Promise<number> => {
    const { stages } = await bench.read(id);
    return stages.at(-1)?.actions.filter((action) => action.status === 'InProgress').length ?? 0;
  };
  expect(await running()).toBe(5);
  for (const left of [5, 5, 5, 4, 3, 2, 1, 0]) {
    await bench.answer(id);
    await bench.settled();
    expect(await running()).toBe(left);
  }
  expect(await bench.status(id)).toBe('Succeeded');
});

test('the 51st live execution is refused for a caller, recorded as failed for a trigger (CP-X-10)', async () => {
  await startMany(queued, 'full', 50);
  await bench.settled();
  const trigger = { type: 'StartPipelineExecution', detail: 'arn:aws:iam::111122223333:user/dev' } as const;
  const refusal = await bench.start(queued, { pipeline: 'full', trigger }).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(RefusedError);
  expect(refusal).toMatchObject({
    message: '50 executions of this pipeline are in progress already. Wait until one has ended, or stop one.',
    refusal: { exception: 'ConcurrentPipelineExecutionsLimitExceededException' },
  });
  const triggered = await bench.start(queued, { pipeline: 'full' });
  expect(await bench.status(triggered)).toBe('Failed');
  const [first] = await inOrder('full');
  await bench.answer(first!, 'reject');
  await bench.settled();
  const next = await bench.start(queued, { pipeline: 'full', trigger });
  expect(await bench.status(next)).toBe('InProgress');
});
