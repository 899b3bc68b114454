import { randomUUID } from 'node:crypto';
import { paginateListPipelineExecutions, type PipelineDeclaration } from '@aws-sdk/client-codepipeline';
import { expect, test } from 'vitest';
import { testDatabase } from '../database.ts';
import { approval, declare } from './declare.ts';
import { doorBench, refusal } from './door-bench.ts';

const database = await testDatabase();
const bench = await doorBench(database);
const { client } = bench;
const settled = (): Promise<void> => bench.engine.settled();

async function created(pipeline: PipelineDeclaration): Promise<{ name: string; pipelineName: string; first: string }> {
  await client.createPipeline({ pipeline });
  await settled();
  const name = pipeline.name!;
  return { name, pipelineName: name, first: (await summaries(name))[0]!.pipelineExecutionId! };
}

const start = async (name: string): Promise<string> =>
  (await client.startPipelineExecution({ name })).pipelineExecutionId!;

const summaries = async (pipelineName: string) =>
  (await client.listPipelineExecutions({ pipelineName })).pipelineExecutionSummaries!;

const statuses = async (name: string) => (await summaries(name)).map(({ status }) => status);

const stageOf = async (name: string, stage: string) =>
  (await client.getPipelineState({ name })).stageStates!.find(({ stageName }) => stageName === stage)!;

const tokenOf = async (name: string, stage: string) =>
  (await stageOf(name, stage)).actionStates![0]!.latestExecution!.token!;

const answerOf = (pipelineName: string, token: string, status: 'Approved' | 'Rejected' = 'Approved', summary = '') => ({
  pipelineName,
  stageName: 'Gate',
  actionName: 'Approve',
  token,
  result: { status, summary },
});

test('a client token is one execution, whatever else is said; without one every call is (CP-X-8, CP-W-8)', async () => {
  const { name } = await created(declare({ Build: { Unit: {} } }));
  const clientRequestToken = randomUUID();
  const once = await client.startPipelineExecution({ name, clientRequestToken });
  expect(await client.startPipelineExecution({ name, clientRequestToken })).toMatchObject({
    pipelineExecutionId: once.pipelineExecutionId,
  });
  const twice = [{ name: 'A', value: '1' }].flatMap((variable) => [variable, variable]);
  expect(await refusal(client.startPipelineExecution({ name, clientRequestToken, variables: twice }))).toContain(
    'ValidationException',
  );
  expect(await start(name)).not.toBe(once.pipelineExecutionId);
  bench.clock.aheadMs = 0;
  await settled();
  expect(await summaries(name)).toHaveLength(3);
});

test('variables: given, default, required and missing (CP-X-6, CP-X-7, CP-V-8)', async () => {
  const variables = [{ name: 'Stage', defaultValue: 'beta' }, { name: 'Who' }];
  const { name, pipelineName, first } = await created(declare({ Build: { Unit: {} } }, { variables }));
  const failed = await client.getPipelineExecution({ pipelineName, pipelineExecutionId: first });
  expect(failed.pipelineExecution).toMatchObject({
    status: 'Failed',
    statusSummary: "Values for required variables haven't been provided: Who",
  });
  const given = [
    { name: 'Who', value: '#{not.expanded}' },
    { name: 'Unknown', value: 'x' },
  ];
  const { pipelineExecutionId } = await client.startPipelineExecution({ name, variables: given });
  await settled();
  const { pipelineExecution } = await client.getPipelineExecution({
    pipelineName,
    pipelineExecutionId: pipelineExecutionId!,
  });
  expect(pipelineExecution).toMatchObject({ status: 'Succeeded', pipelineVersion: 1, executionMode: 'SUPERSEDED' });
  expect(pipelineExecution?.variables).toEqual([
    { name: 'Stage', resolvedValue: 'beta' },
    { name: 'Who', resolvedValue: '#{not.expanded}' },
  ]);
  const { actionExecutionDetails } = await client.listActionExecutions({
    pipelineName,
    filter: { pipelineExecutionId: first },
  });
  expect(actionExecutionDetails).toEqual([]);
});

