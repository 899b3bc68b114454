import { sql } from 'kysely';
import { beforeEach, expect, test } from 'vitest';
import { longestUnobserved } from '../../src/db/aws-executions.ts';
import { fingerprintOf } from '../../src/engine/aws/fingerprint.ts';
import { laneKey, type ExecutionId } from '../../src/pipeline/execution.ts';
import { emptyTables, testDatabase } from '../database.ts';
import { awsBench, repository, shop, type AwsBench } from './bench.ts';
import { awsError } from './fake-aws.ts';

const database = await testDatabase();
const watched = { repositoryId: repository.id, pipeline: 'shop' };
let bench: AwsBench;

beforeEach(async () => {
  await emptyTables(database.db);
  bench = await awsBench(database);
});

const sha = (digit: string): string => digit.repeat(40);

/** One look at the pipeline, and the calls that it made. */
async function look(): Promise<readonly string[]> {
  const before = bench.aws.calls.length;
  bench.pass(10_000);
  await bench.engine.observe(watched);
  return bench.aws.calls
    .slice(before)
    .map(({ call }) => call)
    .toSorted();
}

const shared = ['GetPipelineState', 'ListPipelineExecutions'];

async function started(digit: string, pullRequest: number): Promise<ExecutionId> {
  return bench.engine.start(bench.request({ sha: sha(digit), pullRequest }));
}

test('two reads serve all executions of a pipeline while nothing of them moves; what moved is read by itself', async () => {
  const ids = [await started('1', 1), await started('2', 2)];
  await look();
  await look();
  expect(await look()).toEqual(shared);
  const [, second = ''] = ids;
  bench.aws.finish(await bench.running(second as ExecutionId), 'Lint', 'Succeeded');
  const calls = await look();
  expect(new Set(calls)).toEqual(new Set([...shared, 'ListActionExecutions']));
  const { execution } = await bench.record(second as ExecutionId);
  expect(execution.stages[1]?.actions.map((run) => `${run.action} ${run.status}`)).toEqual([
    'Unit InProgress',
    'Lint Succeeded',
  ]);
  expect(await look()).toEqual(shared);
});

test('a start that AWS took leaves one request behind: for a look at its pipeline', async () => {
  await started('1', 1);
  const { rows } = await sql`select kind, dedupe_key as key from jobs where kind <> 'report'`.execute(database.db);
  expect(rows).toEqual([{ kind: 'observe', key: 'observe/42/shop' }]);
});

test('many that moved at once are read from one list of the pipeline', async () => {
  bench.aws.pageSize(100);
  const ids = await Promise.all([1, 2, 3, 4, 5, 6].map((number) => started(String(number), number)));
  // Variables are asked for once, when an execution is seen for the first time.
  const calls = (await look()).filter((call) => call !== 'GetPipelineExecution');
  expect(calls).toEqual(['GetPipelineState', 'ListActionExecutions', 'ListPipelineExecutions']);
  for (const id of ids) {
    const { execution } = await bench.record(id);
    expect(execution.stages.map((run) => run.stage)).toEqual(['Source', 'Build']);
  }
});

test('a list that does not reach back far enough is not believed for the older ones (CP-X-70)', async () => {
  bench.aws.pageSize(4);
  const ids = [await started('1', 1), await started('2', 2), await started('3', 3)];
  for (const id of ids) bench.aws.finish(await bench.running(id), 'Lint', 'Succeeded');
  await look();
  for (const id of ids) {
    const { execution } = await bench.record(id);
    expect(execution.stages[1]?.actions).toHaveLength(2);
  }
});

test('reads that disagree are not taken as the end of it: the next look is a whole one (CP-X-69)', async () => {
  const id = await started('1', 1);
  await look();
  const running = await bench.running(id);
  bench.aws.lagActions(true);
  bench.aws.finish(running, 'Lint', 'Succeeded');
  expect(await look()).toContain('ListActionExecutions');
  expect(await look()).toContain('ListActionExecutions');
  bench.aws.lagActions(false);
  await look();
  const { execution } = await bench.record(id);
  expect(execution.stages[1]?.actions.find((run) => run.action === 'Lint')?.status).toBe('Succeeded');
  expect(await look()).toEqual(shared);
});

