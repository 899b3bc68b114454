import { sql } from 'kysely';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  actionOutputs,
  listActionExecutions,
  saveActionEnd,
  saveActionInput,
  saveActionStart,
} from '../../src/db/action-executions.ts';
import { loadDefinitions, saveDefinition } from '../../src/db/definitions.ts';
import {
  executionsFor,
  executionsOfPullRequest,
  findExecution,
  findExecutionByKey,
  insertExecution,
  liveExecutions,
  liveExecutionsOfLane,
  loadExecutions,
  newestForLane,
  openLanePullRequests,
  recentExecutions,
  saveExecution,
  unreadableExecutions,
  waitingExecutions,
  type NewExecution,
} from '../../src/db/executions.ts';
import { lanesOfPipeline, loadLane, lockLane, saveLane } from '../../src/db/lanes.ts';
import type { ExecutionContext } from '../../src/engine/engine.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import {
  laneKey,
  type ActionExecutionId,
  type ActionRun,
  type Execution,
  type ExecutionId,
} from '../../src/pipeline/execution.ts';
import { emptyTables, testDatabase } from '../database.ts';

const { db } = await testDatabase();
beforeEach(() => emptyTables(db));

const main = laneKey(1, 'web');
const pr5 = laneKey(1, 'web', 5);
const definition = { name: 'web', version: 1, stages: [] } as unknown as PipelineDefinition;
const minute = (n: number) => new Date(Date.UTC(2026, 0, 1, 12, n)).toISOString();

const context: ExecutionContext = {
  headSha: 'aaa',
  configSha: 'base',
  configDigest: 'c1',
  fork: false,
  authors: [{ id: 9, login: 'ada' }],
  unmappedAuthors: [],
  cause: 'push to main',
  gates: {},
  bareCommands: true,
};

function execution(id: string, more: Partial<Execution> = {}): Execution {
  return {
    id: id as ExecutionId,
    lane: main,
    pipeline: 'web',
    order: 1,
    definition: 'd1',
    mode: 'SUPERSEDED',
    type: 'STANDARD',
    trigger: { type: 'WebhookV2', detail: '' },
    sourceRevisions: [{ actionName: 'Source', revisionId: 'aaa' }],
    variables: [],
    startedAt: minute(1),
    startedBy: { kind: 'person', id: 9, login: 'ada' },
    updatedAt: minute(1),
    stages: [],
    ...more,
  };
}

function born(one: Execution, more: Partial<NewExecution> = {}): NewExecution {
  return {
    execution: one,
    context,
    repositoryId: 1,
    idempotencyKey: `key/${one.id}`,
    host: 'h1',
    status: 'InProgress',
    live: true,
    waiting: false,
    ...more,
  };
}

/** Inserts as the engine does: lane locked, definition stored, all in one transaction. */
function insert(...all: NewExecution[]) {
  return db.transaction().execute(async (trx) => {
    await saveDefinition(trx, 'd1', definition);
    for (const one of all) {
      const pullRequest = one.context.pullRequest;
      const lane = { repositoryId: 1, pipeline: 'web', ...(pullRequest === undefined ? {} : { pullRequest }) };
      await lockLane(trx, one.execution.lane, lane);
      await insertExecution(trx, one);
    }
  });
}

const ids = (records: readonly { readonly execution: Execution }[]) => records.map((one) => one.execution.id as string);

