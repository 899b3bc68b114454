import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { schemaOf } from '../db/migrate.ts';
import { openDatabase, type OpenDatabase } from '../db/open.ts';
import { UserError } from '../errors.ts';
import { settingsWithoutApp } from './app-environment.ts';
import type { CliIo } from './command.ts';

/** The database that the settings name, as `serve` would open it. */
export function openTarget({ databaseUrl, home }: { databaseUrl?: string; home: string }): Promise<OpenDatabase> {
  return databaseUrl === undefined
    ? openDatabase({ kind: 'embedded', directory: join(home, 'database') })
    : openDatabase({ kind: 'postgres', url: databaseUrl });
}

/**
 * The database as a command opens it that only looks: nothing is made, and a schema that other replicas work with is
 * not changed under them. There is none where Penstock never ran.
 */
export async function openToLook(io: CliIo): Promise<OpenDatabase | undefined> {
  const settings = settingsWithoutApp(io.env);
  if (settings.databaseUrl === undefined && !existsSync(join(settings.home, 'database'))) return undefined;
  const database = await openTarget(settings);
  try {
    const schema = await schemaOf(database.db);
    if (schema === 'current') return database;
    if (schema === 'older') throw olderSchema();
  } catch (error) {
    await database.close();
    throw error;
  }
  await database.close();
  return undefined;
}

/** The same for one look; the database is closed after it. UserError when its schema is older than this code. */
export async function lookInto<T>(io: CliIo, look: (db?: OpenDatabase['db']) => Promise<T>): Promise<T> {
  const database = await openToLook(io);
  try {
    return await look(database?.db);
  } finally {
    await database?.close();
  }
}

function olderSchema(): UserError {
  return new UserError(
    'The database has the schema of an older Penstock. Start this version, or run `penstock migrate`, and ask again.',
  );
}
