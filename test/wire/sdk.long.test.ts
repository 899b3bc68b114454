import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CodePipeline,
  paginateListActionExecutions,
  paginateListPipelineExecutions,
  type PipelineDeclaration,
} from '@aws-sdk/client-codepipeline';
import { S3 } from '@aws-sdk/client-s3';
import pino from 'pino';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { defaultServerConfig } from '../../src/config/server.ts';
import { startApiServer, type ApiServer } from '../../src/main/api-server.ts';

// The story of aws-cli.long.test.ts once more, told by the SDK: through the door alone, with no GitHub.

const home = mkdtempSync(join(tmpdir(), 'penstock-sdk-'));
const warned: unknown[] = [];
const warn = (...words: unknown[]): void => void warned.push(words);
const quiet = (): void => {};
let server: ApiServer;
let client: CodePipeline;
let store: S3;

beforeAll(async () => {
  process.on('warning', warn);
  server = await startApiServer({
    home,
    server: { ...defaultServerConfig, embedded: { ...defaultServerConfig.embedded, isolation: 'process' } },
    secrets: [],
    host: '127.0.0.1',
    port: 0,
    anonymous: true,
    concurrency: 4,
    path: process.env['PATH'] ?? '',
    log: pino({ level: 'silent' }),
  });
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
  const logger = { trace: quiet, debug: quiet, info: quiet, warn, error: quiet };
  const options = { endpoint: server.url, region: 'us-east-1', credentials, logger, maxAttempts: 1 };
  client = new CodePipeline(options);
  store = new S3({ ...options, forcePathStyle: true });
});

afterAll(async () => {
  process.off('warning', warn);
  client.destroy();
  store.destroy();
  await server.stop(2_000);
  await rm(home, { recursive: true, force: true });
});

const name = 'web';
const pipelineName = name;
const gate = { pipelineName, stageName: 'Gate', actionName: 'Approve' } as const;

const declaration: PipelineDeclaration = {
  name,
  roleArn: 'arn:aws:iam::000000000000:role/p',
  artifactStore: { type: 'S3', location: 'artifacts' },
  pipelineType: 'V2',
  variables: [{ name: 'COLOUR', defaultValue: 'red' }],
  stages: [
    {
      name: 'Source',
      actions: [
        {
          name: 'Fetch',
          actionTypeId: { category: 'Source', owner: 'AWS', provider: 'S3', version: '1' },
          configuration: { S3Bucket: 'sources', S3ObjectKey: 'app.zip' },
          outputArtifacts: [{ name: 'App' }],
        },
      ],
    },
    {
      name: 'Gate',
      actions: [
        { name: 'Approve', actionTypeId: { category: 'Approval', owner: 'AWS', provider: 'Manual', version: '1' } },
      ],
    },
  ],
};

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

function reached(pipelineExecutionId: string, status: string): Promise<void> {
  return vi.waitFor(
    async () => {
      const { pipelineExecution } = await client.getPipelineExecution({ pipelineName, pipelineExecutionId });
      expect(pipelineExecution?.status).toBe(status);
    },
    { timeout: 30_000 },
  );
}

test('from an object in a bucket to a rollback: every operation that people need, and no warning', async () => {
  await store.putObject({ Bucket: 'sources', Key: 'app.zip', Body: 'bytes' });
  const { pipeline } = await client.createPipeline({ pipeline: declaration });
  expect(pipeline?.version).toBe(1);
  await answer('Approved');
  const [first] = (await client.listPipelineExecutions({ pipelineName })).pipelineExecutionSummaries!;
  await reached(first!.pipelineExecutionId!, 'Succeeded');

  const { pipelineExecutionId = '' } = await client.startPipelineExecution({
    name,
    variables: [{ name: 'COLOUR', value: 'blue' }],
  });
  await answer('Rejected');
  await reached(pipelineExecutionId, 'Failed');
  await client.retryStageExecution({
    pipelineName,
    pipelineExecutionId,
    stageName: 'Gate',
    retryMode: 'FAILED_ACTIONS',
  });
  await waiting();
  await client.stopPipelineExecution({ pipelineName, pipelineExecutionId, abandon: true, reason: 'enough' });
  await reached(pipelineExecutionId, 'Stopped');
  const rolledBack = await client.rollbackStage({
    pipelineName,
    stageName: 'Gate',
    targetPipelineExecutionId: first!.pipelineExecutionId,
  });
  await answer('Approved');
  await reached(rolledBack.pipelineExecutionId!, 'Succeeded');

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
