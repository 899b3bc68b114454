import { defineConfig } from 'vitest/config';
import { findPostgres } from './test/db/postgres-server.ts';

// *.db.test.ts runs on both engines where there is a server; *.long.test.ts only when it is asked for.
const databaseTests = 'test/**/*.db.test.ts';
const longTests = 'test/**/*.long.test.ts';
// What only tells again, at some length, what others say of the embedded database: `npm run demo` is this story on it.
const stories = ['test/main-path.db.test.ts'];
// The embedded database does one thing at a time: nothing races there that a server does not race better.
const races = ['test/engine/exclusive-race.db.test.ts', 'test/handlers/gate-race.db.test.ts'];
const long = process.env['PENSTOCK_LONG'] === '1';
const postgres = findPostgres();
if (postgres.kind === 'none') {
  console.log(`skipped: no Postgres server ${postgres.why} (install postgresql or set TEST_DATABASE_URL)`);
}

// The embedded database takes seconds to start on a busy machine; a test that hangs still ends.
// CI tells a test that fails twice; what failed once and then passed stands in its report as retried.
const retry = process.env['CI'] === undefined ? 0 : 1;
// Files share a process, and so the modules that they load; those that change what a process has have one of their own.
const ownProcess = [
  'test/github/failures.test.ts',
  'test/engine-aws/{call-errors,clients,stories}.test.ts',
  'test/buildspec/isolation.test.ts',
];
const poll = { timeout: 20_000 };
const patience = { testTimeout: 60_000, hookTimeout: 60_000, teardownTimeout: 20_000, retry, expect: { poll } };
const serverSetup = ['test/db/server-setup.ts'];
// The embedded database computes in the process of the test: three times the work of a server for the same story.
const bestEngine =
  postgres.kind === 'none'
    ? { provide: { databaseEngine: 'pglite' as const } }
    : { provide: { databaseEngine: 'postgres' as const }, globalSetup: serverSetup };

export default defineConfig({
  test: {
    // Node reads TypeScript by itself, as it does where Penstock runs; files that share a process load a module once.
    experimental: { viteModuleRunner: false },
    // Stories wait for their servers more than they compute: one more than the cores of a small machine.
    maxWorkers: 3,
    passWithNoTests: true,
    projects: [
      {
        test: {
          ...patience,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [longTests, ...ownProcess],
          isolate: false,
          ...bestEngine,
        },
      },
      {
        test: {
          ...patience,
          name: 'own process',
          include: ownProcess,
          exclude: [longTests],
          ...bestEngine,
        },
      },
      {
        test: {
          ...patience,
          name: 'pglite',
          include: postgres.kind === 'none' ? [] : [databaseTests],
          exclude: [...stories, ...races],
          isolate: false,
          provide: { databaseEngine: 'pglite' },
        },
      },
      {
        test: {
          ...patience,
          name: 'long',
          include: long ? [longTests] : [],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          ...bestEngine,
        },
      },
    ],
  },
});