test('a source revision reaches its action; a wrong action name is refused (CP-X-9)', async () => {
  const { name } = await created(declare({ Build: { Unit: {} } }));
  const revision = { revisionType: 'S3_OBJECT_VERSION_ID', revisionValue: 'v7' } as const;
  const sourceRevisions = [{ actionName: 'Fetch', ...revision }];
  const { pipelineExecutionId } = await client.startPipelineExecution({ name, sourceRevisions });
  await settled();
  const fetch = bench.engine.started.find(
    ({ execution, declaration }) => execution === pipelineExecutionId && declaration.name === 'Fetch',
  );
  expect(fetch?.sourceRevision).toMatchObject({ revisionId: 'v7', revisionType: 'S3_OBJECT_VERSION_ID' });
  for (const actionName of ['Unit', 'Nobody']) {
    expect(await refusal(client.startPipelineExecution({ name, sourceRevisions: [{ actionName, ...revision }] }))).toBe(
      `ValidationException: The pipeline has no source action named '${actionName}'.`,
    );
  }
});

test('four starts before a gate: one waits for its answer, two are superseded, the newest is inbound (CP-X-13, CP-X-68)', async () => {
  const { name, first } = await created(declare({ Gate: { Approve: approval } }));
  for (let n = 0; n < 3; n += 1) {
    await start(name);
    await settled();
  }
  expect(await statuses(name)).toEqual(['InProgress', 'Superseded', 'Superseded', 'InProgress']);
  const gate = await stageOf(name, 'Gate');
  const newest = (await summaries(name))[0]!.pipelineExecutionId;
  expect(gate.latestExecution).toEqual({ pipelineExecutionId: first, status: 'InProgress' });
  expect(gate.inboundExecutions).toEqual([{ pipelineExecutionId: newest, status: 'InProgress' }]);
  expect(gate.inboundExecution).toEqual(gate.inboundExecutions![0]);
  await client.putApprovalResult(answerOf(name, await tokenOf(name, 'Gate')));
  await settled();
  expect((await stageOf(name, 'Gate')).latestExecution?.pipelineExecutionId).toBe(newest);
});

test('in QUEUED mode they wait in line; in PARALLEL mode each has its own token in the history (CP 2.2)', async () => {
  const queued = await created(declare({ Gate: { Approve: approval } }, { executionMode: 'QUEUED' }));
  const parallel = await created(declare({ Gate: { Approve: approval } }, { executionMode: 'PARALLEL' }));
  const later = [];
  for (let n = 0; n < 3; n += 1) {
    later.push(await start(queued.name));
    await start(parallel.name);
    await settled();
  }
  expect((await stageOf(queued.name, 'Gate')).inboundExecutions?.map((one) => one.pipelineExecutionId)).toEqual(later);
  const gate = await stageOf(parallel.name, 'Gate');
  expect(gate).toMatchObject({ inboundExecutions: [], actionStates: [{ actionName: 'Approve' }] });
  expect(gate.latestExecution).toBeUndefined();
  const { actionExecutionDetails = [] } = await client.listActionExecutions({ pipelineName: parallel.name });
  const waiting = actionExecutionDetails.filter(({ status }) => status === 'InProgress');
  expect(waiting).toHaveLength(4);
  const token = waiting[0]!.output!.executionResult!.externalExecutionId!;
  await client.putApprovalResult(answerOf(parallel.name, token));
  await settled();
  const told = await statuses(parallel.name);
  expect(told.filter((status) => status === 'InProgress')).toHaveLength(3);
  expect(told.filter((status) => status === 'Succeeded')).toHaveLength(1);
});

test('approvals: answered once, with the right names, by the words of the reviewer (CP-A-3 to A-6)', async () => {
  const { name, pipelineName, first } = await created(declare({ Gate: { Approve: approval } }));
  const token = await tokenOf(name, 'Gate');
  const state = (await stageOf(name, 'Gate')).actionStates?.[0]?.latestExecution;
  expect(state).toMatchObject({ status: 'InProgress', token: state?.actionExecutionId });
  const good = answerOf(name, token, 'Approved', 'looks good');
  const tries: [object, string][] = [
    [{ pipelineName: 'nobody' }, 'PipelineNotFoundException'],
    [{ stageName: 'Nowhere' }, 'StageNotFoundException'],
    [{ actionName: 'Nothing' }, 'ActionNotFoundException'],
    [{ token: randomUUID() }, 'InvalidApprovalTokenException'],
    [{ token: 'no-uuid' }, 'ValidationException'],
    [{ result: { status: 'Maybe', summary: '' } }, 'Member must satisfy enum value set: [Approved, Rejected]'],
    [
      { result: { status: 'Approved' } },
      "Value at 'result.summary' failed to satisfy constraint: Member must not be null",
    ],
    [{ result: { status: 'Approved', summary: 'x'.repeat(513) } }, 'ValidationException'],
  ];
  for (const [change, text] of tries)
    expect(await refusal(client.putApprovalResult({ ...good, ...change }))).toContain(text);
  expect((await client.putApprovalResult(good)).approvedAt).toBeInstanceOf(Date);
  expect(await refusal(client.putApprovalResult(good))).toContain('ApprovalAlreadyCompletedException');
  await settled();
  const after = (await stageOf(name, 'Gate')).actionStates?.[0]?.latestExecution;
  expect(after).toMatchObject({ status: 'Succeeded', summary: 'looks good' });
  expect(after?.lastUpdatedBy).toContain(bench.admin.accessKeyId);
  expect(after?.token).toBeUndefined();
  expect(await client.getPipelineExecution({ pipelineName, pipelineExecutionId: first })).toMatchObject({
    pipelineExecution: { status: 'Succeeded' },
  });
});

