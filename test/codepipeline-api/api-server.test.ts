import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodePipeline } from '@aws-sdk/client-codepipeline';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { keysOfProcess } from '../../src/codepipeline-api/key-socket.ts';
import { defaultServerConfig } from '../../src/config/server.ts';
import { startApiServer } from '../../src/main/api-server.ts';

test('the whole of penstock api in one process: keys over the socket, the door, and an end that leaves nothing', async () => {
  const home = mkdtempSync(join(tmpdir(), 'penstock-api-server-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  expect(await keysOfProcess(home)).toBeUndefined();
  const server = await startApiServer({
    home,
    server: { ...defaultServerConfig, embedded: { ...defaultServerConfig.embedded, isolation: 'process' } },
    secrets: [],
    host: '127.0.0.1',
    port: 0,
    anonymous: false,
    concurrency: 2,
    path: process.env['PATH'] ?? '',
    log: pino({ level: 'silent' }),
  });
  const keys = await keysOfProcess(home);
  const credentials = await keys!.create({ repository: null, readOnly: false, mayApprove: false });
  const client = new CodePipeline({ endpoint: server.url, region: 'us-east-1', credentials, maxAttempts: 1 });
  expect((await client.listPipelines()).pipelines).toEqual([]);
  await keys!.revoke(credentials.accessKeyId);
  await expect(client.listPipelines()).rejects.toThrow('security token');
  await expect(keys!.create({ repository: 'acme/none', readOnly: false, mayApprove: false })).rejects.toThrow(
    'acme/none is not known here',
  );
  client.destroy();
  await server.stop();
  expect(await keysOfProcess(home)).toBeUndefined();
});
