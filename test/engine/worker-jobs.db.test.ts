import { sql } from 'kysely';
import { beforeEach, expect, test } from 'vitest';
import type { CustomActionType } from '../../src/db/custom-action-types.ts';
import { listActionExecutions } from '../../src/db/action-executions.ts';
import type { WorkerJob } from '../../src/db/worker-jobs.ts';
import {
  createCustomActionType,
  deleteCustomActionType,
  listActionTypes,
} from '../../src/engine/embedded/custom-action-types.ts';
import { runEffect } from '../../src/engine/embedded/run-effect.ts';
import { acknowledgeJob, getJobDetails, pollForJobs } from '../../src/engine/embedded/worker-jobs.ts';
import { putJobFailure, putJobSuccess } from '../../src/engine/embedded/worker-results.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import type { ExecutionId } from '../../src/pipeline/execution.ts';
import { emptyTables, testDatabase } from '../database.ts';
import { installRepositories } from '../../src/db/repositories.ts';
import { aCondition, aPipeline, withStage } from './a-pipeline.ts';
import { engineBench, repository } from './engine-bench.ts';

const database = await testDatabase();
const { db } = database;
const bench = await engineBench(database);
const by = { kind: 'person', id: 2, login: 'reviewer' } as const;
const shell = { db, now: () => new Date(), continuationDelayMs: 0 };

const scanner: CustomActionType = {
  category: 'Test',
  provider: 'Scanner',
  version: '1',
  settings: { executionUrlTemplate: 'https://scan.example/{Config:Project}/{ExternalExecutionId}' },
  configurationProperties: [
    { name: 'Project', required: true, key: true, secret: false, queryable: true },
    { name: 'Token', required: false, key: false, secret: true },
  ],
  inputArtifactDetails: { minimumCount: 0, maximumCount: 1 },
  outputArtifactDetails: { minimumCount: 0, maximumCount: 0 },
};
const typeId = { category: 'Test', owner: 'Custom', provider: 'Scanner', version: '1' } as const;
const pollOne = { actionTypeId: typeId, queryParam: { Project: 'web' } };

const scanned: PipelineDefinition = aPipeline({
  Source: { Checkout: { provider: 'CodeStarSourceConnection', namespace: 'Source' } },
  Check: {
    Scan: { actionTypeId: typeId, namespace: 'Scan', configuration: { Project: 'web', Depth: '#{Source.Depth}' } },
  },
  After: { Tell: { configuration: { Text: '#{Scan.Findings}' } } },
});
bench.answers['Checkout'] = () => ({ kind: 'succeeded', outputVariables: { Depth: '3' } });

beforeEach(async () => {
  await bench.settled();
  await emptyTables(db);
  await installRepositories(db, [repository]);
  expect(await createCustomActionType(db, scanner)).toMatchObject({ ok: true });
});

async function startScan(): Promise<ExecutionId> {
  const id = await bench.start(scanned);
  await bench.settled();
  return id;
}

async function takeOne(): Promise<WorkerJob> {
  const polled = await pollForJobs(db, pollOne);
  if (!polled.ok || !polled.value[0]) throw new Error('no job was offered');
  return polled.value[0];
}

async function ownOne(): Promise<WorkerJob> {
  const job = await takeOne();
  expect(await acknowledgeJob(db, { jobId: job.id, nonce: job.nonce ?? '' })).toEqual({
    ok: true,
    value: { status: 'InProgress' },
  });
  return job;
}

test('a worker polls, acknowledges and succeeds; its variables reach later actions (CP-J-5, CP-J-8)', async () => {
  const id = await startScan();
  const job = await ownOne();
  const run = (await bench.read(id)).stages[1]?.actions[0];
  expect(run).toMatchObject({ status: 'InProgress', phase: 'running' });
  expect(job).toMatchObject({ subject: 'action', subjectId: run?.id, status: 'Dispatched' });
  expect(job.data).toMatchObject({
    actionTypeId: typeId,
    configuration: { Project: 'web', Depth: '3' },
    pipelineContext: {
      pipelineName: 'web',
      stage: 'Check',
      action: 'Scan',
      actionExecutionId: run?.id,
      pipelineExecutionId: id,
    },
  });
  const executionDetails = { summary: 'clean', externalExecutionId: '77', percentComplete: 100 };
  expect(await putJobSuccess(shell, job.id, { executionDetails, outputVariables: { Findings: 'none' } })).toEqual({
    ok: true,
    value: null,
  });
  await bench.settled();
  expect(await bench.status(id)).toBe('Succeeded');
  expect((await bench.read(id)).stages[1]?.actions[0]).toMatchObject({
    summary: 'clean',
    externalExecutionUrl: 'https://scan.example/web/77',
  });
  const tell = bench.started.find((one) => one.execution === id && one.declaration.name === 'Tell');
  expect(tell?.configuration).toEqual({ Text: 'none' });
});

