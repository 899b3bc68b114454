import { CodePipeline } from '@aws-sdk/client-codepipeline';
import { expect, test } from 'vitest';
import { keysOfProcess } from '../../src/codepipeline-api/key-socket.ts';
import { apiBench } from './api-bench.ts';

const { home, server, keys, stop } = await apiBench();

test('the whole of penstock api in one process: keys over the socket, the door, and an end that leaves nothing', async () => {
  const credentials = await keys.create({ repository: null, readOnly: false, mayApprove: false });
  const client = new CodePipeline({ endpoint: server.url, region: 'us-east-1', credentials, maxAttempts: 1 });
  expect((await client.listPipelines()).pipelines).toEqual([]);
  await keys.revoke(credentials.accessKeyId);
  await expect(client.listPipelines()).rejects.toThrow('security token');
  await expect(keys.create({ repository: 'acme/none', readOnly: false, mayApprove: false })).rejects.toThrow(
    'acme/none is not known here',
  );
  client.destroy();
  await stop();
  expect(await keysOfProcess(home)).toBeUndefined();
});
