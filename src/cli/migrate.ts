import { migrate } from '../db/migrate.ts';
import { settingsWithoutApp } from './app-environment.ts';
import { noArguments } from './arguments.ts';
import type { CliIo } from './command.ts';
import { openTarget } from './look.ts';

export async function runMigrate(args: readonly string[], io: CliIo): Promise<number> {
  noArguments(args);
  const database = await openTarget(settingsWithoutApp(io.env));
  try {
    await migrate(database.db);
    io.out(`The ${database.engine === 'pglite' ? 'embedded database' : 'database'} has the newest schema.`);
    return 0;
  } finally {
    await database.close();
  }
}