test('a job is offered to one poller, again after a minute with a new nonce, and only that one owns it (CP-J-6)', async () => {
  await startScan();
  const first = await takeOne();
  expect(await pollForJobs(db, pollOne)).toEqual({ ok: true, value: [] });
  await sql`update worker_jobs set dispatched_at = now() - interval '61 seconds'`.execute(db);
  const second = await takeOne();
  expect(second.id).toBe(first.id);
  expect(await acknowledgeJob(db, { jobId: first.id, nonce: first.nonce! })).toMatchObject({
    ok: false,
    exception: 'InvalidNonceException',
  });
  expect(await acknowledgeJob(db, { jobId: second.id, nonce: second.nonce! })).toMatchObject({ ok: true });
  expect(await acknowledgeJob(db, { jobId: second.id, nonce: second.nonce! })).toMatchObject({
    value: { status: 'InProgress' },
  });
  expect(await getJobDetails(db, second.id)).toMatchObject({ ok: true, value: { status: 'InProgress' } });
});

test('pollers at the same moment get different jobs', async () => {
  await bench.start(scanned, { pullRequest: 1 });
  await bench.start(scanned, { pullRequest: 2 });
  await bench.settled();
  const polled = await Promise.all([1, 2, 3].map(() => pollForJobs(db, pollOne)));
  const ids = polled.flatMap((answer) => (answer.ok ? answer.value.map((job) => job.id) : []));
  expect(new Set(ids).size).toBe(2);
  expect(ids).toHaveLength(2);
});

test.each([
  [{ actionTypeId: { ...typeId, owner: 'AWS' } as const }, 'ActionTypeNotFoundException'],
  [{ actionTypeId: { ...typeId, version: '9' }, queryParam: { Project: 'web' } }, 'ActionTypeNotFoundException'],
  [{ actionTypeId: typeId }, 'ValidationException'],
  [{ actionTypeId: typeId, queryParam: { Token: 'web' } }, 'ValidationException'],
  [{ actionTypeId: typeId, queryParam: { Project: 'a b' } }, 'ValidationException'],
  [{ ...pollOne, maxBatchSize: 0 }, 'ValidationException'],
])('a poll that cannot be is refused: %j (CP-J-4, CP-J-7)', async (request, exception) => {
  expect(await pollForJobs(db, request)).toMatchObject({ ok: false, exception });
});

test('only jobs whose configuration has the asked value are offered (CP-J-7)', async () => {
  await startScan();
  expect(await pollForJobs(db, { ...pollOne, queryParam: { Project: 'shop' } })).toEqual({ ok: true, value: [] });
  expect((await takeOne()).data.configuration['Project']).toBe('web');
});

test('a continuation ends the job and not the action; the next job carries the token (CP-J-9, CP-J-11)', async () => {
  const id = await startScan();
  const job = await ownOne();
  const executionDetails = { summary: 'half way', percentComplete: 50 };
  expect(await putJobSuccess(shell, job.id, { continuationToken: 'page-2', executionDetails })).toMatchObject({
    ok: true,
  });
  expect((await bench.read(id)).stages[1]?.actions[0]).toMatchObject({
    status: 'InProgress',
    summary: 'half way',
    percentComplete: 50,
  });
  const next = await ownOne();
  expect(next.id).not.toBe(job.id);
  expect(next.subjectId).toBe(job.subjectId);
  expect(next.data.continuationToken).toBe('page-2');
  expect(await putJobSuccess(shell, next.id, { outputVariables: { Findings: 'few' } })).toMatchObject({ ok: true });
  await bench.settled();
  expect(await bench.status(id)).toBe('Succeeded');
});

test('a continuation waits five seconds before it is offered unless the operator says otherwise', async () => {
  await startScan();
  const job = await ownOne();
  await putJobSuccess({ db, now: shell.now }, job.id, { continuationToken: 'page-2' });
  expect(await pollForJobs(db, pollOne)).toEqual({ ok: true, value: [] });
  const { rows } = await sql<{ s: number }>`
    select extract(epoch from available_at - created_at)::int as s from worker_jobs where id <> ${job.id}`.execute(db);
  expect(rows).toEqual([{ s: 5 }]);
});

