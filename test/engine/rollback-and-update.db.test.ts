import { expect, test } from 'vitest';
import { pollAction } from '../../src/engine/embedded/run-effect.ts';
import { executionIdFor } from '../../src/pipeline/ids.ts';
import { recentExecutions } from '../../src/db/executions.ts';
import { loadLane } from '../../src/db/lanes.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import { laneKey, type ExecutionId } from '../../src/pipeline/execution.ts';
import { testDatabase } from '../database.ts';
import { aCondition, aPipeline, withStage } from './a-pipeline.ts';
import { engineBench, repository } from './engine-bench.ts';

const database = await testDatabase();
const { db } = database;
const bench = await engineBench(database);
const by = { kind: 'person', id: 2, login: 'reviewer' } as const;

let count = 0;
/** A pipeline of its own for each story. */
function fresh(): { pipeline: string; lane: ReturnType<typeof laneKey> } {
  count += 1;
  return { pipeline: `web-${count}`, lane: laneKey(repository.id, `web-${count}`) };
}

const built = { outputArtifacts: [{ name: 'App' }] };
const deploying = aPipeline({
  Source: { Checkout: { provider: 'CodeStarSourceConnection', namespace: 'Source', ...built } },
  Deploy: { Ship: { inputArtifacts: [{ name: 'App' }], configuration: { Commit: '#{Source.CommitId}' } } },
});
const rollingBack = withStage(deploying, 'Deploy', { onFailure: { result: 'ROLLBACK' } });

bench.answers['Checkout'] = ({ origin }) => ({
  kind: 'succeeded',
  outputVariables: { CommitId: origin.headSha.slice(0, 7) },
});

async function failShipOf(headSha: string, start: () => Promise<ExecutionId>): Promise<ExecutionId> {
  bench.answers['Ship'] = ({ origin }) =>
    origin.headSha === headSha
      ? { kind: 'failed', error: { code: 'JobFailed', message: 'exit status 1' } }
      : { kind: 'succeeded', outputVariables: {} };
  const id = await start();
  await bench.settled();
  delete bench.answers['Ship'];
  return id;
}

const good = 'a'.repeat(40);
const bad = 'b'.repeat(40);

test('a failed stage goes back by itself to the latest success, with its revisions and artifacts (CP-X-51, CP-X-57)', async () => {
  const { pipeline, lane } = fresh();
  const first = await bench.start(rollingBack, { pipeline, headSha: good });
  await bench.settled();
  const failed = await failShipOf(bad, () => bench.start(rollingBack, { pipeline, headSha: bad }));
  expect(await bench.status(failed)).toBe('Failed');
  const [rollback] = (await recentExecutions(db, { lane, limit: 5 })).filter(
    (one) => one.execution.type === 'ROLLBACK',
  );
  expect(rollback?.status).toBe('Succeeded');
  expect(rollback?.execution).toMatchObject({ rollbackTarget: first, trigger: { type: 'AutomatedRollback' } });
  expect(rollback?.context.headSha).toBe(good);
  expect(rollback?.execution.stages.map((stage) => stage.stage)).toEqual(['Deploy']);
  const [shipped, again] = bench.started.filter(
    (one) => one.declaration.name === 'Ship' && [first, rollback?.execution.id].includes(one.execution),
  );
  expect(again?.configuration).toEqual({ Commit: 'aaaaaaa' });
  expect(again?.inputs).toEqual(shipped?.inputs);
});

test('without an earlier success nothing is rolled back (CP-X-57)', async () => {
  const { pipeline, lane } = fresh();
  const failed = await failShipOf(bad, () => bench.start(rollingBack, { pipeline, headSha: bad }));
  expect(await bench.status(failed)).toBe('Failed');
  expect(await recentExecutions(db, { lane, limit: 5 })).toHaveLength(1);
});

test('an unmet success condition goes back as well, and names the condition (CP-C-7)', async () => {
  const { pipeline, lane } = fresh();
  const check = { Variable: '#{Source.CommitId}', Value: 'bbbbbbb', Operator: 'NE' };
  const condition = aCondition('ROLLBACK', { Fit: { provider: 'VariableCheck', configuration: check } });
  const definition = withStage(deploying, 'Deploy', { onSuccess: { conditions: [condition] } });
  await bench.start(definition, { pipeline, headSha: good });
  await bench.settled();
  const second = await bench.start(definition, { pipeline, headSha: bad });
  await bench.settled();
  expect(await bench.status(second)).toBe('Failed');
  const all = await recentExecutions(db, { lane, limit: 5 });
  expect(all.map((one) => `${one.execution.type} ${one.status}`).toSorted()).toEqual([
    'ROLLBACK Succeeded',
    'STANDARD Failed',
    'STANDARD Succeeded',
  ]);
});

