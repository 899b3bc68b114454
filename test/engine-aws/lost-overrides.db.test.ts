import { expect, test } from 'vitest';
import { TransientError } from '../../src/errors.ts';
import { readDeclaration } from '../../src/engine/aws/read-declaration.ts';
import { laneKey, type Actor, type ExecutionId } from '../../src/pipeline/execution.ts';
import { waitingApprovals } from '../../src/pipeline/status.ts';
import { testDatabase } from '../database.ts';
import { awsBench, repository, shop } from './bench.ts';
import { awsError } from './fake-aws.ts';

const bench = await awsBench(await testDatabase());
const { aws, engine } = bench;
const by = { kind: 'person', id: 2, login: 'reviewer' } as const;
const other = { kind: 'person', id: 3, login: 'other' } as const;
const lane = laneKey(repository.id, 'shop', 12);
const noAnswer = awsError('TimeoutError', 'no answer', 500);
let versions = 100;

/** A freeze holds the build back; ends with the execution that is held at it. */
async function toTheFreeze(sha: string, executionMode: 'SUPERSEDED' | 'PARALLEL' = 'SUPERSEDED') {
  const type = { category: 'Rule', owner: 'AWS', provider: 'DeploymentWindow', version: '1' } as const;
  const beforeEntry = { conditions: [{ result: 'FAIL', rules: [{ name: 'Freeze', ruleTypeId: type }] }] } as const;
  const stages = shop.stages?.map((stage) => (stage.name === 'Build' ? { ...stage, beforeEntry } : stage));
  const version = (versions += 1);
  const frozen = { ...shop, version, executionMode, stages } as typeof shop;
  aws.declare(frozen);
  const id = await engine.start({ ...bench.request({ sha }), definition: readDeclaration(frozen) });
  const running = await bench.running(id);
  await engine.refresh(id);
  expect((await bench.record(id)).status).toBe('Failed');
  const override = { kind: 'override', lane, execution: id, stage: 'Build', condition: 'BEFORE_ENTRY' } as const;
  return { id, running, override };
}
async function overriddenBy(id: ExecutionId): Promise<Actor | undefined> {
  const { execution } = await bench.record(id);
  return execution.stages.find(({ stage }) => stage === 'Build')?.conditions?.beforeEntry?.overridden?.by;
}

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
