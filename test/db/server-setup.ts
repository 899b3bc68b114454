import type { TestProject } from 'vitest/node';
import { startTestServer } from './template-database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Which engine testDatabase() opens. */
    databaseEngine: 'pglite' | 'postgres';
    /** The server, and the migrated database that each test file clones. Only in the postgres and long projects. */
    postgresServer: { readonly url: string; readonly template: string };
  }
}

/** Vitest global setup: one server and one migrated template database for the whole run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTestServer();
  project.provide('postgresServer', { url: server.url, template: server.template });
  return () => server.stop();
}