test('a repeated callback counts once; another content or the opposite is refused (CP-J-13)', async () => {
  const id = await startScan();
  const job = await ownOne();
  const success = { outputVariables: { Findings: 'none' }, executionDetails: { summary: 'clean' } };
  await Promise.all([putJobSuccess(shell, job.id, success), putJobSuccess(shell, job.id, success)]);
  expect(await putJobSuccess(shell, job.id, success)).toEqual({ ok: true, value: null });
  expect(await putJobSuccess(shell, job.id, { outputVariables: { Findings: 'many' } })).toEqual({
    ok: false,
    exception: 'InvalidJobStateException',
    message: `The status of job with id ${job.id} is already set to the desired value. It cannot be updated with the same status, but different result or output variables.`,
  });
  expect(await putJobFailure(shell, job.id, { type: 'JobFailed', message: 'late' })).toEqual({
    ok: false,
    exception: 'InvalidJobStateException',
    message: `Job with id ${job.id} has already terminated`,
  });
  await bench.settled();
  expect(await bench.status(id)).toBe('Succeeded');
});

test('a failure of any type fails the action with its code and message (CP-J-15)', async () => {
  const id = await startScan();
  const job = await ownOne();
  await putJobFailure(shell, job.id, { type: 'PermissionError', message: 'no access to the scanner' });
  expect(await bench.status(id)).toBe('Failed');
  expect((await bench.read(id)).stages[1]?.actions[0]?.error).toEqual({
    code: 'PermissionError',
    message: 'no access to the scanner',
  });
});

test('after an abandon the callback is taken and revives nothing, and nobody is offered the job (CP-J-14)', async () => {
  const id = await startScan();
  const job = await ownOne();
  const { lane } = await bench.read(id);
  await bench.engine.obey({ kind: 'stop', lane, execution: id, abandon: true }, by);
  await bench.settled();
  expect(await putJobSuccess(shell, job.id, {})).toEqual({ ok: true, value: null });
  await bench.settled();
  expect(await bench.status(id)).toBe('Stopped');
  const other = await startScan();
  await bench.engine.obey({ kind: 'stop', lane, execution: other, abandon: true }, by);
  expect(await pollForJobs(db, pollOne)).toEqual({ ok: true, value: [] });
});

test('an action that ran out of time takes its job with it (CP-J-16)', async () => {
  const id = await startScan();
  const job = await ownOne();
  const deadline = await db.selectFrom('jobs').select('payload').where('kind', '=', 'deadline').execute();
  expect(deadline).toContainEqual({ payload: { execution: id, action: job.subjectId } });
  const at = { execution: id, stage: 'Check', action: 'Scan', attempt: 1, at: '' } as const;
  const run = (await bench.read(id)).stages[1]!.actions[0]!;
  await runEffect(bench.runner, { kind: 'watch-deadline', ...at, id: run.id });
  await bench.settled();
  expect(await bench.status(id)).toBe('Failed');
  expect(await getJobDetails(db, job.id)).toMatchObject({ value: { status: 'TimedOut' } });
});

test('results that cannot be are refused before anything changes (CP-J-10, CP-J-13, CP-V-10)', async () => {
  await startScan();
  const unknown = '00000000-0000-4000-8000-000000000000';
  const { id } = await takeOne();
  const both = { continuationToken: 'x', outputVariables: {} };
  expect(await putJobSuccess(shell, id, both)).toEqual({
    ok: false,
    exception: 'ValidationException',
    message: 'A job can not contain both a continuation token and output variables.',
  });
  const large = { outputVariables: { A: 'x'.repeat(122_881) } };
  expect(await putJobSuccess(shell, id, large)).toMatchObject({ exception: 'OutputVariablesSizeExceededException' });
  expect(await putJobFailure(shell, id, { type: 'JobFailed', message: '' })).toMatchObject({
    exception: 'ValidationException',
  });
  expect(await putJobSuccess(shell, unknown, {})).toEqual({
    ok: false,
    exception: 'JobNotFoundException',
    message: `Job with id '${unknown}' does not exist`,
  });
  expect(await getJobDetails(db, unknown)).toMatchObject({ exception: 'JobNotFoundException' });
});

