import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import { Kysely, PostgresDialect, type KyselyPlugin } from 'kysely';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Pool, type PoolConfig } from 'pg';
import { describeError, isDiskFull, UserError } from '../errors.ts';
import type { Database } from './database.ts';
import { takeLock } from './lock.ts';
import { channels, type Channel, type OpenDatabase } from './open.ts';
import { numericTypes } from './pg-types.ts';
import { preparedEmbedded } from './prepared-embedded.ts';

/**
 * The embedded database: PGlite behind a pool of one client that is never replaced. These settings hold together:
 * a client destroyed inside a transaction, a query timeout, or any `lite.*` call once the pool is open corrupts the
 * conversation with the one session there is. Awaiting the plain handle inside a transaction callback waits for ever.
 */
export async function openEmbedded(directory: string): Promise<OpenDatabase> {
  if (directory === 'memory') return openOnPglite(await PGlite.create());
  await mkdir(dirname(directory), { recursive: true, mode: 0o700 });
  // Two processes on one directory lose data silently: PGlite has no lock of its own.
  const release = await takeLock(directory);
  try {
    const open = await openOnPglite(await createIn(directory));
    return {
      ...open,
      close: async () => {
        await open.close();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

async function createIn(directory: string): Promise<PGlite> {
  // Half of a new one would never open: when a first start is killed, the next one begins again.
  const unfinished = `${directory}.unfinished`;
  if (existsSync(unfinished)) await rm(directory, { recursive: true, force: true });
  const isNew = !existsSync(directory);
  try {
    if (!isNew) return await PGlite.create(directory);
    await writeFile(unfinished, '');
    const prepared = preparedEmbedded();
    const lite = await PGlite.create(directory, prepared ? { loadDataDir: prepared } : {});
    await rm(unfinished);
    return lite;
  } catch (error) {
    if (isNew) await Promise.all([directory, unfinished].map((path) => rm(path, { recursive: true, force: true })));
    if (isDiskFull(error)) {
      throw new UserError(
        `There is no room on the disk of ${directory} (the embedded database begins with 40 MB). ` +
          'Make room, or set PENSTOCK_HOME to a directory on another disk.',
      );
    }
    throw new UserError(
      `The embedded database in ${directory} cannot be opened: ${describeError(error)}. ` +
        'Restore the directory from a backup, or move it away to begin with an empty one.',
    );
  }
}

/** The same on an instance that was made elsewhere; `close` closes it. */
export async function openOnPglite(lite: PGlite): Promise<OpenDatabase> {
  const listeners = new Map<Channel, Set<() => void>>(channels.map((channel) => [channel, new Set()]));
  for (const [channel, callbacks] of listeners) {
    await lite.listen(channel, () => callbacks.forEach((callback) => callback()));
  }
  const fatal = new Set<(error: Error) => void>();
  const pool = immortalPool(lite, (error) => fatal.forEach((callback) => callback(error)));
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }), plugins: [yieldPlugin] });
  return {
    engine: 'pglite',
    db,
    listen: async (channel, onNotify) => {
      const callbacks = listeners.get(channel);
      callbacks?.add(onNotify);
      return async () => void callbacks?.delete(onNotify);
    },
    onFatal: (callback) => void fatal.add(callback),
    close: async () => {
      await db.destroy();
      await lite.close();
    },
  };
}

function immortalPool(lite: PGlite, onError: (error: Error) => void): Pool {
  // PGlite's config carries `connection`, which @types/pg does not know; its values have the shape that pg wants.
  const connection = createPgConfig(lite) as unknown as PoolConfig;
  const pool = new Pool(
    Object.assign(connection, { max: 1, idleTimeoutMillis: 0, connectionTimeoutMillis: 10_000, types: numericTypes }),
  );
  pool.on('error', onError);
  pool.on('connect', (client) => client.on('error', onError));
  return pool;
}

// Awaited PGlite queries never let the event loop turn: without this, HTTP, timers and signals stand still under load.
const yieldPlugin: KyselyPlugin = {
  transformQuery: ({ node }) => node,
  transformResult: async ({ result }) => {
    await turn();
    return result;
  },
};
