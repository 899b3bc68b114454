import { paginateListActionExecutions, paginateListPipelineExecutions } from '@aws-sdk/client-codepipeline';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { apiBench, reached } from '../codepipeline-api/api-bench.ts';
import { approval, declare } from '../codepipeline-api/declare.ts';

// The story of aws-cli.long.test.ts once more, told by the SDK: through the door alone, with no GitHub.

const warned: unknown[] = [];
const warn = (...words: unknown[]): void => void warned.push(words);
const quiet = (): void => {};
const logger = { trace: quiet, debug: quiet, info: quiet, warn, error: quiet };
const { client, store } = await apiBench({ logger });

beforeAll(() => void process.on('warning', warn));
afterAll(() => void process.off('warning', warn));

const name = 'web';
const pipelineName = name;
const gate = { pipelineName, stageName: 'Gate', actionName: 'Approve' } as const;

const declaration = declare(
  { Gate: { Approve: approval } },
  { name, variables: [{ name: 'COLOUR', defaultValue: 'red' }] },
);

/** The token of the gate, once it waits. */
function waiting(): Promise<string> {
  return vi.waitFor(
    async () => {
      const { stageStates } = await client.getPipelineState({ name });
      const { status, token } = stageStates![1]!.actionStates![0]!.latestExecution ?? {};
      if (status !== 'InProgress' || token === undefined) throw new Error(`the gate is ${status}`);
      return token;
    },
    { timeout: 30_000 },
  );
}

async function answer(status: 'Approved' | 'Rejected'): Promise<void> {
  const { approvedAt } = await client.putApprovalResult({
    ...gate,
    token: await waiting(),
    result: { status, summary: 'seen' },
  });
  expect(approvedAt).toBeInstanceOf(Date);
}

test('from an object in a bucket to a rollback: every operation that people need, and no warning', async () => {
  await store.putObject({ Bucket: 'sources', Key: 'app.zip', Body: 'bytes' });
  const { pipeline } = await client.createPipeline({ pipeline: declaration });
  expect(pipeline?.version).toBe(1);
  await answer('Approved');
  const [first] = (await client.listPipelineExecutions({ pipelineName })).pipelineExecutionSummaries!;
  await reached(client, name, first!.pipelineExecutionId!, 'Succeeded');

  const { pipelineExecutionId = '' } = await client.startPipelineExecution({
    name,
    variables: [{ name: 'COLOUR', value: 'blue' }],
  });
  await answer('Rejected');
  await reached(client, name, pipelineExecutionId, 'Failed');
  await client.retryStageExecution({
    pipelineName,
    pipelineExecutionId,
    stageName: 'Gate',
    retryMode: 'FAILED_ACTIONS',
  });
  await waiting();
  await client.stopPipelineExecution({ pipelineName, pipelineExecutionId, abandon: true, reason: 'enough' });
  await reached(client, name, pipelineExecutionId, 'Stopped');
  const rolledBack = await client.rollbackStage({
    pipelineName,
    stageName: 'Gate',
    targetPipelineExecutionId: first!.pipelineExecutionId,
  });
  await answer('Approved');
  await reached(client, name, rolledBack.pipelineExecutionId!, 'Succeeded');

  const transition = { pipelineName, stageName: 'Gate', transitionType: 'Inbound' } as const;
  await client.disableStageTransition({ ...transition, reason: 'freeze' });
  const held = (await client.getPipelineState({ name })).stageStates![1]!.inboundTransitionState;
  expect(held).toMatchObject({ enabled: false, disabledReason: 'freeze' });
  expect(held?.lastChangedAt).toBeInstanceOf(Date);
  await client.enableStageTransition(transition);
  const refused = client.overrideStageCondition({
    pipelineName,
    pipelineExecutionId,
    stageName: 'Gate',
    conditionType: 'BEFORE_ENTRY',
  });
  await expect(refused).rejects.toThrow(/ConditionNotOverridable|NotLatest|condition|execution/);

  const statuses: (string | undefined)[] = [];
  for await (const page of paginateListPipelineExecutions({ client, pageSize: 1 }, { pipelineName })) {
    expect(page.pipelineExecutionSummaries?.length).toBeLessThanOrEqual(1);
    statuses.push(...(page.pipelineExecutionSummaries ?? []).map(({ status }) => status));
  }
  expect(statuses).toEqual(['Succeeded', 'Stopped', 'Succeeded']);
  let actions = 0;
  for await (const page of paginateListActionExecutions({ client, pageSize: 2 }, { pipelineName })) {
    actions += page.actionExecutionDetails?.length ?? 0;
  }
  expect(actions).toBe(6);
  expect((await client.listRuleExecutions({ pipelineName })).ruleExecutionDetails).toEqual([]);
  expect((await client.listPipelines({})).pipelines).toMatchObject([{ name, version: 1, pipelineType: 'V2' }]);
  const got = await client.getPipeline({ name });
  expect(got.metadata?.created).toBeInstanceOf(Date);
  expect((await client.updatePipeline({ pipeline: got.pipeline })).pipeline?.version).toBe(2);
  await client.deletePipeline({ name });
  await expect(client.getPipelineState({ name })).rejects.toThrow("does not include a pipeline named 'web'");
  expect(warned).toEqual([]);
});
