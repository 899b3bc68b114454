import { expect, test } from 'vitest';
import { listActionExecutions } from '../../src/db/action-executions.ts';
import { auditOf } from '../../src/db/audit.ts';
import { TransientError, UserError } from '../../src/errors.ts';
import { laneKey } from '../../src/pipeline/execution.ts';
import { waitingApprovals } from '../../src/pipeline/status.ts';
import { testDatabase } from '../database.ts';
import { repository, shop } from './bench.ts';
import { awsError } from './fake-aws.ts';
import { by, lane, lostAnswerBench } from './lost-answer-bench.ts';

const database = await testDatabase();
const bench = await lostAnswerBench(database);
const { aws, engine, toTheGate } = bench;

test('a start pins the commit, brings our id as its token, and carries who asked for it (SEC-T-06, SEC-T-12)', async () => {
  const sha = '1'.repeat(40);
  const id = await bench.start({ sha, key: 'pr/42/shop/12/1' });
  const [call] = aws.calls.filter((one) => one.call === 'StartPipelineExecution');
  expect(call?.input).toEqual({
    name: 'shop-prod',
    clientRequestToken: id,
    sourceRevisions: [{ actionName: 'App', revisionType: 'COMMIT_ID', revisionValue: sha }],
    variables: [{ name: 'BOT_EXECUTION_ID', value: id }],
  });
  expect(call?.subject).toEqual({
    repositoryId: 42,
    repository: 'acme/shop',
    pullRequest: 12,
    execution: id,
    person: 'dev',
  });
  const again = await bench.start({ sha, key: 'pr/42/shop/12/1' });
  expect(again).toBe(id);
  expect(bench.count('StartPipelineExecution')).toBe(1);
});

test('an answer that got lost on the way is found again by its token: one execution', async () => {
  const before = aws.executions.length;
  aws.fault('StartPipelineExecution', awsError('TimeoutError', 'no answer', 500), { after: true });
  const id = await bench.start({ sha: '2'.repeat(40) });
  await expect(bench.running(id)).rejects.toThrow('AWS runs nothing');
  await engine.refresh(id);
  await engine.refresh(id);
  expect((await bench.running(id)).token).toBe(id);
  expect(aws.executions).toHaveLength(before + 1);
});

test('a missing permission ends the execution with the action, the ARN and where to get the policy (SEC-T-16)', async () => {
  const message =
    'User: arn:aws:sts::111122223333:assumed-role/penstock/repo-42 is not authorized to perform: codepipeline:StartPipelineExecution on resource: arn:aws:codepipeline:eu-west-1:111122223333:shop-prod';
  aws.fault('StartPipelineExecution', awsError('AccessDeniedException', message));
  const { execution, status } = await bench.record(await bench.start({ sha: '3'.repeat(40) }));
  expect(status).toBe('Failed');
  expect(execution.ending).toMatchObject({
    summary:
      'The role arn:aws:iam::111122223333:role/penstock lacks codepipeline:StartPipelineExecution on arn:aws:codepipeline:eu-west-1:111122223333:shop-prod. `penstock iam-policy` prints the policy that it needs.',
  });
});

test('a right that was taken away while it runs is told by the check, and forgotten once it is back (SEC-T-16)', async () => {
  const id = await bench.start({ sha: 'ac'.repeat(20) });
  aws.fault('ListActionExecutions', awsError('AccessDeniedException', 'not authorized'));
  await engine.refresh(id);
  const blind = await bench.record(id);
  expect(blind.live).toBe(true);
  expect(blind.execution.notice).toBe(
    'The role arn:aws:iam::111122223333:role/penstock lacks codepipeline:ListActionExecutions on arn:aws:codepipeline:eu-west-1:111122223333:shop-prod. `penstock iam-policy` prints the policy that it needs.',
  );
  await engine.refresh(id);
  expect((await bench.record(id)).execution).not.toHaveProperty('notice');
});

test('a full pipeline and throttling bother nobody: the start waits and is made later (SEC-F-23)', async () => {
  aws.fault('StartPipelineExecution', awsError('ConcurrentPipelineExecutionsLimitExceededException'));
  aws.fault('StartPipelineExecution', awsError('ThrottlingException', 'Rate exceeded'));
  const id = await bench.start({ sha: '4'.repeat(40) });
  expect((await bench.record(id)).status).toBe('InProgress');
  await engine.refresh(id);
  expect((await bench.record(id)).status).toBe('InProgress');
  await engine.refresh(id);
  expect((await bench.running(id)).status).toBe('InProgress');
});

