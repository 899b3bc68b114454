import { migrate } from '../src/db/migrate.ts';
import { openDatabase, type OpenDatabase } from '../src/db/open.ts';
import { findPostgres } from '../test/db/postgres-server.ts';
import { cloneTemplate, startTestServer } from '../test/db/template-database.ts';

/** A migrated database to measure on: DATABASE_URL, which should be an empty one, or a new embedded one in memory. */
export async function benchDatabase(): Promise<OpenDatabase> {
  const url = process.env['DATABASE_URL'];
  const open = await openDatabase(
    url === undefined ? { kind: 'embedded', directory: 'memory' } : { kind: 'postgres', url, poolSize: 20 },
  );
  await migrate(open.db);
  return open;
}

/**
 * Runs the same on a new embedded database in memory, and then on a new one of the Postgres server that the tests find:
 * that of TEST_DATABASE_URL, or one that is started from installed programs. Says so where there is none.
 */
export async function onBothEngines(work: (open: OpenDatabase) => Promise<void>): Promise<void> {
  await onDatabase({ kind: 'embedded', directory: 'memory' }, work);
  const found = findPostgres();
  if (found.kind === 'none') return console.log(`Not measured on Postgres: no server ${found.why}.`);
  const server = await startTestServer();
  try {
    await onDatabase({ kind: 'postgres', url: await cloneTemplate(server), poolSize: 20 }, work);
  } finally {
    await server.stop();
  }
}

async function onDatabase(
  options: Parameters<typeof openDatabase>[0],
  work: (open: OpenDatabase) => Promise<void>,
): Promise<void> {
  const open = await openDatabase(options);
  try {
    await migrate(open.db);
    await work(open);
  } finally {
    await open.close();
  }
}

/** The value below which that part of the samples lies, in milliseconds with one decimal. */
export function percentile(samples: readonly number[], part: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  return Math.round(value * 10) / 10;
}
