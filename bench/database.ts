import { migrate } from '../src/db/migrate.ts';
import { openDatabase, type OpenDatabase } from '../src/db/open.ts';

/** A migrated database to measure on: DATABASE_URL, which should be an empty one, or a new embedded one in memory. */
export async function benchDatabase(): Promise<OpenDatabase> {
  const url = process.env['DATABASE_URL'];
  const open = await openDatabase(
    url === undefined ? { kind: 'embedded', directory: 'memory' } : { kind: 'postgres', url, poolSize: 20 },
  );
  await migrate(open.db);
  return open;
}

/** The value below which that part of the samples lies, in milliseconds with one decimal. */
export function percentile(samples: readonly number[], part: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  return Math.round(value * 10) / 10;
}