describe('lanes', () => {
  test('made on first use, then the same; its books are kept', async () => {
    const fresh = { repositoryId: 1, pipeline: 'web', pullRequest: 5 };
    await db.transaction().execute(async (trx) => {
      expect(await lockLane(trx, pr5, fresh)).toMatchObject({ key: pr5, started: 0, stages: {}, pullRequest: 5 });
      await saveLane(trx, { key: pr5, started: 3, stages: { Build: { inbound: ['e1' as ExecutionId] } } });
    });
    expect(await loadLane(db, pr5)).toMatchObject({ started: 3, stages: { Build: { inbound: ['e1'] } } });
    expect(await loadLane(db, main)).toBeNull();
    expect(await lanesOfPipeline(db, 1, 'web')).toHaveLength(1);
  });

  test('its lock lets one transaction at a time through', async () => {
    const fresh = { repositoryId: 1, pipeline: 'web' };
    const add = () =>
      db.transaction().execute(async (trx) => {
        const lane = await lockLane(trx, main, fresh);
        await saveLane(trx, { ...lane, started: lane.started + 1 });
      });
    await Promise.all(Array.from({ length: 20 }, add));
    expect((await loadLane(db, main))?.started).toBe(20);
  });
});

describe('executions', () => {
  test('reads back equal, with fields that this version does not know', async () => {
    const one = execution('e1', {
      stages: [
        {
          stage: 'Build',
          attempt: 1,
          startedAt: minute(2),
          actions: [
            {
              action: 'Unit',
              id: 'a1' as ActionExecutionId,
              attempt: 1,
              status: 'InProgress',
              phase: 'running',
              startedAt: minute(2),
            },
          ],
        },
      ],
    });
    const newer = { ...one, addedLater: { deep: [1] } } as Execution;
    await insert(born(newer));
    expect(await findExecution(db, 'e1')).toEqual({ ...born(newer), pipeline: 'web', pullRequest: null });
  });

  test('saved as a whole, with its mirrors', async () => {
    const one = execution('e1');
    await insert(born(one));
    const ended = { ...one, updatedAt: minute(9), ending: { as: 'Stopped', at: minute(9), why: 'nul \0' } as const };
    await db
      .transaction()
      .execute((trx) => saveExecution(trx, ended, { status: 'Stopped', live: false, waiting: false }));
    expect(await findExecution(db, 'e1')).toMatchObject({
      status: 'Stopped',
      live: false,
      execution: { ending: { why: 'nul \uFFFD' } },
    });
    const missing = db
      .transaction()
      .execute((trx) => saveExecution(trx, execution('e9'), { status: 'Stopped', live: false, waiting: false }));
    await expect(missing).rejects.toThrow('e9');
  });

  test('SEC-F-33 the idempotency key is taken once', async () => {
    await insert(born(execution('e1'), { idempotencyKey: 'push/1' }));
    await expect(insert(born(execution('e2'), { idempotencyKey: 'push/1' }))).rejects.toMatchObject({ code: '23505' });
    expect((await findExecutionByKey(db, 'push/1'))?.execution.id).toBe('e1');
    expect(await findExecutionByKey(db, 'push/2')).toBeNull();
  });

  test('found by lane, commit, pull request, and in lists', async () => {
    const ofPr = { context: { ...context, pullRequest: 5, headSha: 'bbb' }, waiting: true };
    await insert(
      born(execution('e1', { startedAt: minute(1) }), { live: false }),
      born(execution('e2', { startedAt: minute(2) }), { host: 'h2' }),
      born(execution('e3', { startedAt: minute(3), lane: pr5 }), ofPr),
      born(execution('e4', { startedAt: minute(4) }), { context: { ...context, pullRequest: 5 } }),
    );
    expect(ids(await loadExecutions(db, ['e3', 'e1', 'nope']))).toEqual(['e1', 'e3']);
    expect(await loadExecutions(db, [])).toEqual([]);
    expect(ids(await liveExecutionsOfLane(db, main))).toEqual(['e2', 'e4']);
    expect((await newestForLane(db, main))?.execution.id).toBe('e4');
    expect(ids(await executionsFor(db, 1, 'aaa'))).toEqual(['e4', 'e2', 'e1']);
    expect(ids(await executionsOfPullRequest(db, 1, 5))).toEqual(['e4', 'e3']);
    expect(await liveExecutions(db)).toEqual(['e2', 'e3', 'e4']);
    expect(await liveExecutions(db, 'h2')).toEqual(['e2']);
    expect(await waitingExecutions(db)).toEqual(['e3']);
    expect(await waitingExecutions(db, 2)).toEqual([]);
    expect(await openLanePullRequests(db, 1)).toEqual([5]);
    expect(ids(await recentExecutions(db, { limit: 2 }))).toEqual(['e4', 'e3']);
    const older = { repositoryId: 1, pipeline: 'web', lane: main, before: new Date(minute(4)), limit: 9 };
    expect(ids(await recentExecutions(db, older))).toEqual(['e2', 'e1']);
  });

  test('SEC-F-46 a damaged or newer row does not stop lists, is named, and refuses to be worked on', async () => {
    await insert(born(execution('e1')), born(execution('e2')), born(execution('e3')));
    await sql`update executions set state = state - 'stages' where id = 'e1'`.execute(db);
    await sql`update executions set schema_version = 99 where id = 'e2'`.execute(db);
    expect(ids(await recentExecutions(db, { limit: 9 }))).toEqual(['e3']);
    const bad = await unreadableExecutions(db);
    expect(bad.map((one) => one.id)).toEqual(['e1', 'e2']);
    expect(bad[0]?.why).toContain('stages');
    await expect(findExecution(db, 'e2')).rejects.toThrow('format 99');
  });
});