test('by hand: a new execution of that stage alone; asked for twice it is one (CP-X-51)', async () => {
  const { pipeline, lane } = fresh();
  const first = await bench.start(deploying, { pipeline, headSha: good });
  await bench.settled();
  await bench.start(deploying, { pipeline, headSha: bad });
  await bench.settled();
  const execution = executionIdFor(`rollback of ${first}`);
  const command = { kind: 'rollback', lane, stage: 'Deploy', execution, target: first } as const;
  const answers = await Promise.all([bench.engine.obey(command, by), bench.engine.obey(command, by)]);
  expect(answers).toEqual([{ outcome: 'done' }, { outcome: 'done' }]);
  await bench.settled();
  expect(await bench.status(execution)).toBe('Succeeded');
  expect(await bench.read(execution)).toMatchObject({ type: 'ROLLBACK', startedBy: by });
  const unknown = { ...command, execution: executionIdFor('other'), target: executionIdFor('nobody') };
  expect(await bench.engine.obey(unknown, by)).toMatchObject({
    outcome: 'refused',
    refusal: { exception: 'PipelineExecutionNotFoundException' },
  });
});

const gated = aPipeline({
  Source: { Checkout: 'CodeStarSourceConnection' },
  Release: { Approve: 'Manual' },
});

async function update(pipeline: string, definition: PipelineDefinition): Promise<void> {
  const lane = laneKey(repository.id, pipeline);
  await bench.engine.updateDefinition({ lane, repositoryId: repository.id, pipeline, definition, by });
  await bench.settled();
}

test('an update cancels what waits and the approval that is open, and its token is out of date (CP-X-61, CP-X-62)', async () => {
  const { pipeline, lane } = fresh();
  const inGate = await bench.start(gated, { pipeline });
  await bench.settled();
  const waiting = await bench.start(gated, { pipeline });
  await bench.settled();
  const token = (await bench.read(inGate)).stages[1]?.actions[0]?.token ?? '';
  const next = { ...gated, version: 2 };
  await update(pipeline, next);
  expect([await bench.status(inGate), await bench.status(waiting)]).toEqual(['Cancelled', 'Cancelled']);
  const answer = { kind: 'approve', lane, execution: inGate, stage: 'Release', action: 'Approve', token } as const;
  expect(await bench.engine.obey({ ...answer, summary: 'ok' }, by)).toMatchObject({
    outcome: 'refused',
    refusal: {
      message: `The pipeline ${pipeline} has been updated, and the approval request you responded to is now out of date.`,
    },
  });
  await update(pipeline, next);
  const later = await bench.start(next, { pipeline });
  await bench.settled();
  expect(await bench.answer(later)).toEqual({ outcome: 'done' });
  await bench.settled();
  expect(await bench.status(later)).toBe('Succeeded');
});

test('what runs when the pipeline is updated may end, and only then is its execution Cancelled (CP-X-61)', async () => {
  const { pipeline } = fresh();
  let isDone = false;
  bench.answers['Ship'] = () =>
    isDone ? { kind: 'succeeded', outputVariables: {} } : { kind: 'running', externalId: 'x', pollAfterMs: 60_000 };
  const id = await bench.start(deploying, { pipeline, headSha: good });
  await bench.settled();
  await update(pipeline, { ...deploying, version: 2 });
  const run = (await bench.read(id)).stages[1]!.actions[0]!;
  expect(run.status).toBe('InProgress');
  expect(await bench.status(id)).toBe('InProgress');
  isDone = true;
  await pollAction(bench.runner, id, run.id);
  await bench.settled();
  expect(await bench.status(id)).toBe('Cancelled');
  expect((await bench.read(id)).stages[1]?.actions[0]?.status).toBe('Succeeded');
  delete bench.answers['Ship'];
});

test('after an update, retry and rollback to what ran before it are refused; held transitions stay (CP-X-63)', async () => {
  const { pipeline, lane } = fresh();
  const first = await bench.start(deploying, { pipeline, headSha: good });
  await bench.settled();
  const failed = await failShipOf(bad, () => bench.start(deploying, { pipeline, headSha: bad }));
  const hold = { kind: 'disable-transition', lane, stage: 'Deploy', transition: 'Inbound', reason: 'freeze' } as const;
  await bench.engine.obey(hold, by);
  await update(pipeline, { ...deploying, version: 2 });
  expect(
    await bench.engine.obey({ kind: 'retry', lane, execution: failed, stage: 'Deploy', mode: 'FAILED_ACTIONS' }, by),
  ).toMatchObject({ outcome: 'refused', refusal: { exception: 'StageNotRetryableException' } });
  const command = {
    kind: 'rollback',
    lane,
    stage: 'Deploy',
    execution: executionIdFor(failed),
    target: first,
  } as const;
  expect(await bench.engine.obey(command, by)).toMatchObject({
    outcome: 'refused',
    refusal: { exception: 'PipelineExecutionOutdatedException' },
  });
  expect((await loadLane(db, lane))?.stages['Deploy']?.inboundTransition).toMatchObject({ enabled: false });
});

test('from PARALLEL to PARALLEL executions carry on with their own version (CP-X-61)', async () => {
  const { pipeline } = fresh();
  const parallel: PipelineDefinition = { ...gated, executionMode: 'PARALLEL' };
  const id = await bench.start(parallel, { pipeline });
  await bench.settled();
  await update(pipeline, { ...parallel, version: 2 });
  expect(await bench.status(id)).toBe('InProgress');
  expect(await bench.answer(id)).toEqual({ outcome: 'done' });
  await bench.settled();
  expect(await bench.status(id)).toBe('Succeeded');
});
