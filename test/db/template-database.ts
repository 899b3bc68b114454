import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { migrate } from '../../src/db/migrate.ts';
import { openDatabase } from '../../src/db/open.ts';
import { findPostgres, startPostgres, type PostgresServer } from './postgres-server.ts';

export interface TemplateServer {
  readonly url: string;
  readonly template: string;
  stop(): Promise<void>;
}

/** Starts or reaches the server, and makes the migrated template. Everything made is dropped on stop. */
export async function startTestServer(): Promise<TemplateServer> {
  const server = await reachServer();
  const template = `penstock_${randomBytes(4).toString('hex')}`;
  await administer(server.url, `create database ${template}`);
  const open = await openDatabase({ kind: 'postgres', url: withDatabase(server.url, template) });
  await migrate(open.db);
  await open.close();
  async function stop(): Promise<void> {
    for (const name of await databasesNamed(server.url, template)) {
      await administer(server.url, `drop database ${name} with (force)`);
    }
    await server.stop();
  }
  return { url: server.url, template, stop };
}

/** A copy of the template; its name starts with the template's, so that stop finds it. */
export async function cloneTemplate(server: { readonly url: string; readonly template: string }): Promise<string> {
  const name = `${server.template}_${randomBytes(6).toString('hex')}`;
  await administer(server.url, `create database ${name} template ${server.template} strategy file_copy`);
  return withDatabase(server.url, name);
}

export async function dropDatabase(url: string, serverUrl: string): Promise<void> {
  await administer(serverUrl, `drop database ${new URL(url).pathname.slice(1)} with (force)`);
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

async function reachServer(): Promise<PostgresServer> {
  const found = findPostgres();
  if (found.kind === 'binaries') return startPostgres(found);
  if (found.kind === 'none') throw new Error(`No Postgres server ${found.why}`);
  return { url: found.url, stop: async () => {} };
}

async function databasesNamed(url: string, prefix: string): Promise<string[]> {
  const rows = await administer(url, `select datname as name from pg_database where datname like '${prefix}%'`);
  return rows.map((row) => String(row['name']));
}

/** One statement on its own connection: CREATE DATABASE cannot run in a transaction. */
async function administer(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}
