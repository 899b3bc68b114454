import { expect, test, vi } from 'vitest';
import { readServerConfig } from '../../src/config/server.ts';
import { openReceivers } from '../../src/main/receivers.ts';
import { hookReceiver } from '../engine/hook-receiver.ts';
import { apiBench, reached } from './api-bench.ts';
import { approval, declare } from './declare.ts';

const { address, received } = await hookReceiver();
const topicArn = 'arn:aws:sns:us-east-1:000000000000:releases';
const read = readServerConfig(`notices:
  releases:
    https: { url: "${address}/hook", key: { fromEnv: KEY }, allowPrivate: true }
    topics: ["${topicArn}"]
`);
if (!read.ok) throw new Error(JSON.stringify(read.problems));
const { client, store } = await apiBench({
  receivers: await openReceivers(read.config, { KEY: 'a key that nobody guesses' }),
});

test('a tool that is told of an approval answers it with what it was told (CP-A-2, CP-A-11)', async () => {
  await store.putObject({ Bucket: 'sources', Key: 'app.txt', Body: 'app' });
  const gate = { ...approval, configuration: { NotificationArn: topicArn, CustomData: 'Ready?' } };
  const pipeline = declare({ Release: { Approve: gate } });
  const [source] = pipeline.stages![0]!.actions!;
  source!.configuration!['S3ObjectKey'] = 'app.txt';
  await client.createPipeline({ pipeline });
  await vi.waitFor(() => expect(received).toHaveLength(1), { timeout: 30_000, interval: 50 });
  const told = JSON.parse(received[0]!.body) as { approval: Record<string, string> };
  expect(told).toMatchObject({ region: 'us-east-1', approval: { customData: 'Ready?' } });
  const { pipelineName = '', stageName, actionName, token } = told.approval;
  expect(pipelineName).toBe(pipeline.name);
  const result = { status: 'Approved', summary: 'told so' } as const;
  await client.putApprovalResult({ pipelineName, stageName, actionName, token, result });
  const { pipelineExecutionSummaries = [] } = await client.listPipelineExecutions({ pipelineName });
  await reached(client, pipelineName, pipelineExecutionSummaries[0]!.pipelineExecutionId!, 'Succeeded');
});
