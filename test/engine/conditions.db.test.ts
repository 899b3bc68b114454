import { expect, test } from 'vitest';
import { listRuleExecutions } from '../../src/db/rule-executions.ts';
import { pollRule } from '../../src/engine/embedded/run-rule.ts';
import { runEffect } from '../../src/engine/embedded/run-effect.ts';
import type { Condition } from '../../src/pipeline/definition.ts';
import { laneKey, type ExecutionId } from '../../src/pipeline/execution.ts';
import { testDatabase } from '../database.ts';
import { aCondition, aPipeline, withStage } from './a-pipeline.ts';
import { engineBench, repository } from './engine-bench.ts';

const database = await testDatabase();
const { db } = database;
const bench = await engineBench(database);
const by = { kind: 'person', id: 2, login: 'reviewer' } as const;

const plain = aPipeline({
  Source: { Checkout: { provider: 'CodeStarSourceConnection', namespace: 'Source' } },
  Deploy: { Ship: {} },
  After: { Tell: {} },
});
bench.answers['Checkout'] = () => ({ kind: 'succeeded', outputVariables: { BranchName: 'main' } });

let pullRequest = 0;

/** Runs the plain pipeline with this condition of the stage Deploy, in a lane of its own, until nothing moves. */
async function runWith(kind: 'beforeEntry' | 'onSuccess' | 'onFailure', condition: Condition): Promise<ExecutionId> {
  pullRequest += 1;
  const id = await bench.start(withStage(plain, 'Deploy', { [kind]: { conditions: [condition] } }), { pullRequest });
  await bench.settled();
  return id;
}

async function ranBy(execution: ExecutionId): Promise<readonly string[]> {
  await bench.settled();
  return bench.started.filter((one) => one.execution === execution).map((one) => one.declaration.name);
}

async function ruleOf(execution: ExecutionId): Promise<{ status: string; errored: boolean; text: string }> {
  const [row] = await listRuleExecutions(db, execution);
  const { status, errored, error, summary } = row!.state;
  return { status, errored: errored ?? false, text: error?.message ?? summary ?? '' };
}

const onBranch = (branch: string): Condition['rules'] =>
  aCondition('FAIL', {
    Branch: {
      provider: 'VariableCheck',
      configuration: { Variable: '#{Source.BranchName}', Value: branch, Operator: 'EQ' },
    },
  }).rules;

test('a rule reads variables of earlier actions; what holds lets the execution in (CP-C-1, CP-V-5)', async () => {
  const id = await runWith('beforeEntry', { result: 'FAIL', rules: onBranch('main') });
  expect(await bench.status(id)).toBe('Succeeded');
  expect(await ruleOf(id)).toEqual({ status: 'Succeeded', errored: false, text: "'main' EQ 'main' holds." });
  const [row] = await listRuleExecutions(db, id);
  expect(row?.input?.resolvedConfiguration['Variable']).toBe('main');
  expect(row?.input?.configuration['Variable']).toBe('#{Source.BranchName}');
});

test('an entry condition that is not met fails the stage before any action (CP-C-2, CP-C-6)', async () => {
  const id = await runWith('beforeEntry', { result: 'FAIL', rules: onBranch('release') });
  expect(await bench.status(id)).toBe('Failed');
  expect(await ranBy(id)).toEqual(['Checkout']);
});

test('with SKIP the stage is left out and the execution goes on (CP-C-5)', async () => {
  const id = await runWith('beforeEntry', { result: 'SKIP', rules: onBranch('release') });
  expect(await bench.status(id)).toBe('Succeeded');
  expect(await ranBy(id)).toEqual(['Checkout', 'Tell']);
});

test('a rule whose variable nobody sets could not be judged, which counts as failed (CP-C-8, CP-V-6)', async () => {
  const rules = onBranch('main').map((rule) => ({
    ...rule,
    configuration: { ...rule.configuration, Variable: '#{Source.Nobody}' },
  }));
  const id = await runWith('beforeEntry', { result: 'FAIL', rules });
  expect(await bench.status(id)).toBe('Failed');
  expect(await ruleOf(id)).toMatchObject({ status: 'Failed', errored: true });
});

test('retry of the stage judges its entry condition again, and the history keeps both answers (CP-C-6, CP-C-9)', async () => {
  const id = await runWith('beforeEntry', { result: 'FAIL', rules: onBranch('release') });
  const { lane } = await bench.read(id);
  await bench.engine.obey({ kind: 'retry', lane, execution: id, stage: 'Deploy', mode: 'ALL_ACTIONS' }, by);
  await bench.settled();
  const rows = await listRuleExecutions(db, id);
  expect(rows.map((row) => [row.attempt, row.status])).toEqual([
    [2, 'Failed'],
    [1, 'Failed'],
  ]);
});