test('an execution that AWS started for the commit by itself is taken over, not started a second time (CP-T-1)', async () => {
  const sha = '5'.repeat(40);
  const theirs = aws.begin('shop-prod', 'WebhookV2', { App: sha });
  const before = bench.count('StartPipelineExecution');
  const id = await bench.start({ sha });
  expect((await bench.running(id)).id).toBe(theirs.id);
  expect(bench.count('StartPipelineExecution')).toBe(before);
});

test('stages, failures and attempts become the stored execution, with what CodeBuild says of the failed phase', async () => {
  const id = await bench.start({ sha: '6'.repeat(40) });
  const running = await bench.running(id);
  aws.builds.push({
    id: 'unit:77',
    phases: [
      { phaseType: 'INSTALL', phaseStatus: 'SUCCEEDED' },
      {
        phaseType: 'BUILD',
        phaseStatus: 'FAILED',
        contexts: [
          {
            statusCode: 'COMMAND_EXECUTION_ERROR',
            message: 'Error while executing command: npm test. Reason: exit status 1',
          },
        ],
      },
    ],
    logs: {
      deepLink: 'https://console.aws.amazon.com/cloudwatch/unit-77',
      groupName: '/aws/codebuild/unit',
      streamName: '77',
    },
  });
  const error = { code: 'JobFailed', message: 'Build terminated with state: FAILED' };
  aws.finish(running, 'Lint', 'Succeeded');
  aws.finish(running, 'Unit', 'Failed', { externalId: 'unit:77', error });
  await engine.refresh(id);
  const failed = await bench.record(id);
  expect([failed.status, failed.live]).toEqual(['Failed', false]);
  const unit = failed.execution.stages[1]?.actions.find((run) => run.action === 'Unit');
  expect(unit).toMatchObject({
    attempt: 1,
    error: { code: 'JobFailed', message: 'Build terminated with state: FAILED' },
    story: {
      service: 'CodeBuild',
      said: 'Phase BUILD FAILED: COMMAND_EXECUTION_ERROR: Error while executing command: npm test. Reason: exit status 1',
    },
    externalExecutionUrl: 'https://console.aws.amazon.com/cloudwatch/unit-77',
  });
  aws.logs['77'] = ['> npm test', 'the pump is missing', 'exit status 1'];
  expect(await engine.logTail(id, unit?.id ?? '', 2)).toEqual({
    lines: ['the pump is missing', 'exit status 1'],
    url: 'https://console.aws.amazon.com/cloudwatch/unit-77',
  });
  const retried = { kind: 'retry', lane, execution: id, stage: 'Build', mode: 'FAILED_ACTIONS' } as const;
  expect(await engine.obey(retried, by)).toEqual({ outcome: 'done' });
  await engine.refresh(id);
  aws.finish(running, 'Unit', 'Succeeded');
  await engine.refresh(id);
  const stored = await listActionExecutions(database.db, id);
  // The first attempt is one line of a table from now on: what CodeBuild said stays with it.
  expect(stored[1]?.output?.error?.message).toMatch(/^Build terminated .* CodeBuild: Phase BUILD FAILED/);
  const rows = stored.map((row) => `${row.action} ${row.attempt} ${row.status}`);
  expect(rows).toEqual([
    'App 1 Succeeded',
    'Unit 1 Failed',
    'Lint 1 Succeeded',
    'Unit 2 Succeeded',
    'Approve 1 InProgress',
  ]);
  expect((await bench.record(id)).waiting).toBe(true);
});

test('an approval goes to the request that waits, once, and the person is remembered although AWS knows only the role', async () => {
  const { id, gate } = await toTheGate('7'.repeat(40));
  const answer = { kind: 'approve', lane, execution: id, ...gate, summary: '@reviewer' } as const;
  const { id: _id, ...command } = { ...answer };
  expect(await engine.obey(command, by)).toEqual({ outcome: 'done' });
  expect((await bench.record(id)).waiting).toBe(false);
  const second = await engine.obey(command, by);
  expect(second).toMatchObject({ outcome: 'refused', refusal: { exception: 'ApprovalAlreadyCompletedException' } });
  await engine.refresh(id);
  const { execution, status } = await bench.record(id);
  expect(status).toBe('Succeeded');
  expect(execution.stages[2]?.actions[0]).toMatchObject({ answeredBy: by, summary: '@reviewer' });
});

test('votes that changed meanwhile stop the approval before it reaches AWS (SEC-R2)', async () => {
  const { id, gate } = await toTheGate('8'.repeat(40));
  const before = bench.count('PutApprovalResult');
  const refusal = { exception: 'InvalidApprovalTokenException', rule: 'SEC-R2', message: 'The answers changed.' };
  const { stage, action, token } = gate;
  const command = { kind: 'approve', lane, execution: id, stage, action, token, summary: '' } as const;
  expect(await engine.obey(command, by, { recheck: () => Promise.resolve(refusal) })).toEqual({
    outcome: 'refused',
    refusal,
  });
  expect(bench.count('PutApprovalResult')).toBe(before);
});

