import { Kysely, PostgresDialect, sql } from 'kysely';
import { Pool, type PoolConfig } from 'pg';
import { UserError } from '../errors.ts';
import type { Database } from './database.ts';
import { listenOnPostgres } from './listen-postgres.ts';
import type { OpenDatabase } from './open.ts';
import { numericTypes } from './pg-types.ts';

/** Opens a pool on a Postgres server. Broken connections are replaced; nothing here is fatal. */
export async function openPostgres(target: { url: string; poolSize?: number }): Promise<OpenDatabase> {
  const pool = new Pool(poolSettings(target));
  // Without both listeners the end of a connection, idle or checked out, ends the process. The query that used it
  // rejects, so nothing is lost by ignoring the event.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  try {
    await refuseLossyCommits(db);
  } catch (error) {
    await db.destroy();
    throw explained(error, target.url);
  }
  return {
    engine: 'postgres',
    db,
    listen: (channel, onNotify) => listenOnPostgres(target.url, channel, onNotify),
    onFatal: () => {},
    close: () => db.destroy(),
  };
}

const wrongSettings = new Set(['28P01', '28000', '3D000', 'ECONNREFUSED', 'ENOTFOUND', 'ENOENT', 'ERR_INVALID_URL']);

/** Names the setting to mend; the address without its password. */
function explained(error: unknown, url: string): unknown {
  const { code, message } = error as { code?: string; message?: string };
  if (code === undefined || !wrongSettings.has(code)) return error;
  const address = URL.canParse(url) ? Object.assign(new URL(url), { password: '' }).href : 'it (not a URL)';
  return new UserError(
    `DATABASE_URL: Postgres at ${address} cannot be used: ${message || code}. ` +
      'Correct the address, start the server, or unset DATABASE_URL to use the embedded database.',
  );
}

function poolSettings(target: { url: string; poolSize?: number }): PoolConfig {
  return {
    connectionString: target.url,
    max: target.poolSize ?? 10,
    types: numericTypes,
    application_name: 'penstock',
    connectionTimeoutMillis: 3_500,
    keepAlive: true,
    statement_timeout: 30_000,
    idle_in_transaction_session_timeout: 60_000,
  };
}

// With synchronous_commit=off a crash of the server loses deliveries that were acknowledged (promise P1).
async function refuseLossyCommits(db: Kysely<Database>): Promise<void> {
  const shown = await sql<{ synchronous_commit: string }>`show synchronous_commit`.execute(db);
  if (shown.rows[0]?.synchronous_commit !== 'off') return;
  throw new UserError(
    'The database has synchronous_commit=off, which can lose webhooks that were already acknowledged. ' +
      'Set it to on, for example: alter role <the role of DATABASE_URL> set synchronous_commit = on',
  );
}