const window = aCondition('FAIL', {
  Hours: { provider: 'DeploymentWindow', configuration: { Cron: '0 0 9-17 ? * MON-FRI *', TimeZone: 'UTC' } },
});

test('outside its window a stage waits, and opens by itself when the time comes (CP 2.10)', async () => {
  const sunday = Date.UTC(2027, 0, 3, 12);
  bench.shiftMs = sunday - Date.now();
  const id = await runWith('beforeEntry', window);
  expect(await ruleOf(id)).toMatchObject({ status: 'InProgress', text: expect.stringContaining('Waiting') });
  const jobs = await db.selectFrom('jobs').select('dedupe_key').where('kind', '=', 'poll-rule').execute();
  const [rule] = await listRuleExecutions(db, id);
  expect(jobs).toContainEqual({ dedupe_key: `poll-rule/${rule!.id}` });
  expect(await pollRule(bench.runner, id, rule!.id)).toEqual({ againAfterMs: expect.any(Number) });
  bench.shiftMs += 24 * 60 * 60_000;
  expect(await pollRule(bench.runner, id, rule!.id)).toBeUndefined();
  await bench.settled();
  expect(await bench.status(id)).toBe('Succeeded');
  bench.shiftMs = 0;
});

test('an override lets the execution in while the window is closed (CP-C-10)', async () => {
  bench.shiftMs = Date.UTC(2027, 0, 3, 12) - Date.now();
  const id = await runWith('beforeEntry', window);
  const { lane } = await bench.read(id);
  const override = { kind: 'override', lane, execution: id, stage: 'Deploy', condition: 'BEFORE_ENTRY' } as const;
  expect(await bench.engine.obey(override, by)).toEqual({ outcome: 'done' });
  await bench.settled();
  expect(await bench.status(id)).toBe('Succeeded');
  expect(await ruleOf(id)).toMatchObject({ status: 'Abandoned' });
  bench.shiftMs = 0;
});

test('a window that does not open in time fails the stage (CP-C-13)', async () => {
  bench.shiftMs = Date.UTC(2027, 0, 3, 12) - Date.now();
  const id = await runWith('beforeEntry', window);
  const [row] = await listRuleExecutions(db, id);
  const at = { execution: id, stage: 'Deploy', condition: 'beforeEntry', rule: 'Hours', attempt: 1 } as const;
  await runEffect(bench.runner, {
    kind: 'watch-rule-deadline',
    ...at,
    id: row!.state.id,
    at: row!.state.deadline ?? '',
  });
  await bench.settled();
  expect(await bench.status(id)).toBe('Failed');
  expect(await ruleOf(id)).toMatchObject({ status: 'Failed', text: 'The rule Hours was not met in time.' });
  bench.shiftMs = 0;
});

test('the work of a rule that ran out of time is stopped also where the stage is retried at once (CP-C-13, CP-X-50)', async () => {
  // Asked again when it is polled: the first attempt goes on whenever that is.
  bench.answers['Smoke'] = ({ attempt }) =>
    attempt === 1
      ? { kind: 'running', externalId: 'x', pollAfterMs: 600_000 }
      : { kind: 'succeeded', outputVariables: {} };
  const smoke = aCondition('FAIL', { Smoke: { provider: 'Commands', commands: ['true'] } });
  const deploy = { onSuccess: { conditions: [smoke] }, onFailure: { result: 'RETRY' } } as const;
  const id = await bench.start(withStage(plain, 'Deploy', deploy), { pullRequest: 70 });
  await bench.settled();
  const [row] = await listRuleExecutions(db, id);
  const at = { execution: id, stage: 'Deploy', condition: 'onSuccess', rule: 'Smoke', attempt: 1 } as const;
  await runEffect(bench.runner, { kind: 'watch-rule-deadline', ...at, id: row!.state.id, at: row!.state.deadline! });
  await bench.settled();
  expect(await bench.status(id)).toBe('Succeeded');
  expect(bench.stopped).toEqual([`${id}/Deploy/onSuccess.Smoke/1`]);
  delete bench.answers['Smoke'];
});