test('when another execution stands at the gate, an approval of the overtaken one reaches nobody (SEC-T-08)', async () => {
  const first = await toTheGate('9'.repeat(40));
  await toTheGate('a'.repeat(40));
  const before = bench.count('PutApprovalResult');
  const { stage, action, token } = first.gate;
  const command = { kind: 'approve', lane, execution: first.id, stage, action, token, summary: '' } as const;
  expect(await engine.obey(command, by)).toMatchObject({ outcome: 'refused', refusal: { rule: 'SEC-T-08' } });
  expect(bench.count('PutApprovalResult')).toBe(before);
});

test.each([
  ['Succeeded', 'approve'],
  ['Failed', 'reject'],
] as const)(
  'SEC-B-29 an answer given in the console (%s) is taken over with the one who gave it, on record, and not given again',
  async (status, verb) => {
    const { id, running } = await toTheGate((status === 'Failed' ? 'b' : 'c').repeat(40));
    const before = bench.count('PutApprovalResult');
    const anna = 'arn:aws:iam::111122223333:user/anna';
    aws.finish(running, 'Approve', status, { updatedBy: anna, summary: 'seen it' });
    await engine.refresh(id);
    await engine.refresh(id);
    const { execution } = await bench.record(id);
    expect(execution.stages[2]?.actions[0]).toMatchObject({ status, answeredBy: { kind: 'api', arn: anna } });
    expect(bench.count('PutApprovalResult')).toBe(before);
    const answers = (await auditOf(database.db, id)).filter(({ what }) => /approve|reject/.test(what));
    expect(answers).toMatchObject([{ who: anna, what: `pipeline-${verb}`, why: 'seen it' }]);
  },
);

test('answered by somebody else between our reading and our call: told as it is, and not tried again (SEC-T-09)', async () => {
  const { id, running, gate } = await toTheGate('ad'.repeat(20));
  const anna = 'arn:aws:iam::111122223333:user/anna';
  const before = bench.count('PutApprovalResult');
  const { stage, action, token } = gate;
  const command = { kind: 'approve', lane, execution: id, stage, action, token, summary: '' } as const;
  // The votes are read last before the call: in that moment the console is quicker.
  const recheck = () => {
    aws.finish(running, 'Approve', 'Failed', { updatedBy: anna, summary: 'not today' });
    aws.fault('PutApprovalResult', awsError('ApprovalAlreadyCompletedException', 'The approval was answered already.'));
    return Promise.resolve(undefined);
  };
  expect(await engine.obey(command, by, { recheck })).toMatchObject({
    outcome: 'refused',
    refusal: {
      message: 'The approval was answered already. Somebody answered before; the check shows the answer in a moment.',
    },
  });
  expect(bench.count('PutApprovalResult')).toBe(before + 1);
  await engine.refresh(id);
  const { execution } = await bench.record(id);
  expect(execution.stages[2]?.actions[0]).toMatchObject({ status: 'Failed', answeredBy: { kind: 'api', arn: anna } });
});

test('a retry of what a newer execution has overtaken is explained, and starts nothing (SEC-T-11)', async () => {
  const id = await bench.start({ sha: 'ae'.repeat(20) });
  aws.finish(await bench.running(id), 'Unit', 'Failed');
  await engine.refresh(id);
  const before = aws.executions.length;
  aws.fault('RetryStageExecution', awsError('NotLatestPipelineExecutionException', 'It is not the latest execution.'));
  const retried = { kind: 'retry', lane, execution: id, stage: 'Build', mode: 'FAILED_ACTIONS' } as const;
  expect(await engine.obey(retried, by)).toMatchObject({
    outcome: 'refused',
    refusal: {
      message:
        'It is not the latest execution. A newer execution has entered this stage since. Retry that one, or start this commit anew with `/rerun`.',
    },
  });
  expect(aws.executions).toHaveLength(before);
  await engine.refresh(id);
  expect((await bench.record(id)).status).toBe('Failed');
});

test('reads that lag change nothing for the worse: a late token is waited for, a new execution may be missing (CP-X-69)', async () => {
  aws.lag(true);
  const id = await bench.start({ sha: 'c'.repeat(40) });
  await engine.refresh(id);
  expect((await bench.record(id)).status).toBe('InProgress');
  aws.lag(false);
  aws.lateTokens(true);
  const running = await bench.running(id);
  aws.finish(running, 'Unit', 'Succeeded');
  aws.finish(running, 'Lint', 'Succeeded');
  await engine.refresh(id);
  const early = await bench.record(id);
  expect(early.execution.stages.map((stage) => stage.stage)).toEqual(['Source', 'Build', 'Release']);
  expect(early.waiting).toBe(false);
  aws.lateTokens(false);
  await engine.refresh(id);
  expect((await bench.record(id)).waiting).toBe(true);
});

