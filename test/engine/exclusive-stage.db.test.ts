import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { runEffect } from '../../src/engine/embedded/run-effect.ts';
import { findExecution } from '../../src/db/executions.ts';
import { queueView } from '../../src/handlers/queue-view.ts';
import { laneKey, type ExecutionId } from '../../src/pipeline/execution.ts';
import { testDatabase } from '../database.ts';
import { aPipeline } from './a-pipeline.ts';
import { engineBench, repository } from './engine-bench.ts';

const database = await testDatabase();
const { db } = database;
const bench = await engineBench(database);
const by = { kind: 'person', id: 2, login: 'reviewer' } as const;

// The approval keeps an execution inside its stage until the test lets it go on.
const guarded = aPipeline({
  Source: { Checkout: 'CodeStarSourceConnection' },
  Deploy: { Approve: 'Manual', Ship: { runOrder: 2 } },
});

interface Place {
  readonly in: string | undefined;
  readonly lock: string | number | undefined;
}

async function placeOf(execution: ExecutionId): Promise<Place> {
  const { stages, waitingAt, lock } = await bench.read(execution);
  const open = stages.find((stage) => stage.endedAt === undefined)?.stage;
  return {
    in: open ?? (waitingAt === undefined ? undefined : `before ${waitingAt}`),
    lock: lock?.state === 'held' ? 'held' : lock?.place,
  };
}

function startIn(pipeline: string, pullRequest: number): Promise<ExecutionId> {
  return bench.start(guarded, { pipeline, pullRequest, exclusive: ['Deploy'] });
}

/** Each waits for the lock before the next one starts, so that the order of asking is known. */
async function threeLanes(pipeline: string): Promise<readonly [ExecutionId, ExecutionId, ExecutionId]> {
  const ids: ExecutionId[] = [];
  for (const pullRequest of [1, 2, 3]) {
    ids.push(await startIn(pipeline, pullRequest));
    await bench.settled();
  }
  return [ids[0]!, ids[1]!, ids[2]!];
}

test('three pull requests share one environment: first come first served, and each knows its place', async () => {
  const [first, second, third] = await threeLanes('web');
  expect(await placeOf(first)).toEqual({ in: 'Deploy', lock: 'held' });
  expect(await placeOf(second)).toEqual({ in: 'before Deploy', lock: 1 });
  expect(await placeOf(third)).toEqual({ in: 'before Deploy', lock: 2 });

  await bench.answer(first);
  await bench.settled();
  expect(await bench.status(first)).toBe('Succeeded');
  expect(await placeOf(second)).toEqual({ in: 'Deploy', lock: 'held' });
  expect(await placeOf(third)).toEqual({ in: 'before Deploy', lock: 1 });

  await bench.answer(second, 'reject');
  await bench.settled();
  expect(await bench.status(second)).toBe('Failed');
  expect(await placeOf(third)).toEqual({ in: 'Deploy', lock: 'held' });
  await bench.answer(third);
  await bench.settled();
  expect(await bench.status(third)).toBe('Succeeded');
  const left = db.selectFrom('exclusive_places').select('execution_id').where('pipeline', '=', 'web');
  expect(await left.execute()).toEqual([]);
});

test('who is withdrawn leaves the queue, and those behind move up', async () => {
  const [first, second, third] = await threeLanes('shop');
  const lane = laneKey(repository.id, 'shop', 2);
  await bench.engine.obey(
    { kind: 'withdraw', lane, execution: second, because: { kind: 'closed', merged: false } },
    by,
  );
  await bench.settled();
  expect(await placeOf(third)).toEqual({ in: 'before Deploy', lock: 1 });
  const holder = { kind: 'withdraw', lane: laneKey(repository.id, 'shop', 1), execution: first } as const;
  await bench.engine.obey({ ...holder, because: { kind: 'newer-commit', sha: 'b'.repeat(40) } }, by);
  await bench.settled();
  expect(await placeOf(third)).toEqual({ in: 'Deploy', lock: 'held' });
});

test('whoever waits is shown the place and who is inside', async () => {
  const [first, , third] = await threeLanes('shown');
  const viewed = await queueView(db, (await findExecution(db, third))!);
  const behind = { pullRequest: 1, headSha: 'a'.repeat(40) };
  expect(viewed).toEqual({ queue: { stage: 'Deploy', place: 2, behind } });
  expect(await queueView(db, (await findExecution(db, first))!)).toEqual({});
});

test('effects that run twice or late change nothing', async () => {
  const [first, second, third] = await threeLanes('again');
  const again = (execution: ExecutionId, kind: 'request-lock' | 'release-lock'): Promise<void> =>
    runEffect(bench.runner, { kind, execution, stage: 'Deploy' });
  await Promise.all([again(second, 'request-lock'), again(first, 'request-lock'), again(third, 'release-lock')]);
  await bench.settled();
  expect(await placeOf(first)).toEqual({ in: 'Deploy', lock: 'held' });
  expect(await placeOf(second)).toEqual({ in: 'before Deploy', lock: 1 });
  expect(await placeOf(third)).toEqual({ in: 'before Deploy', lock: 2 });
});

test('a holder that is no longer live loses the lock at the next look of somebody who waits', async () => {
  const [first, second] = await threeLanes('lost');
  await sql`update executions set live = false where id = ${first}`.execute(db);
  await bench.engine.refresh(second);
  await bench.settled();
  expect(await placeOf(second)).toEqual({ in: 'Deploy', lock: 'held' });
});

test('a damaged row neither stops a refresh nor the queue that it stands in (SEC-F-46)', async () => {
  const [first, second, third] = await threeLanes('damaged');
  await sql`update executions set schema_version = 99 where id = ${second}`.execute(db);
  await bench.engine.refresh(second);
  await bench.answer(first);
  await bench.settled();
  expect(await bench.status(first)).toBe('Succeeded');
  await bench.engine.refresh(third);
  expect(await placeOf(third)).toMatchObject({ lock: 1 });
  await sql`update executions set live = false where id = ${second}`.execute(db);
  await bench.engine.refresh(third);
  expect(await placeOf(third)).toEqual({ in: 'Deploy', lock: 'held' });
});

test('a lost release and a lost request are made up for by a refresh of the executions', async () => {
  const [first, second, third] = await threeLanes('dropped');
  await bench.worker.drain(1000);
  await bench.answer(first, 'reject');
  await sql`delete from jobs where payload->'effect'->>'kind' = 'release-lock'`.execute(db);
  await bench.engine.refresh(second);
  expect(await placeOf(second)).toEqual({ in: 'Deploy', lock: 'held' });
  expect(await placeOf(third)).toEqual({ in: 'before Deploy', lock: 1 });
});

beforeAll(async () => {
  // Another pipeline's lock of the same name is another lock.
  const other = await startIn('unrelated', 1);
  await bench.settled();
  expect(await placeOf(other)).toEqual({ in: 'Deploy', lock: 'held' });
});
