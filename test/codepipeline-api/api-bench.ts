import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodePipeline, type CodePipelineClientConfig } from '@aws-sdk/client-codepipeline';
import { S3 } from '@aws-sdk/client-s3';
import pino from 'pino';
import { afterAll, vi } from 'vitest';
import type { KeyBook } from '../../src/codepipeline-api/key-book.ts';
import { keysOfProcess } from '../../src/codepipeline-api/key-socket.ts';
import { defaultServerConfig } from '../../src/config/server.ts';
import { startApiServer, type ApiServer } from '../../src/main/api-server.ts';
import { noReceivers, type Receivers } from '../../src/main/receivers.ts';
import { prepareDatabase } from '../prepared-home.ts';

/** `penstock api` in this process, with an admin key and the clients that use it. */
export interface ApiBench {
  readonly home: string;
  readonly server: ApiServer;
  readonly keys: KeyBook;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly client: CodePipeline;
  readonly store: S3;
  /** The same twice as once; the end of the file does it, too. */
  readonly stop: () => Promise<void>;
}

/** To be called once at the top of a test file. */
export async function apiBench({
  receivers = noReceivers,
  ...options
}: Pick<CodePipelineClientConfig, 'logger'> & { receivers?: Receivers } = {}): Promise<ApiBench> {
  const home = mkdtempSync(join(tmpdir(), 'penstock-api-'));
  await prepareDatabase(join(home, 'database'));
  const server = await startApiServer({
    home,
    server: { ...defaultServerConfig, embedded: { ...defaultServerConfig.embedded, isolation: 'process' } },
    secrets: [],
    receivers,
    host: '127.0.0.1',
    port: 0,
    anonymous: false,
    concurrency: 4,
    path: process.env['PATH'] ?? '',
    log: pino({ level: 'silent' }),
  });
  const keys = (await keysOfProcess(home))!;
  const credentials = await keys.create({ repository: null, readOnly: false, mayApprove: false });
  const where = { endpoint: server.url, region: 'us-east-1', credentials, maxAttempts: 1, ...options };
  const client = new CodePipeline(where);
  const store = new S3({ ...where, forcePathStyle: true });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= server.stop(2_000));
  afterAll(async () => {
    client.destroy();
    store.destroy();
    await stop();
    await rm(home, { recursive: true, force: true });
  });
  return { home, server, keys, credentials, client, store, stop };
}

/** Waits until the execution has that status. */
export function reached(client: CodePipeline, pipelineName: string, id: string, status: string): Promise<void> {
  return vi.waitFor(
    async () => {
      const { pipelineExecution } = await client.getPipelineExecution({ pipelineName, pipelineExecutionId: id });
      if (pipelineExecution?.status !== status) throw new Error(`it is ${pipelineExecution?.status}, not ${status}`);
    },
    { timeout: 30_000 },
  );
}
