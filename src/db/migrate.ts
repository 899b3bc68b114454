import { promises as fs } from 'node:fs';
import path from 'node:path';
import { sql, type Kysely } from 'kysely';
import { FileMigrationProvider, Migrator, type Migration, type MigrationProvider } from 'kysely/migration';
import { UserError } from '../errors.ts';
import type { Database } from './database.ts';

// From src/db and, when packed, from dist/src/db.
const migrationFolder = path.join(import.meta.dirname, '../../migrations');

/**
 * Brings the schema up to this code's level. Several processes may do it at once: the others wait and find nothing to do.
 * Throws UserError when a newer Penstock changed the database in a way that this code cannot live with.
 */
export async function migrate(db: Kysely<Database>, folder: string = migrationFolder): Promise<void> {
  // Read before the migrator starts: it holds a connection meanwhile, and the embedded database has only one.
  const applied = await appliedMigrations(db);
  const files = new FileMigrationProvider({ fs, path, migrationFolder: folder });
  const provider: MigrationProvider = {
    getMigrations: async () => withNewerOnes(applied, await files.getMigrations()),
  };
  const migrator = new Migrator({ db, provider, allowUnorderedMigrations: true });
  const { error } = await migrator.migrateToLatest();
  if (error instanceof Error) throw error;
  if (error !== undefined) throw new Error('The migration failed', { cause: error });
}

/** `older`: this code has migrations that the database has not seen. Changes nothing. */
export async function schemaOf(db: Kysely<Database>): Promise<'none' | 'older' | 'current'> {
  const applied = await appliedMigrations(db);
  if (applied.length === 0) return 'none';
  const known = withNewerOnes(applied, await new FileMigrationProvider({ fs, path, migrationFolder }).getMigrations());
  return Object.keys(known).every((name) => applied.includes(name)) ? 'current' : 'older';
}

// Kysely refuses a database with migrations that it has no file for; an older replica must start beside a newer one.
function withNewerOnes(applied: readonly string[], known: Record<string, Migration>): Record<string, Migration> {
  const newer = applied.filter((name) => !(name in known));
  const breaking = newer.find((name) => name.endsWith('.breaking'));
  if (breaking !== undefined) {
    throw new UserError(
      `The database was changed by a newer Penstock (migration ${breaking}), and this version cannot work with it. ` +
        'Run that newer version, or restore a backup made before its first start.',
    );
  }
  return { ...known, ...Object.fromEntries(newer.map((name) => [name, { up: async () => {} }])) };
}

async function appliedMigrations(db: Kysely<Database>): Promise<string[]> {
  const table = await sql<{ found: string | null }>`select to_regclass('kysely_migration')::text as found`.execute(db);
  if (table.rows[0]?.found === null) return [];
  const rows = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  return rows.rows.map((row) => row.name);
}
