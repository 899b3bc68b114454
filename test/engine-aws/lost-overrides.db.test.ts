import { expect, test } from 'vitest';
import { TransientError } from '../../src/errors.ts';
import { waitingApprovals } from '../../src/pipeline/status.ts';
import { testDatabase } from '../database.ts';
import { by, lostAnswerBench, noAnswer, other } from './lost-answer-bench.ts';

const bench = await lostAnswerBench(await testDatabase());
const { aws, engine, overriddenBy, toTheFreeze } = bench;

test('in PARALLEL mode no read names the condition: a lost override is recognized by what it let in', async () => {
  const { id, running, override } = await toTheFreeze('0d'.repeat(20), 'PARALLEL');
  const before = bench.count('OverrideStageCondition');
  aws.fault('OverrideStageCondition', noAnswer, { after: true });
  await expect(engine.obey(override, by)).rejects.toBeInstanceOf(TransientError);
  expect(await engine.obey(override, by)).toEqual({ outcome: 'done' });
  expect(bench.count('OverrideStageCondition')).toBe(before + 1);
  expect((await bench.record(id)).status).toBe('InProgress');
  aws.finish(running, 'Lint', 'Succeeded');
  aws.finish(running, 'Unit', 'Succeeded');
  await engine.refresh(id);
  expect(waitingApprovals((await bench.record(id)).execution)).toHaveLength(1);
});

test('an override whose answer was lost is one override, by whoever asked for it, and the stage goes on (CP-O-3)', async () => {
  const { id, running, override } = await toTheFreeze('0c'.repeat(20));
  const before = bench.count('OverrideStageCondition');
  aws.fault('OverrideStageCondition', noAnswer, { after: true });
  await expect(engine.obey(override, by)).rejects.toBeInstanceOf(TransientError);
  expect(running.actions.filter(({ stage }) => stage === 'Build')).toHaveLength(2);
  // Seen before the command is repeated: AWS does not name who it was.
  await engine.refresh(id);
  expect(await overriddenBy(id)).toEqual(by);
  expect(await engine.obey(override, by)).toEqual({ outcome: 'done' });
  expect(bench.count('OverrideStageCondition')).toBe(before + 1);
  expect((await bench.record(id)).status).toBe('InProgress');
  // Answered now: CodePipeline has the say about a further one, and it stays theirs.
  expect(await engine.obey(override, other)).toMatchObject({
    refusal: { exception: 'ConditionNotOverridableException' },
  });
  await engine.refresh(id);
  expect(await overriddenBy(id)).toEqual(by);
});

test('an override that never arrived, and that another person made meanwhile, is theirs and is told as refused (SEC-T-09)', async () => {
  const { id, override } = await toTheFreeze('0e'.repeat(20));
  const before = bench.count('OverrideStageCondition');
  aws.fault('OverrideStageCondition', noAnswer);
  await expect(engine.obey(override, by)).rejects.toBeInstanceOf(TransientError);
  expect(await engine.obey(override, other)).toEqual({ outcome: 'done' });
  bench.pass(31_000);
  expect(await engine.obey(override, by)).toMatchObject({
    refusal: { exception: 'ConditionNotOverridableException' },
  });
  expect(bench.count('OverrideStageCondition')).toBe(before + 3);
  await engine.refresh(id);
  expect(await overriddenBy(id)).toEqual(other);
});