describe('actions', () => {
  const run = (id: string, attempt: number, more: Partial<ActionRun> = {}): ActionRun => ({
    action: 'Unit',
    id: id as ActionExecutionId,
    attempt,
    status: 'InProgress',
    phase: 'starting',
    startedAt: minute(attempt),
    ...more,
  });
  const input = (key: string) => ({
    configuration: {},
    resolvedConfiguration: {},
    inputArtifacts: [],
    outputArtifacts: [{ name: 'App', location: { bucket: 'b', key } }],
  });
  const ended = (id: string, attempt: number, status: ActionRun['status'], value: string) =>
    db.transaction().execute(async (trx) => {
      const one = run(id, attempt);
      await saveActionStart(trx, { execution: 'e1', stage: 'Build', run: one });
      await saveActionStart(trx, { execution: 'e1', stage: 'Build', run: one });
      await saveActionInput(trx, id, input(id));
      const over = { ...one, status, phase: 'ended', endedAt: minute(attempt + 10) } as const;
      await saveActionEnd(trx, { run: over, output: { outputVariables: { V: value } } });
    });

  beforeEach(() => insert(born(execution('e1')), born(execution('e2'))));

  test('each attempt is one row; what was put out first stays', async () => {
    await ended('a1', 1, 'Failed', 'x');
    await ended('a2', 2, 'Succeeded', 'y');
    const late = { ...run('a2', 2), status: 'Failed', phase: 'ended' } as const;
    await db.transaction().execute((trx) => saveActionEnd(trx, { run: late, output: { outputVariables: {} } }));
    expect(await listActionExecutions(db, 'e1')).toMatchObject([
      { id: 'a1', status: 'Failed', attempt: 1 },
      { id: 'a2', status: 'Succeeded', output: { outputVariables: { V: 'y' } } },
    ]);
  });

  test('CP-D-27 the newest success of each action counts, later failures do not', async () => {
    await ended('a1', 1, 'Succeeded', 'first');
    await ended('a2', 2, 'Succeeded', 'second');
    await ended('a3', 3, 'Failed', 'third');
    const outputs = await actionOutputs(db, ['e2', 'e1']);
    expect(outputs).toEqual([
      {
        execution: 'e1',
        stage: 'Build',
        action: 'Unit',
        outputVariables: { V: 'second' },
        outputArtifacts: [{ name: 'App', location: { bucket: 'b', key: 'a2' } }],
      },
    ]);
  });
});

test('definitions by digest; the first one stored under a digest stays', async () => {
  await saveDefinition(db, 'd1', definition);
  await saveDefinition(db, 'd1', { ...definition, name: 'other' });
  expect(await loadDefinitions(db, ['d1', 'd2'])).toEqual({ d1: definition });
  expect(await loadDefinitions(db, [])).toEqual({});
});