test('a failed action: FAILED_ACTIONS runs it alone, the id stays, both attempts are told (CP-X-43, CP-X-48)', async () => {
  let runs = 0;
  bench.engine.answers['Flaky'] = () =>
    ++runs === 1
      ? { kind: 'failed', error: { code: 'JobFailed', message: 'exit status 1' }, externalId: 'unit:1' }
      : { kind: 'succeeded', outputVariables: { TAG: 'v2' }, summary: 'built' };
  const { name, pipelineName, first } = await created(declare({ Build: { Flaky: {}, Steady: {} } }));
  expect(await statuses(name)).toEqual(['Failed']);
  const flaky = (await stageOf(name, 'Build')).actionStates?.[0]?.latestExecution;
  expect(flaky).toMatchObject({ status: 'Failed', errorDetails: { code: 'JobFailed', message: 'exit status 1' } });
  const again = { pipelineName, stageName: 'Build', pipelineExecutionId: first, retryMode: 'FAILED_ACTIONS' } as const;
  expect(await refusal(client.retryStageExecution({ ...again, stageName: 'Nowhere' }))).toContain('StageNotFound');
  expect(await refusal(client.retryStageExecution({ ...again, pipelineExecutionId: randomUUID() }))).toContain(
    'StageNotRetryableException',
  );
  expect(await client.retryStageExecution(again)).toMatchObject({ pipelineExecutionId: first });
  await settled();
  expect(await refusal(client.retryStageExecution(again))).toContain('StageNotRetryableException');
  expect((await stageOf(name, 'Build')).retryStageMetadata).toEqual({
    manualStageRetryAttempt: 1,
    autoStageRetryAttempt: 0,
    latestRetryTrigger: 'ManualStageRetry',
  });
  const history = async (startTimeRange: 'Latest' | 'All') =>
    (
      await client.listActionExecutions({
        pipelineName,
        filter: { latestInPipelineExecution: { pipelineExecutionId: first, startTimeRange } },
      })
    ).actionExecutionDetails!.map(({ actionName, status }) => `${actionName} ${status}`);
  expect((await history('All')).toSorted()).toEqual([
    'Fetch Succeeded',
    'Flaky Failed',
    'Flaky Succeeded',
    'Steady Succeeded',
  ]);
  expect((await history('Latest')).toSorted()).toEqual(['Fetch Succeeded', 'Flaky Succeeded', 'Steady Succeeded']);
  delete bench.engine.answers['Flaky'];
});

test('stop and wait, twice, then abandon; a late answer finds no gate; Stopped can be retried (CP-X-31 to X-37)', async () => {
  const { name, pipelineName, first } = await created(declare({ Gate: { Approve: approval } }));
  const token = await tokenOf(name, 'Gate');
  const stop = { pipelineName, pipelineExecutionId: first, reason: 'not today' };
  expect(await client.stopPipelineExecution(stop)).toMatchObject({ pipelineExecutionId: first });
  expect(await statuses(name)).toEqual(['Stopping']);
  expect(await refusal(client.stopPipelineExecution(stop))).toContain(
    `DuplicatedStopRequestException: The execution with ID ${first} in ${name} is already in a stopping state. If you`,
  );
  await client.stopPipelineExecution({ ...stop, abandon: true });
  await settled();
  const [stopped] = await summaries(name);
  expect(stopped).toMatchObject({ status: 'Stopped', stopTrigger: { reason: 'not today' } });
  expect(await refusal(client.putApprovalResult(answerOf(name, token)))).toContain('InvalidApprovalTokenException');
  expect(await refusal(client.stopPipelineExecution(stop))).toContain('PipelineExecutionNotStoppableException');
  expect(await refusal(client.stopPipelineExecution({ ...stop, pipelineExecutionId: randomUUID() }))).toContain(
    'PipelineExecutionNotStoppableException',
  );
  await client.retryStageExecution({ ...stop, stageName: 'Gate', retryMode: 'ALL_ACTIONS' });
  await settled();
  expect(await tokenOf(name, 'Gate')).not.toBe(token);
});

