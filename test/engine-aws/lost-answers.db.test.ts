import { expect, test } from 'vitest';
import { TransientError } from '../../src/errors.ts';
import { testDatabase } from '../database.ts';
import { awsError } from './fake-aws.ts';
import { by, lane, lostAnswerBench, noAnswer, other } from './lost-answer-bench.ts';

const bench = await lostAnswerBench(await testDatabase());
const { aws, engine, failed, toTheGate } = bench;

test('a retry whose answer was lost is recognized by what it began, and is one retry (CP-O-3)', async () => {
  const { id, retry } = await failed('01'.repeat(20));
  const before = bench.count('RetryStageExecution');
  aws.fault('RetryStageExecution', noAnswer, { after: true });
  await expect(engine.obey(retry, by)).rejects.toBeInstanceOf(TransientError);
  expect(await engine.obey(retry, by)).toEqual({ outcome: 'done' });
  expect(bench.count('RetryStageExecution')).toBe(before + 1);
  expect((await bench.record(id)).status).toBe('InProgress');
  // Answered now: the same words again are a new wish, and CodePipeline has the say.
  expect(await engine.obey(retry, by)).toMatchObject({ refusal: { exception: 'StageNotRetryableException' } });
});

test('a retry that took effect and has failed again meanwhile is not made a second time', async () => {
  const { id, running, retry } = await failed('02'.repeat(20));
  const before = bench.count('RetryStageExecution');
  aws.fault('RetryStageExecution', noAnswer, { after: true });
  await expect(engine.obey(retry, by)).rejects.toBeInstanceOf(TransientError);
  aws.finish(running, 'Unit', 'Failed');
  await engine.refresh(id);
  expect(await engine.obey(retry, by)).toEqual({ outcome: 'done' });
  expect(bench.count('RetryStageExecution')).toBe(before + 1);
  expect(running.actions.filter(({ action }) => action === 'Unit')).toHaveLength(2);
});

test('while reads are old nobody knows: nothing is called again until they show it (CP-X-69)', async () => {
  const { retry } = await failed('03'.repeat(20));
  const before = bench.count('RetryStageExecution');
  aws.lag(true);
  aws.fault('RetryStageExecution', noAnswer, { after: true });
  await expect(engine.obey(retry, by)).rejects.toBeInstanceOf(TransientError);
  bench.pass(5_000);
  await expect(engine.obey(retry, by)).rejects.toThrow('does not show yet whether it did it');
  aws.lag(false);
  expect(await engine.obey(retry, by)).toEqual({ outcome: 'done' });
  expect(bench.count('RetryStageExecution')).toBe(before + 1);
});

test('a call that never arrived is made again once reads would show it', async () => {
  const { retry, running } = await failed('04'.repeat(20));
  const before = bench.count('RetryStageExecution');
  aws.fault('RetryStageExecution', noAnswer);
  await expect(engine.obey(retry, by)).rejects.toBeInstanceOf(TransientError);
  await expect(engine.obey(retry, by)).rejects.toThrow('does not show yet');
  bench.pass(31_000);
  expect(await engine.obey(retry, by)).toEqual({ outcome: 'done' });
  expect(bench.count('RetryStageExecution')).toBe(before + 2);
  expect(running.status).toBe('InProgress');
});

test('throttled is an answer: nothing happened, and the next try asks at once', async () => {
  const { retry } = await failed('05'.repeat(20));
  const before = bench.count('RetryStageExecution');
  aws.fault('RetryStageExecution', awsError('ThrottlingException', 'Rate exceeded'));
  await expect(engine.obey(retry, by)).rejects.toBeInstanceOf(TransientError);
  expect(await engine.obey(retry, by)).toEqual({ outcome: 'done' });
  expect(bench.count('RetryStageExecution')).toBe(before + 2);
});

test.each([true, false])(
  'a stop (abandon: %s) whose answer was lost is one stop, by whoever asked for it, also when it was seen before the repeat',
  async (abandon) => {
    const id = await bench.start({ sha: (abandon ? '06' : '07').repeat(20) });
    await engine.refresh(id);
    const before = bench.count('StopPipelineExecution');
    const stop = { kind: 'stop', lane, execution: id, abandon, reason: 'wrong commit' } as const;
    aws.fault('StopPipelineExecution', noAnswer, { after: true });
    await expect(engine.obey(stop, by)).rejects.toBeInstanceOf(TransientError);
    await engine.refresh(id);
    expect(await engine.obey(stop, by)).toEqual({ outcome: 'done' });
    expect(bench.count('StopPipelineExecution')).toBe(before + 1);
    const { execution, status } = await bench.record(id);
    expect(status).toBe(abandon ? 'Stopped' : 'Stopping');
    expect(execution.stop).toMatchObject({ abandon, by, reason: 'wrong commit' });
    // Somebody else's is none of it: CodePipeline says no.
    if (abandon) expect(await engine.obey(stop, other)).toMatchObject({ outcome: 'refused' });
  },
);

test('abandoning what already stops is not taken for done because it was stopping before', async () => {
  const id = await bench.start({ sha: '08'.repeat(20) });
  await engine.refresh(id);
  const stop = { kind: 'stop', lane, execution: id, abandon: false } as const;
  await engine.obey(stop, by);
  await engine.refresh(id);
  aws.fault('StopPipelineExecution', noAnswer);
  await expect(engine.obey({ ...stop, abandon: true }, by)).rejects.toBeInstanceOf(TransientError);
  await expect(engine.obey({ ...stop, abandon: true }, by)).rejects.toThrow('does not show yet');
  bench.pass(31_000);
  expect(await engine.obey({ ...stop, abandon: true }, by)).toEqual({ outcome: 'done' });
  await engine.refresh(id);
  expect((await bench.record(id)).status).toBe('Stopped');
});

test('an approval whose answer was lost is that person’s, although the next execution stands at the gate by now', async () => {
  const { id, approve, running } = await toTheGate('09'.repeat(20));
  const before = bench.count('PutApprovalResult');
  aws.fault('PutApprovalResult', noAnswer, { after: true });
  await expect(engine.obey(approve, by)).rejects.toBeInstanceOf(TransientError);
  expect(running.status).toBe('Succeeded');
  await engine.refresh(id);
  expect((await bench.record(id)).execution.stages[2]?.actions[0]?.answeredBy).toEqual(by);
  await toTheGate('0a'.repeat(20));
  // Another vote came in between: other words, the same wish.
  expect(await engine.obey({ ...approve, summary: '@reviewer, @other' }, by)).toEqual({ outcome: 'done' });
  expect(bench.count('PutApprovalResult')).toBe(before + 1);
});

test('an approval without an answer that somebody in the console overtook is theirs, and is told as refused (SEC-T-09)', async () => {
  const { id, approve, running } = await toTheGate('0b'.repeat(20));
  const anna = 'arn:aws:iam::111122223333:user/anna';
  aws.fault('PutApprovalResult', noAnswer);
  await expect(engine.obey(approve, by)).rejects.toBeInstanceOf(TransientError);
  aws.finish(running, 'Approve', 'Succeeded', { updatedBy: anna, summary: '@reviewer' });
  bench.pass(31_000);
  expect(await engine.obey(approve, by)).toMatchObject({ outcome: 'refused' });
  await engine.refresh(id);
  const answered = (await bench.record(id)).execution.stages[2]?.actions[0]?.answeredBy;
  expect(answered).toEqual({ kind: 'api', arn: anna });
});