test('what a person did through us makes the next look a whole one', async () => {
  const id = await started('1', 1);
  await look();
  await look();
  expect(await look()).toEqual(shared);
  const lane = laneKey(repository.id, 'shop', 1);
  await bench.engine.obey({ kind: 'stop', lane, execution: id, abandon: true }, { kind: 'api', arn: 'x' });
  for (let looks = 0; looks < 6; looks += 1) expect(await look()).toContain('ListActionExecutions');
  expect((await bench.record(id)).status).toBe('Stopped');
  // What was done is a minute old, and no read is older: only the adopting list is asked for.
  await look();
  expect(await look()).toEqual(['ListPipelineExecutions']);
});

test('in PARALLEL mode the state is not asked for, and one list of actions serves all', async () => {
  bench.aws.pageSize(100);
  bench.aws.declare({ ...shop, executionMode: 'PARALLEL' });
  const definition = await bench.engine.definitionOf(repository.id, 'shop');
  for (const number of [1, 2, 3]) {
    await bench.engine.start({ ...bench.request({ sha: sha(String(number)), pullRequest: number }), definition });
  }
  await look();
  expect(await look()).toEqual(['ListActionExecutions', 'ListPipelineExecutions']);
});

test('one look tells when to look again, and nothing live asks for no further one', async () => {
  const id = await started('1', 1);
  const { againAfterMs = 0 } = await bench.engine.observe(watched);
  expect(againAfterMs).toBe(5_000);
  expect(await longestUnobserved(database.db)).toBeLessThan(5);
  const running = await bench.running(id);
  for (const action of ['Unit', 'Lint', 'Approve']) bench.aws.finish(running, action, 'Succeeded');
  await look();
  expect((await bench.record(id)).status).toBe('Succeeded');
  expect(await bench.engine.observe(watched)).toEqual({ strangers: [] });
  expect(await longestUnobserved(database.db)).toBe(0);
});

test('throttled in the middle of a storm: looks wait, the execution stays as it was, and goes on afterwards (SEC-F-23)', async () => {
  const id = await started('1', 1);
  await look();
  bench.aws.finish(await bench.running(id), 'Lint', 'Succeeded');
  bench.aws.fault('GetPipelineState', awsError('ThrottlingException', 'Rate exceeded'), { times: 3 });
  await expect(look()).rejects.toThrow('AWS throttles GetPipelineState');
  await expect(look()).rejects.toThrow('AWS throttled calls to account 111122223333');
  expect(bench.aws.calls.filter((one) => one.call === 'GetPipelineState')).toHaveLength(2);
  expect(await bench.record(id)).toMatchObject({ status: 'InProgress', live: true });
  await database.db.deleteFrom('aws_budgets').execute();
  bench.aws.clearFaults();
  await look();
  const { execution } = await bench.record(id);
  expect(execution.stages[1]?.actions.find((run) => run.action === 'Lint')?.status).toBe('Succeeded');
});

test('credentials that end in the middle are taken anew, and nobody notices', async () => {
  const id = await started('1', 1);
  bench.aws.fault('ListPipelineExecutions', awsError('ExpiredTokenException', 'The security token is expired'));
  await look();
  expect(bench.aws.renewed()).toBe(1);
  expect((await bench.record(id)).execution.stages.map((run) => run.stage)).toEqual(['Source', 'Build']);
});

test('an execution that is beyond the newest hundred is asked for by itself', async () => {
  const id = await started('1', 1);
  await look();
  bench.aws.listed(0);
  bench.aws.finish(await bench.running(id), 'Lint', 'Failed');
  expect(await look()).toContain('GetPipelineExecution');
  expect((await bench.record(id)).status).toBe('Failed');
});

test('one execution of CodePipeline has one record, whoever writes it second (index executions_aws)', async () => {
  const theirs = bench.aws.begin('shop-prod', 'WebhookV2', { App: sha('7') });
  const adopting = (key: string, pullRequest: number) =>
    bench.engine.adopt(bench.request({ key, pullRequest, sha: sha('7') }), theirs.id);
  const [one, other] = await Promise.all([adopting('one', 1), adopting('other', 2)]);
  expect([one, other].filter((id) => id !== undefined)).toHaveLength(1);
  const { rows } = await sql`select id from executions`.execute(database.db);
  expect(rows).toHaveLength(1);
});