test('a disabled transition holds, tells who and why, and lets the newest in when enabled (CP 2.5)', async () => {
  const { name, pipelineName } = await created(declare({ Build: { Unit: {} } }));
  const setting = { pipelineName, stageName: 'Build', transitionType: 'Inbound' } as const;
  expect((await stageOf(name, 'Build')).inboundTransitionState).toEqual({ enabled: true });
  expect(await refusal(client.disableStageTransition({ ...setting, reason: 'a, b' }))).toContain('ValidationException');
  expect(await refusal(client.disableStageTransition({ ...setting, stageName: 'No', reason: 'x' }))).toContain(
    'StageNotFoundException',
  );
  await client.disableStageTransition({ ...setting, reason: 'freeze' });
  await client.disableStageTransition({ ...setting, reason: 'freeze' });
  const [older, newer] = [await start(name), await start(name)];
  await settled();
  expect((await statuses(name)).slice(0, 2)).toEqual(['InProgress', 'Superseded']);
  const held = await stageOf(name, 'Build');
  expect(held.inboundTransitionState).toMatchObject({ enabled: false, disabledReason: 'freeze' });
  expect(held.inboundTransitionState?.lastChangedBy).toContain(bench.admin.accessKeyId);
  expect(held.inboundExecutions?.map((one) => one.pipelineExecutionId)).toEqual([newer]);
  await client.enableStageTransition(setting);
  await settled();
  expect((await stageOf(name, 'Build')).latestExecution).toEqual({ pipelineExecutionId: newer, status: 'Succeeded' });
  expect(older).not.toBe(newer);
});

test('a rollback is a new execution of one stage, and every wrong target has its own error (CP-X-51, CP-X-53, CP-X-56)', async () => {
  const { name, pipelineName, first } = await created(declare({ Build: { Unit: {} }, Ship: { Out: {} } }));
  await start(name);
  await settled();
  const asked = { pipelineName, stageName: 'Build', targetPipelineExecutionId: first };
  const candidates = await client.listPipelineExecutions({
    pipelineName,
    filter: { succeededInStage: { stageName: 'Build' } },
  });
  expect(candidates.pipelineExecutionSummaries).toHaveLength(2);
  const { pipelineExecutionId } = await client.rollbackStage(asked);
  await settled();
  const back = await client.getPipelineExecution({ pipelineName, pipelineExecutionId: pipelineExecutionId! });
  expect(back.pipelineExecution).toMatchObject({
    status: 'Succeeded',
    executionType: 'ROLLBACK',
    rollbackMetadata: { rollbackTargetPipelineExecutionId: first },
    trigger: { triggerType: 'ManualRollback' },
  });
  expect((await stageOf(name, 'Build')).latestExecution).toMatchObject({ pipelineExecutionId, type: 'ROLLBACK' });
  expect((await stageOf(name, 'Ship')).latestExecution?.pipelineExecutionId).not.toBe(pipelineExecutionId);
  const wrong = (change: object) => refusal(client.rollbackStage({ ...asked, ...change }));
  expect(await wrong({ targetPipelineExecutionId: randomUUID() })).toContain('PipelineExecutionNotFoundException');
  expect(await wrong({ targetPipelineExecutionId: 'x' })).toContain('ValidationException');
  expect(await wrong({ targetPipelineExecutionId: pipelineExecutionId })).toContain('UnableToRollbackStageException');
  expect(await wrong({ stageName: 'Nowhere' })).toContain('StageNotFoundException');
  await client.updatePipeline({ pipeline: (await client.getPipeline({ name })).pipeline! });
  expect(await wrong({})).toContain('PipelineExecutionOutdatedException');
});

