import { PGlite } from '@electric-sql/pglite';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { sql, type Kysely } from 'kysely';
import { afterAll, inject } from 'vitest';
import type { Database } from '../src/db/database.ts';
import { migrate } from '../src/db/migrate.ts';
import { openOnPglite } from '../src/db/open-embedded.ts';
import { openDatabase, type OpenDatabase } from '../src/db/open.ts';
import { cloneTemplate, dropDatabase } from './db/template-database.ts';
import './db/server-setup.ts';
import { cacheFile } from './db/test-cache.ts';

export interface TestDatabase {
  readonly open: OpenDatabase;
  readonly db: Kysely<Database>;
  /** Of the same database, for other processes or further pools. Only on Postgres. */
  readonly url?: string;
}

/**
 * A fresh migrated database on the engine of the running project: call it once at the top of a test file,
 * `const { db } = await testDatabase()`, and `emptyTables(db)` before each test. Closed after the file.
 */
export async function testDatabase(): Promise<TestDatabase> {
  const made = inject('databaseEngine') === 'postgres' ? await onPostgres() : await onPglite();
  afterAll(() => made.close());
  return made;
}

/** Empties every table and starts identities again at 1. */
export async function emptyTables(db: Kysely<Database>): Promise<void> {
  const found = await sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = 'public' and tablename not like 'kysely%'`.execute(db);
  const names = found.rows.map((row) => `"${row.name}"`).join(', ');
  // Nothing else gets around what keeps the audit.
  await db.transaction().execute(async (trx) => {
    await sql`alter table audit disable trigger audit_keep`.execute(trx);
    await sql.raw(`truncate ${names} restart identity cascade`).execute(trx);
    await sql`alter table audit enable trigger audit_keep`.execute(trx);
  });
}

async function onPostgres(): Promise<TestDatabase & { close(): Promise<void> }> {
  const server = inject('postgresServer');
  const url = await cloneTemplate(server);
  const open = await openDatabase({ kind: 'postgres', url });
  return { open, db: open.db, url, close: () => open.close().then(() => dropDatabase(url, server.url)) };
}

async function onPglite(): Promise<TestDatabase & { close(): Promise<void> }> {
  const open = await openOnPglite(await PGlite.create({ loadDataDir: await snapshot() }));
  return { open, db: open.db, close: () => open.close() };
}

/** A dump of a migrated database, made once for each state of the migrations: initdb takes seconds, loading does not. */
async function snapshot(): Promise<Blob> {
  const file = cacheFile('pglite', '.tar');
  if (!existsSync(file)) {
    const draft = `${file}.${randomUUID()}`;
    writeFileSync(draft, await dumpMigrated());
    renameSync(draft, file);
  }
  return new Blob([readFileSync(file)]);
}

async function dumpMigrated(): Promise<Buffer> {
  const lite = await PGlite.create();
  const open = await openOnPglite(lite);
  await migrate(open.db);
  await open.db.destroy();
  const dump = await lite.dumpDataDir('none');
  await lite.close();
  return Buffer.from(await dump.arrayBuffer());
}