test('in PARALLEL mode the token comes from the list of actions, and there is no rollback (SEC-T-10)', async () => {
  aws.declare({ ...shop, executionMode: 'PARALLEL', version: 4 });
  const definition = await engine.definitionOf(repository.id, 'shop');
  const id = await engine.start({ ...bench.request({ sha: 'ab'.repeat(20), pullRequest: 13 }), definition });
  const running = await bench.running(id);
  aws.finish(running, 'Unit', 'Succeeded');
  aws.finish(running, 'Lint', 'Succeeded');
  await engine.refresh(id);
  const [gate] = waitingApprovals((await bench.record(id)).execution);
  const { stage, action, token } = gate!;
  const parallel = laneKey(repository.id, 'shop', 13);
  const target = { kind: 'rollback', lane: parallel, stage: 'Build', execution: id, target: id } as const;
  expect(
    await engine.obey({ ...target, execution: '00000000-0000-5000-8000-000000000002' as typeof id }, by),
  ).toMatchObject({
    outcome: 'refused',
    refusal: { rule: 'SEC-T-10' },
  });
  await engine.obey({ kind: 'approve', lane: parallel, execution: id, stage, action, token, summary: 'ok' }, by);
  await engine.refresh(id);
  expect((await bench.record(id)).status).toBe('Succeeded');
  aws.declare(shop);
});

test('a newer commit stops the older execution on AWS and reads as superseded by that commit', async () => {
  const { id, running } = await toTheGate('d'.repeat(40));
  const sha = 'e'.repeat(40);
  await engine.obey({ kind: 'withdraw', lane, execution: id, because: { kind: 'newer-commit', sha } }, by);
  expect(running.status).toBe('Stopped');
  await engine.refresh(id);
  const { execution, status, live } = await bench.record(id);
  expect([status, live]).toEqual(['Superseded', false]);
  expect(execution.ending).toMatchObject({ by: { sha } });
  // To CodePipeline it is a stopped one, which it would run again.
  expect(await engine.obey({ kind: 'retry', lane, execution: id, stage: 'Release', mode: 'ALL_ACTIONS' }, by)).toEqual({
    outcome: 'refused',
    refusal: expect.objectContaining({ message: expect.stringContaining(`Commit ${sha.slice(0, 7)} took the place`) }),
  });
  expect(running.status).toBe('Stopped');
});

test('a refusal of AWS is passed on in its own words, and a stop says who asked', async () => {
  const id = await bench.start({ sha: 'f'.repeat(40) });
  const retried = { kind: 'retry', lane, execution: id, stage: 'Build', mode: 'ALL_ACTIONS' } as const;
  const refused = await engine.obey(retried, by);
  expect(refused).toMatchObject({
    outcome: 'refused',
    refusal: {
      exception: 'StageNotRetryableException',
      message: expect.stringMatching(/^The stage cannot be retried now\. .*`\/rerun`/) as string,
    },
  });
  expect(await engine.obey({ kind: 'stop', lane, execution: id, abandon: true }, by)).toEqual({ outcome: 'done' });
  await engine.refresh(id);
  const { execution, status } = await bench.record(id);
  expect(status).toBe('Stopped');
  expect(execution.stop?.by).toEqual(by);
});

test('a rollback is one call, also when its answer was lost and the command comes again (CP-O-3)', async () => {
  const { id, running } = await toTheGate('0'.repeat(40));
  aws.finish(running, 'Approve', 'Succeeded');
  await engine.refresh(id);
  aws.fault('RollbackStage', awsError('TimeoutError', 'no answer', 500), { after: true });
  const execution = '00000000-0000-5000-8000-000000000001' as typeof id;
  const command = { kind: 'rollback', lane, stage: 'Build', execution, target: id } as const;
  await expect(engine.obey(command, by)).rejects.toBeInstanceOf(TransientError);
  expect(await engine.obey(command, by)).toEqual({ outcome: 'done' });
  expect(await engine.obey(command, by)).toEqual({ outcome: 'done' });
  expect(bench.count('RollbackStage')).toBe(1);
  expect((await bench.record(execution)).execution).toMatchObject({ type: 'ROLLBACK', rollbackTarget: id });
});

test('a pipeline that is not bound on the server is nobody’s to drive (SEC-T-05)', async () => {
  const request = { ...bench.request(), pipeline: 'other' };
  await expect(engine.start(request)).rejects.toBeInstanceOf(UserError);
  await expect(engine.definitionOf(repository.id, 'other')).rejects.toThrow('bindings: in penstock.server.yml');
});
