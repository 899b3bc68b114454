import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodePipeline } from '@aws-sdk/client-codepipeline';
import { S3 } from '@aws-sdk/client-s3';
import pino from 'pino';
import { afterAll } from 'vitest';
import { makeApiKey } from '../../src/codepipeline-api/authenticate.ts';
import type { Door } from '../../src/codepipeline-api/door.ts';
import { createKeyCache } from '../../src/codepipeline-api/key-cache.ts';
import type { Listening } from '../../src/codepipeline-api/http-server.ts';
import { serveDoor, type ServeOptions } from '../../src/codepipeline-api/serve-door.ts';
import { openServerSecret } from '../../src/codepipeline-api/server-secret.ts';
import { createEmbeddedEngine } from '../../src/engine/embedded/embedded-engine.ts';
import { openArtifactStore } from '../../src/providers/artifact-store.ts';
import type { TestDatabase } from '../database.ts';
import { engineBench, type EngineBench } from '../engine/engine-bench.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The door over HTTP, in front of the embedded engine whose actions do what the test says. */
export interface DoorBench {
  readonly door: Door;
  readonly url: string;
  /** Holds the door's secret. */
  readonly home: string;
  readonly engine: EngineBench;
  /** An admin key. */
  readonly admin: Credentials;
  readonly client: CodePipeline;
  /** Added to the clock of the door. */
  clock: { aheadMs: number };
  key(options: { repositoryId?: number; readOnly?: boolean; mayApprove?: boolean }): Promise<Credentials>;
  clientOf(credentials: Credentials): CodePipeline;
  storeOf(credentials: Credentials): S3;
  serve(options: Partial<ServeOptions>): Promise<Listening>;
}

/** `real` as in `engineBench`. */
export async function doorBench(database: TestDatabase, real?: Parameters<typeof engineBench>[1]): Promise<DoorBench> {
  const home = mkdtempSync(join(tmpdir(), 'penstock-door-'));
  const engine = await engineBench(database, real);
  const clock = { aheadMs: 0 };
  const now = (): Date => new Date(Date.now() + clock.aheadMs);
  const address = { url: '' };
  const secret = await openServerSecret(home);
  const door: Door = {
    db: database.db,
    engine: createEmbeddedEngine({ db: database.db, host: 'host-1', now, region: 'eu-west-1' }),
    artifacts: openArtifactStore(engine.home),
    secret,
    keys: createKeyCache(database.db, secret),
    log: pino({ level: process.env['DOOR_LOG'] ?? 'silent' }),
    now,
    account: '111122223333',
    region: 'eu-west-1',
    url: () => address.url,
    uploads: join(home, 'uploads'),
  };
  const listening: Listening[] = [];
  const clients: { destroy(): void }[] = [];
  const serve = async (options: Partial<ServeOptions>): Promise<Listening> => {
    const one = await serveDoor(door, { host: '127.0.0.1', port: 0, ...options });
    listening.push(one);
    return one;
  };
  address.url = (await serve({})).url;
  const kept = <T extends { destroy(): void }>(client: T): T => {
    clients.push(client);
    return client;
  };
  const where = (credentials: Credentials) => ({
    endpoint: address.url,
    region: 'eu-west-1',
    credentials,
    maxAttempts: 1,
  });
  const clientOf = (credentials: Credentials): CodePipeline => kept(new CodePipeline(where(credentials)));
  const storeOf = (credentials: Credentials): S3 => kept(new S3({ ...where(credentials), forcePathStyle: true }));
  afterAll(async () => {
    for (const client of clients) client.destroy();
    for (const one of listening) await one.stop();
    await rm(home, { recursive: true, force: true });
  });
  const key: DoorBench['key'] = ({ repositoryId, readOnly = false, mayApprove = false }) =>
    makeApiKey(door, { repositoryId: repositoryId ?? null, readOnly, mayApprove });
  const admin = await key({});
  const client = clientOf(admin);
  return { door, url: address.url, home, engine, admin, client, clock, key, clientOf, storeOf, serve };
}

/** Answers what an error of the SDK said: `Code: message`. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
  return 'no error';
}
