import { readDeclaration } from '../../src/engine/aws/read-declaration.ts';
import { laneKey, type Actor, type ExecutionId } from '../../src/pipeline/execution.ts';
import { waitingApprovals } from '../../src/pipeline/status.ts';
import type { TestDatabase } from '../database.ts';
import { awsBench, repository, shop } from './bench.ts';
import { awsError } from './fake-aws.ts';

export const by = { kind: 'person', id: 2, login: 'reviewer' } as const;
export const other = { kind: 'person', id: 3, login: 'other' } as const;
export const noAnswer = awsError('TimeoutError', 'no answer', 500);
export const lane = laneKey(repository.id, 'shop', 12);

/** Executions that stand where a person has to do something, each with the command for it. */
export async function lostAnswerBench(database: TestDatabase) {
  const bench = await awsBench(database);
  const { aws, engine } = bench;

  async function failed(sha: string) {
    const id = await bench.start({ sha });
    const running = await bench.running(id);
    aws.finish(running, 'Lint', 'Succeeded');
    aws.finish(running, 'Unit', 'Failed');
    await engine.refresh(id);
    const retry = { kind: 'retry', lane, execution: id, stage: 'Build', mode: 'FAILED_ACTIONS' } as const;
    return { id, running, retry };
  }

  async function toTheGate(sha: string) {
    const id = await bench.start({ sha });
    const running = await bench.running(id);
    aws.finish(running, 'Unit', 'Succeeded');
    aws.finish(running, 'Lint', 'Succeeded');
    await engine.refresh(id);
    const [gate] = waitingApprovals((await bench.record(id)).execution);
    if (!gate) throw new Error('the gate does not wait');
    const { stage, action, token } = gate;
    const approve = { kind: 'approve', lane, execution: id, stage, action, token, summary: '@reviewer' } as const;
    return { id, running, gate, approve };
  }

  /** A freeze holds the build back. Each call declares a version of its own: one that is known is not read again. */
  async function toTheFreeze(sha: string, executionMode: 'SUPERSEDED' | 'PARALLEL' = 'SUPERSEDED') {
    const type = { category: 'Rule', owner: 'AWS', provider: 'DeploymentWindow', version: '1' } as const;
    const beforeEntry = { conditions: [{ result: 'FAIL', rules: [{ name: 'Freeze', ruleTypeId: type }] }] } as const;
    const stages = shop.stages?.map((stage) => (stage.name === 'Build' ? { ...stage, beforeEntry } : stage));
    const frozen = { ...shop, version: Number.parseInt(sha.slice(0, 6), 16), executionMode, stages } as typeof shop;
    aws.declare(frozen);
    const id = await engine.start({ ...bench.request({ sha }), definition: readDeclaration(frozen) });
    const running = await bench.running(id);
    await engine.refresh(id);
    if ((await bench.record(id)).status !== 'Failed') throw new Error('the freeze did not hold it back');
    const override = { kind: 'override', lane, execution: id, stage: 'Build', condition: 'BEFORE_ENTRY' } as const;
    return { id, running, override };
  }

  async function overriddenBy(id: ExecutionId): Promise<Actor | undefined> {
    const { execution } = await bench.record(id);
    return execution.stages.find(({ stage }) => stage === 'Build')?.conditions?.beforeEntry?.overridden?.by;
  }

  return { ...bench, failed, toTheGate, toTheFreeze, overriddenBy };
}