test('long history comes in pages, newest first, also through the paginator of the SDK (CP-X-70, CP-W-10)', async () => {
  const { name, pipelineName } = await created(declare({ Build: { Unit: {} } }));
  for (let n = 0; n < 5; n += 1) await start(name);
  await settled();
  const sizes = [];
  const ids: string[] = [];
  for await (const page of paginateListPipelineExecutions({ client, pageSize: 2 }, { pipelineName })) {
    sizes.push(page.pipelineExecutionSummaries!.length);
    ids.push(...page.pipelineExecutionSummaries!.map((one) => one.pipelineExecutionId!));
  }
  expect(sizes).toEqual([2, 2, 2]);
  expect(new Set(ids).size).toBe(6);
  const first = await client.listActionExecutions({ pipelineName, maxResults: 4 });
  const second = await client.listActionExecutions({ pipelineName, maxResults: 4, nextToken: first.nextToken! });
  const seen = [...first.actionExecutionDetails!, ...second.actionExecutionDetails!].map(
    (one) => one.actionExecutionId,
  );
  expect(new Set(seen).size).toBe(8);
  const times = [...first.actionExecutionDetails!, ...second.actionExecutionDetails!].map((one) =>
    one.startTime!.getTime(),
  );
  expect(times).toEqual(times.toSorted((a, b) => b - a));
  const unknown = { filter: { pipelineExecutionId: randomUUID() } };
  expect(await refusal(client.listActionExecutions({ pipelineName, ...unknown }))).toContain(
    'PipelineExecutionNotFoundException',
  );
  const other = { pipelineName, nextToken: first.nextToken!, filter: { pipelineExecutionId: ids[0]! } };
  expect(await refusal(client.listActionExecutions(other))).toContain('InvalidNextTokenException');
});

test('an entry condition that is not met fails the stage; an override lets it run (CP-C-9 to C-12)', async () => {
  const check = {
    name: 'IsGreen',
    ruleTypeId: { category: 'Rule', owner: 'AWS', provider: 'VariableCheck', version: '1' },
    configuration: { Variable: '#{variables.Color}', Value: 'green', Operator: 'EQ' },
  } as const;
  const pipeline = declare({ Build: { Unit: {} } }, { variables: [{ name: 'Color', defaultValue: 'red' }] });
  const unlike = { ...check, name: 'IsNotGreen', configuration: { ...check.configuration, Operator: 'NE' } };
  pipeline.stages![1]!.beforeEntry = { conditions: [{ result: 'FAIL', rules: [check] }] };
  pipeline.stages![1]!.onSuccess = { conditions: [{ result: 'FAIL', rules: [unlike] }] };
  const { name, pipelineName, first } = await created(pipeline);
  expect(await statuses(name)).toEqual(['Failed']);
  const state = (await stageOf(name, 'Build')).beforeEntryConditionState;
  expect(state?.latestExecution?.status).toBe('Failed');
  expect(state?.conditionStates?.[0]?.ruleStates?.[0]).toMatchObject({
    ruleName: 'IsGreen',
    latestExecution: { status: 'Failed' },
  });
  expect((await stageOf(name, 'Build')).onSuccessConditionState).toEqual({
    conditionStates: [{ ruleStates: [{ ruleName: 'IsNotGreen' }] }],
  });
  const { ruleExecutionDetails } = await client.listRuleExecutions({ pipelineName });
  expect(ruleExecutionDetails).toMatchObject([
    {
      pipelineExecutionId: first,
      stageName: 'Build',
      ruleName: 'IsGreen',
      status: 'Failed',
      input: { resolvedConfiguration: { Variable: 'red' } },
    },
  ]);
  const override = {
    pipelineName,
    stageName: 'Build',
    pipelineExecutionId: first,
    conditionType: 'BEFORE_ENTRY',
  } as const;
  expect(await refusal(client.overrideStageCondition({ ...override, conditionType: 'ON_SUCCESS' }))).toContain(
    'ConditionNotOverridableException',
  );
  await client.overrideStageCondition(override);
  await settled();
  expect(await statuses(name)).toEqual(['Succeeded']);
  expect((await stageOf(name, 'Build')).beforeEntryConditionState?.latestExecution?.status).toBe('Overridden');
});

test('the fifty-first live execution of a PARALLEL pipeline is refused (CP-X-10)', async () => {
  const { name } = await created(declare({ Gate: { Approve: approval } }, { executionMode: 'PARALLEL' }));
  await Promise.all(Array.from({ length: 49 }, () => start(name)));
  expect(await refusal(start(name))).toContain('ConcurrentPipelineExecutionsLimitExceededException');
});

test('one client token from many callers at once is one execution (CP-X-8)', async () => {
  const { name } = await created(declare({ Build: { Unit: {} } }));
  const clientRequestToken = randomUUID();
  const started = Array.from({ length: 8 }, () => client.startPipelineExecution({ name, clientRequestToken }));
  const ids = (await Promise.all(started)).map(({ pipelineExecutionId }) => pipelineExecutionId);
  expect(new Set(ids).size).toBe(1);
  await settled();
  expect(await summaries(name)).toHaveLength(2);
});
