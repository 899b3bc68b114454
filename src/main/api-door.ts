import { join } from 'node:path';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Door, Repositories } from '../codepipeline-api/door.ts';
import { keyBook } from '../codepipeline-api/key-book.ts';
import { createKeyCache } from '../codepipeline-api/key-cache.ts';
import { serveKeys } from '../codepipeline-api/key-socket.ts';
import { openServerSecret } from '../codepipeline-api/server-secret.ts';
import { serveDoor } from '../codepipeline-api/serve-door.ts';
import type { ApiSettings } from '../config/server-types.ts';
import type { Database } from '../db/database.ts';
import { loadRepository } from '../db/repositories.ts';
import type { Deps } from '../deps.ts';
import type { EmbeddedEngine } from '../engine/embedded/embedded-engine.ts';
import { startByApi } from '../handlers/start-by-api.ts';
import { openArtifactStore } from '../providers/artifact-store.ts';

/** The CodePipeline API on a port of its own, in front of an engine that runs in this process. */
export interface ApiDoorOptions {
  readonly home: string;
  readonly db: Kysely<Database>;
  readonly engine: EmbeddedEngine;
  readonly now: () => Date;
  readonly log: Logger;
  readonly api: ApiSettings & { readonly port: number };
  readonly anonymous?: boolean;
  readonly repositories?: Repositories;
}

export interface ApiDoor {
  /** `http://host:port` as it listens. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Keys are made at `<home>/api.sock` while it runs. */
export async function startApiDoor(options: ApiDoorOptions): Promise<ApiDoor> {
  const { home, db, engine, now, log, api, repositories } = options;
  const address = { url: api.url ?? '' };
  const secret = await openServerSecret(home);
  const door: Door = {
    db,
    engine,
    artifacts: openArtifactStore(home),
    secret,
    keys: createKeyCache(db, secret),
    log,
    now,
    account: api.account,
    region: api.region,
    url: () => address.url,
    uploads: join(home, 'uploads'),
    continuationDelayMs: api.continuationDelaySeconds * 1000,
    ...(repositories ? { repositories } : {}),
  };
  const listening = await serveDoor(door, { host: api.host, port: api.port, anonymous: options.anonymous === true });
  address.url ||= listening.url;
  try {
    const stopKeys = await serveKeys(home, keyBook(door));
    return {
      url: listening.url,
      stop: async () => {
        await stopKeys();
        await listening.stop();
      },
    };
  } catch (error) {
    await listening.stop();
    throw error;
  }
}

/** Pipelines that repositories of the GitHub App declare, for keys of these repositories. */
export function repositoriesOf(deps: Deps): Repositories {
  return {
    serves: async (id) => {
      const repository = await loadRepository(deps.db, id);
      return repository !== null && repository.suspended === null && deps.serves(repository.owner, repository.name);
    },
    start: (start) => startByApi(deps, start),
  };
}