test('a retry of the stage is a new action execution with a job of its own (CP-J-16)', async () => {
  const id = await startScan();
  const first = await ownOne();
  await putJobFailure(shell, first.id, { type: 'JobFailed', message: 'broken' });
  const { lane } = await bench.read(id);
  await bench.engine.obey({ kind: 'retry', lane, execution: id, stage: 'Check', mode: 'FAILED_ACTIONS' }, by);
  await bench.settled();
  const second = await ownOne();
  expect(second.subjectId).not.toBe(first.subjectId);
  await putJobSuccess(shell, second.id, { outputVariables: { Findings: 'none' } });
  await bench.settled();
  expect(await bench.status(id)).toBe('Succeeded');
  const rows = await listActionExecutions(db, id);
  expect(rows.filter((row) => row.action === 'Scan').map((row) => row.status)).toEqual(['Failed', 'Succeeded']);
});

test('a deleted type fails its actions with the way out, and its version comes back only unchanged (CP-J-4)', async () => {
  await deleteCustomActionType(db, scanner);
  const id = await startScan();
  expect((await bench.read(id)).stages[1]?.actions[0]?.error).toMatchObject({
    code: 'ConfigurationError',
    message: expect.stringContaining('is not registered'),
  });
  expect(await pollForJobs(db, pollOne)).toMatchObject({ exception: 'ActionTypeNotFoundException' });
  expect((await listActionTypes(db, { owner: 'Custom' })).length).toBe(0);
  const changed = { ...scanner, configurationProperties: [] };
  expect(await createCustomActionType(db, { ...changed, settings: {} })).toMatchObject({ ok: false });
  expect(await createCustomActionType(db, scanner)).toMatchObject({ ok: true });
  expect(await createCustomActionType(db, scanner)).toMatchObject({ ok: false });
  expect(await listActionTypes(db, { owner: 'Custom' })).toMatchObject([{ id: typeId }]);
});

const question = { Ask: { provider: 'LambdaInvoke', configuration: { FunctionName: 'ask' } } };

test('a function is called with a job, called again on a continuation, and answers for the action (CP 4.3, CP-F-15)', async () => {
  const calls: WorkerJob[] = [];
  bench.aws.invokeFunction = ({ job }) => {
    calls.push(job);
    return Promise.resolve({ kind: 'accepted' });
  };
  const actionTypeId = { category: 'Invoke', owner: 'AWS', provider: 'Lambda', version: '1' } as const;
  const definition = aPipeline({
    Source: { Checkout: 'CodeStarSourceConnection' },
    Call: { Ask: { actionTypeId, configuration: { FunctionName: 'ask' } } },
  });
  const id = await bench.start(definition);
  await bench.settled();
  const run = (await bench.read(id)).stages[1]!.actions[0]!;
  expect(run).toMatchObject({ status: 'InProgress', externalExecutionId: 'ask' });
  expect(calls).toHaveLength(1);
  await putJobSuccess(shell, calls[0]!.id, { continuationToken: 'more' });
  await bench.settled();
  expect(calls.map((job) => job.data.continuationToken)).toEqual([undefined, 'more']);
  await putJobSuccess(shell, calls[1]!.id, {});
  await bench.settled();
  expect(await bench.status(id)).toBe('Succeeded');
  bench.aws.invokeFunction = () => Promise.resolve({ kind: 'missing' });
  const other = await bench.start(definition, { pullRequest: 3 });
  await bench.settled();
  expect((await bench.read(other)).stages[1]?.actions[0]?.error).toEqual({
    code: 'ConfigurationError',
    message: 'The AWS Lambda function ask does not exist.',
  });
  delete bench.aws.invokeFunction;
});

test('a function judges a rule by the result that it puts (CP 2.10, CP-C-3)', async () => {
  const calls: WorkerJob[] = [];
  bench.aws.invokeFunction = ({ job }) => {
    calls.push(job);
    return Promise.resolve({ kind: 'accepted' });
  };
  const plain = aPipeline({ Source: { Checkout: 'CodeStarSourceConnection' }, Deploy: { Ship: {} } });
  const asked = withStage(plain, 'Deploy', { beforeEntry: { conditions: [aCondition('FAIL', question)] } });
  const yes = await bench.start(asked, { pullRequest: 1 });
  const no = await bench.start(asked, { pullRequest: 2 });
  await bench.settled();
  for (const job of calls) {
    const isYes = job.execution === yes;
    if (isYes) await putJobSuccess(shell, job.id, { executionDetails: { summary: 'go' } });
    else await putJobFailure(shell, job.id, { type: 'JobFailed', message: 'not today' });
  }
  await bench.settled();
  expect([await bench.status(yes), await bench.status(no)]).toEqual(['Succeeded', 'Failed']);
  delete bench.aws.invokeFunction;
});