test('Commands and CodeBuild rules run as actions of these types do, with a log of their own (CP 2.10)', async () => {
  const rules = {
    Smoke: { provider: 'Commands', commands: ['./smoke.sh #{Source.BranchName}'] },
    Load: { provider: 'CodeBuild', configuration: { ProjectName: 'load' } },
  };
  let looks = 0;
  bench.answers['Load'] = ({ log }) => {
    log.write('under load\n');
    looks += 1;
    return looks < 2
      ? { kind: 'running', externalId: 'build-1', pollAfterMs: 10 }
      : { kind: 'succeeded', outputVariables: {}, externalId: 'build-1' };
  };
  const id = await runWith('onSuccess', aCondition('FAIL', rules));
  await expect.poll(() => bench.status(id)).toBe('Succeeded');
  const smoke = bench.started.find((one) => one.execution === id && one.declaration.name === 'Smoke');
  expect(smoke?.declaration.commands).toEqual(['./smoke.sh main']);
  expect(smoke?.token).toBe(`${id}/Deploy/onSuccess.Smoke/1`);
  expect(smoke?.declaration.actionTypeId).toEqual({
    category: 'Compute',
    owner: 'AWS',
    provider: 'Commands',
    version: '1',
  });
  const rows = await listRuleExecutions(db, id);
  expect(rows.find((row) => row.rule === 'Load')?.state.externalExecutionId).toBe('build-1');
  expect(smoke?.actionExecution).toBe(rows.find((row) => row.rule === 'Smoke')?.id);
});

test('a failing command after success fails the stage although its actions succeeded (CP-C-7)', async () => {
  bench.answers['Smoke'] = () => ({ kind: 'failed', error: { code: 'JobFailed', message: 'exit status 1' } });
  const id = await runWith('onSuccess', aCondition('FAIL', { Smoke: { provider: 'Commands', commands: ['false'] } }));
  expect(await bench.status(id)).toBe('Failed');
  expect(await ranBy(id)).toEqual(['Checkout', 'Ship', 'Smoke']);
  expect(await ruleOf(id)).toEqual({ status: 'Failed', errored: false, text: 'exit status 1' });
  delete bench.answers['Smoke'];
});

test('without AWS access, alarms and functions cannot be judged, and the text says what to do (CP-C-8)', async () => {
  const alarm = aCondition('FAIL', { Calm: { provider: 'CloudWatchAlarm', configuration: { AlarmName: 'errors' } } });
  const id = await runWith('beforeEntry', alarm);
  expect(await ruleOf(id)).toMatchObject({ errored: true, text: expect.stringContaining('need AWS access') });
  const lambda = aCondition('FAIL', { Ask: { provider: 'LambdaInvoke', configuration: { FunctionName: 'ask' } } });
  const other = await runWith('beforeEntry', lambda);
  expect(await ruleOf(other)).toMatchObject({ errored: true, text: expect.stringContaining('need AWS access') });
});

test('an alarm is waited for, and a missing one is an error (CP 2.10)', async () => {
  let state: 'ALARM' | 'OK' = 'ALARM';
  bench.aws.alarmState = ({ alarm }) => Promise.resolve(alarm === 'errors' ? state : 'missing');
  const calm = (AlarmName: string): Condition =>
    aCondition('FAIL', { Calm: { provider: 'CloudWatchAlarm', configuration: { AlarmName, WaitTime: '5' } } });
  const id = await runWith('beforeEntry', calm('errors'));
  expect(await ruleOf(id)).toMatchObject({ status: 'InProgress' });
  state = 'OK';
  const [row] = await listRuleExecutions(db, id);
  await pollRule(bench.runner, id, row!.id);
  await bench.settled();
  expect(await bench.status(id)).toBe('Succeeded');
  expect(await ruleOf(await runWith('beforeEntry', calm('nobody')))).toEqual({
    status: 'Failed',
    errored: true,
    text: "There is no alarm named 'nobody'.",
  });
  delete bench.aws.alarmState;
});

test('facts of a stopped execution change nothing any more', async () => {
  bench.shiftMs = Date.UTC(2027, 0, 3, 12) - Date.now();
  const id = await runWith('beforeEntry', window);
  const lane = laneKey(repository.id, 'web', pullRequest);
  await bench.engine.obey({ kind: 'stop', lane, execution: id, abandon: true }, by);
  await bench.settled();
  expect(await bench.status(id)).toBe('Stopped');
  bench.shiftMs += 24 * 60 * 60_000;
  const [row] = await listRuleExecutions(db, id);
  expect(await pollRule(bench.runner, id, row!.id)).toBeUndefined();
  expect(await bench.status(id)).toBe('Stopped');
  bench.shiftMs = 0;
});
