import { beforeEach, expect, test } from 'vitest';
import { TransientError } from '../../src/errors.ts';
import { laneKey, type ExecutionId } from '../../src/pipeline/execution.ts';
import { executionIdFor } from '../../src/pipeline/ids.ts';
import { testDatabase } from '../database.ts';
import type { OnRecord } from '../engine/contract.ts';
import { repository } from '../engine/engine-bench.ts';
import { pipeline } from '../pipeline/pipelines.ts';
import type { WireAnswer, WireCall } from './aws-wire.ts';
import { doorWorld } from './door-world.ts';

/** What happens to calls on their way, over real HTTP: `lost` happened and its answer never arrives. */
type Fault = { readonly operation: string; left: number; readonly answer: 'lost' | WireAnswer };

const faults: Fault[] = [];
const calls: { readonly operation: string; readonly input: object }[] = [];
let throughDoor: WireCall = () => Promise.reject(new Error('no door yet'));

const world = await doorWorld({
  behind: await testDatabase(),
  own: await testDatabase(),
  everyMs: 20_000,
  looks: 4,
  between: (door) => {
    throughDoor = door;
    return {
      changed: () => Promise.resolve(),
      call: async (operation, input) => {
        calls.push({ operation, input });
        const fault = faults.find((one) => one.left > 0 && operation.startsWith(one.operation));
        if (!fault) return door(operation, input);
        fault.left -= 1;
        if (fault.answer !== 'lost') return fault.answer;
        await door(operation, input);
        throw new Error('the connection breaks');
      },
    };
  },
});

beforeEach(() => {
  faults.length = 0;
  calls.length = 0;
});

const gated = { Source: ['App'], Gate: ['Approve!'] };
const plain = { Source: ['App'], Build: ['Unit'] };
const built = (name: string) => pipeline({ name, stages: name === 'lost-approval' ? gated : plain });
const throttled = { status: 400, body: JSON.stringify({ __type: 'ThrottlingException', message: 'Rate exceeded' }) };
const by = { kind: 'person', id: 2, login: 'reviewer' } as const;

async function started(name: string): Promise<ExecutionId> {
  await world.declare(name, built(name));
  return world.start(
    name,
    {
      kind: 'start',
      execution: name as ExecutionId,
      definition: built(name).definition,
      digest: '',
      trigger: { type: 'WebhookV2', detail: '' },
      sourceRevisions: [{ actionName: 'App', revisionId: 'a'.repeat(40) }],
      variables: [],
    },
    name,
  );
}

async function statusOf(name: string): Promise<string | undefined> {
  return (await world.records(name))[0]?.status;
}

async function listed(name: string): Promise<readonly { trigger: { triggerType: string } }[]> {
  const { body } = await throughDoor('ListPipelineExecutions', { pipelineName: name });
  const all = JSON.parse(body) as { pipelineExecutionSummaries: { trigger: { triggerType: string } }[] };
  return all.pipelineExecutionSummaries.filter(({ trigger }) => trigger.triggerType !== 'CreatePipeline');
}

function isStarted([record]: readonly OnRecord[]): boolean {
  return record?.execution.stages[0]?.stage === 'Source';
}

test('a start whose answers are lost again and again is one execution, by our own token (CP-X-8)', async () => {
  faults.push({ operation: 'StartPipelineExecution', left: 5, answer: 'lost' });
  const id = await started('lost-start');
  expect(await listed('lost-start')).toHaveLength(1);
  await world.settle('lost-start', isStarted);
  await world.settle('lost-start', isStarted);
  expect(await listed('lost-start')).toHaveLength(1);
  expect((await world.running(id))?.stages.map((run) => run.stage)).toEqual(['Source']);
  const starts = calls.filter(({ operation }) => operation === 'StartPipelineExecution');
  expect(starts.length).toBeGreaterThan(5);
  expect(new Set(starts.map(({ input }) => (input as { clientRequestToken: string }).clientRequestToken))).toEqual(
    new Set([id]),
  );
});

test('a storm of throttling bothers nobody: the record stands as it was, and goes on after it', async () => {
  const id = await started('storm');
  await world.settle('storm', isStarted);
  const action = (await world.running(id))?.stages[0]?.actions[0]?.id;
  await world.tell({ kind: 'action-succeeded', execution: id, action: action! });
  const before = await world.records('storm');
  faults.push({ operation: '', left: 3, answer: throttled });
  await expect(world.settle('storm', () => true)).rejects.toBeInstanceOf(TransientError);
  expect(await world.records('storm')).toEqual(before);
  faults.length = 0;
  await world.settle('storm', ([record]) => record?.execution.stages[1]?.stage === 'Build');
  expect(await statusOf('storm')).toBe('InProgress');
});

test('a start that meets a storm is made when it is over', async () => {
  faults.push({ operation: 'StartPipelineExecution', left: 3, answer: throttled });
  await started('storm-start');
  expect(await listed('storm-start')).toHaveLength(0);
  expect(await statusOf('storm-start')).toBe('InProgress');
  await world.settle('storm-start', isStarted);
  await world.settle('storm-start', isStarted);
  expect(await listed('storm-start')).toHaveLength(1);
});

test('a rollback whose answer is lost is sent once, and found again when the command comes back (CP-O-3)', async () => {
  const target = await started('lost-rollback');
  const lane = laneKey(repository.id, 'lost-rollback');
  for (const stage of ['Source', 'Build']) {
    const action = (await world.running(target))?.stages.find((run) => run.stage === stage)?.actions[0]?.id;
    await world.tell({ kind: 'action-succeeded', execution: target, action: action! });
    await world.settle('lost-rollback', () => false);
  }
  expect(await statusOf('lost-rollback')).toBe('Succeeded');
  faults.push({ operation: 'RollbackStage', left: 1, answer: 'lost' });
  const execution = executionIdFor('the rollback');
  const command = { kind: 'rollback', lane, stage: 'Build', execution, target } as const;
  await expect(world.obey(command, by)).rejects.toBeInstanceOf(TransientError);
  expect(await world.obey(command, by)).toEqual({ outcome: 'done' });
  expect(calls.filter(({ operation }) => operation === 'RollbackStage')).toHaveLength(1);
  expect((await world.running(execution))?.type).toBe('ROLLBACK');
});

test('an approval whose answer is lost is sent once, and is that person’s when the command comes back (CP-O-3)', async () => {
  const execution = await started('lost-approval');
  const lane = laneKey(repository.id, 'lost-approval');
  await world.settle('lost-approval', isStarted);
  const action = (await world.running(execution))?.stages[0]?.actions[0]?.id;
  await world.tell({ kind: 'action-succeeded', execution, action: action! });
  await world.settle('lost-approval', ([record]) => record?.waiting === true);
  const token = (await world.running(execution))?.stages[1]?.actions[0]?.id ?? '';
  const command = {
    kind: 'approve',
    lane,
    execution,
    stage: 'Gate',
    action: 'Approve',
    token,
    summary: '@reviewer',
  } as const;
  faults.push({ operation: 'PutApprovalResult', left: 1, answer: 'lost' });
  await expect(world.obey(command, by)).rejects.toBeInstanceOf(TransientError);
  expect(await world.obey(command, by)).toEqual({ outcome: 'done' });
  await world.settle('lost-approval', ([record]) => record?.status === 'Succeeded');
  const [record] = await world.records('lost-approval');
  expect(record?.execution.stages[1]?.actions[0]).toMatchObject({ status: 'Succeeded', answeredBy: by });
});