test('a commit that AWS started by itself, and that was found before its event came, is not started again (CP-T-1)', async () => {
  const theirs = bench.aws.begin('shop-prod', 'WebhookV2', { App: sha('8') });
  const adopted = await bench.engine.adopt(bench.request({ key: 'aws/1', pullRequest: 12, sha: sha('8') }), theirs.id);
  expect(await bench.start({ sha: sha('8'), key: 'pr/8' })).toBe(adopted);
  expect(bench.count('StartPipelineExecution')).toBe(0);
  // A person who asks for one more gets it.
  const asked = {
    ...bench.request({ sha: sha('8'), key: 'run/8' }),
    trigger: { type: 'StartPipelineExecution', detail: '' },
  } as const;
  expect(await bench.engine.start(asked)).not.toBe(adopted);
  expect(bench.count('StartPipelineExecution')).toBe(1);
});

test('what AWS started by itself follows its own mode: a newer commit of ours does not stop it', async () => {
  const theirs = bench.aws.begin('shop-prod', 'WebhookV2', { App: sha('6') });
  const request = bench.request({ key: 'aws/6', pullRequest: 12, sha: sha('6') });
  const id = (await bench.engine.adopt(request, theirs.id))!;
  const because = { kind: 'newer-commit', sha: sha('7') } as const;
  const by = { kind: 'penstock', why: 'a newer commit' } as const;
  const withdraw = { kind: 'withdraw', lane: request.lane, execution: id, because } as const;
  expect(await bench.engine.obey(withdraw, by)).toEqual({ outcome: 'done' });
  expect(bench.count('StopPipelineExecution')).toBe(0);
  expect((await bench.running(id)).id).toBe(theirs.id);
});

test('a pipeline of AWS is never started for a commit of a fork, whoever asks', async () => {
  const request = bench.request({ key: 'fork/1', sha: sha('5') });
  const id = await bench.engine.start({ ...request, context: { ...request.context, fork: true } });
  const { status, execution } = await bench.record(id);
  expect(status).toBe('Failed');
  expect(execution.ending).toMatchObject({ summary: expect.stringContaining('it is never started for forks') });
  expect(bench.count('StartPipelineExecution')).toBe(0);
});

test('a start and the sweep that meet at one execution of AWS show it once', async () => {
  const theirs = bench.aws.begin('shop-prod', 'WebhookV2', { App: sha('9') });
  const [started, adopted] = await Promise.all([
    bench.start({ sha: sha('9'), key: 'pr/9' }),
    bench.engine.adopt(bench.request({ key: 'aws/9', pullRequest: 12, sha: sha('9') }), theirs.id),
  ]);
  expect(adopted === undefined || adopted === started).toBe(true);
  expect((await bench.running(started)).id).toBe(theirs.id);
  expect(bench.count('StartPipelineExecution')).toBe(0);
});

test('a fingerprint tells what moved of one execution, and not what moved of others in stages that it has left', () => {
  const summary = { pipelineExecutionId: 'one', status: 'InProgress' as const };
  const stage = (stageName: string, id: string, status: 'InProgress' | 'Succeeded') => ({
    stageName,
    latestExecution: { pipelineExecutionId: id, status },
  });
  const state = (...stageStates: ReturnType<typeof stage>[]) => ({ pipelineName: 'shop', stageStates });
  const before = fingerprintOf(
    summary,
    state(stage('Build', 'one', 'Succeeded'), stage('Release', 'one', 'InProgress')),
  );
  const left = state(stage('Build', 'two', 'InProgress'), stage('Release', 'one', 'InProgress'));
  expect(fingerprintOf(summary, left)).toBe(before);
  const moved = state(stage('Build', 'two', 'InProgress'), stage('Release', 'one', 'Succeeded'));
  expect(fingerprintOf(summary, moved)).not.toBe(before);
  expect(fingerprintOf({ ...summary, status: 'Succeeded' }, left)).not.toBe(before);
});
