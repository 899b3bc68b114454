import { expect, test } from 'vitest';
import { runEffect } from '../../src/engine/embedded/run-effect.ts';
import { laneKey, type ExecutionId } from '../../src/pipeline/execution.ts';
import { waitingApprovals } from '../../src/pipeline/status.ts';
import { testDatabase } from '../database.ts';
import { aPipeline } from './a-pipeline.ts';
import { engineBench, repository } from './engine-bench.ts';

const database = await testDatabase();
const { db } = database;
const bench = await engineBench(database);
const by = { kind: 'person', id: 2, login: 'reviewer' } as const;

const twoEnvironments = aPipeline({
  Source: { Checkout: 'CodeStarSourceConnection' },
  Staging: { TryIt: 'Manual' },
  Production: { Approve: 'Manual' },
});
const exclusive = ['Staging', 'Production'];
const lanes = [1, 2, 3, 4, 5, 6, 7, 8];

async function inside(ids: readonly ExecutionId[], stage: string): Promise<readonly ExecutionId[]> {
  const executions = await Promise.all(ids.map((id) => bench.read(id)));
  const open = executions.filter(({ stages, ending }) => {
    const run = stages.find((one) => one.stage === stage);
    return run !== undefined && run.endedAt === undefined && ending === undefined;
  });
  return open.map((execution) => execution.id);
}

test('eight lanes that all start, are answered, withdrawn and asked again at once: never two inside, all get through', async () => {
  const ids = await Promise.all(lanes.map((pullRequest) => bench.start(twoEnvironments, { pullRequest, exclusive })));
  const withdrawn = ids[3]!;
  for (let round = 0; round < 40; round += 1) {
    await bench.settled();
    for (const stage of exclusive) expect((await inside(ids, stage)).length).toBeLessThanOrEqual(1);
    const executions = await Promise.all(ids.map((id) => bench.read(id)));
    const waiting = executions.filter((execution) => waitingApprovals(execution).length > 0);
    if (waiting.length === 0) break;
    const again = executions.flatMap(({ id, lock }) =>
      lock ? [runEffect(bench.runner, { kind: 'release-lock', execution: id, stage: lock.stage })] : [],
    );
    const withdraw = { kind: 'withdraw', lane: laneKey(repository.id, 'web', 4), execution: withdrawn } as const;
    await Promise.all([
      ...again,
      ...waiting.filter((one) => one.id !== withdrawn || round !== 2).map((one) => bench.answer(one.id)),
      ...(round === 2 ? [bench.engine.obey({ ...withdraw, because: { kind: 'closed', merged: false } }, by)] : []),
    ]);
  }
  const statuses = await Promise.all(ids.map((id) => bench.status(id)));
  expect(statuses.filter((status) => status === 'Succeeded').length).toBeGreaterThanOrEqual(7);
  expect(statuses).not.toContain('InProgress');
  expect(await db.selectFrom('exclusive_places').selectAll().execute()).toEqual([]);
});
