import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkAudit, recordAudit } from '../../src/db/audit.ts';
import { openDatabase } from '../../src/db/open.ts';
import { installRepositories } from '../../src/db/repositories.ts';
import { serveControl } from '../../src/web/control.ts';
import { readAudit } from '../../src/cli/audit.ts';
import { prepareDatabase } from '../prepared-home.ts';
import { penstock } from '../cli/run-command.ts';

let home: string;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'penstock-audit-'));
  await prepareDatabase(join(home, 'database'));
  const database = await openDatabase({ kind: 'embedded', directory: join(home, 'database') });
  await installRepositories(database.db, [{ id: 42, owner: 'acme', name: 'web', installationId: 7 }]);
  const row = { repositoryId: 42, who: 'reviewer', what: 'vote-approve', why: 'fine\u001B[2J' };
  await recordAudit(database.db, {
    ...row,
    execution: '5f2c0000',
    detail: { pullRequest: 12, gate: 'Release/Approve' },
  });
  await recordAudit(database.db, { ...row, who: 'other', execution: '77770000' });
  await database.close();
});

afterAll(() => rmSync(home, { recursive: true }));

const run = (...argv: string[]) => penstock(['audit', ...argv], { env: { PENSTOCK_HOME: home } });

test('prints who did what about a pull request or an execution, and nothing that moves the cursor', async () => {
  const { code, out } = await run('--pull', 'acme/web#12');
  expect(code).toBe(0);
  expect(out).toMatch(
    /^\S+ {2}vote-approve {2}reviewer: fine \[2J {2}\(execution 5f2c0000, gate Release\/Approve, pullRequest 12\)\n$/,
  );
  const json = await run('--execution', '7777', '--json');
  expect(JSON.parse(json.out)).toMatchObject([{ who: 'other', execution: '77770000' }]);
});

test('refuses what it cannot understand, with what to write', async () => {
  expect((await run('--pull', 'web/12')).err).toContain('--pull owner/name#12');
  expect((await run('--limit', 'many')).err).toContain('--limit is a number');
  expect((await run('--pull', 'acme/other#1')).err).toContain('knows no repository acme/other');
});

test('asks the running process, which holds the database', async () => {
  const database = await openDatabase({ kind: 'embedded', directory: join(home, 'database') });
  const none = () => Promise.resolve(null);
  const stop = await serveControl(home, {
    loadExecution: none,
    recentExecutions: () => Promise.resolve([]),
    linkTo: () => '',
    startedAt: new Date('2026-11-23T04:00:00Z'),
    audit: (wanted) => readAudit(database.db, wanted),
    auditChains: () => checkAudit(database.db),
  });
  expect((await run('--pull', 'acme/web#12')).out).toContain('vote-approve  reviewer');
  expect((await run('--pull', 'acme/other#1')).err).toContain('knows no repository acme/other');
  expect((await run('--verify')).out).toContain('2 rows of repository 42');
  await stop?.();
  await database.close();
});

test('SEC-T-15 --verify tells of every repository whether its rows are as they were written', async () => {
  const { code, out } = await run('--verify');
  expect(code).toBe(0);
  expect(out).toMatch(/^intact {2}2 rows of repository 42, up to [0-9a-f]{64}\n$/);
  const database = await openDatabase({ kind: 'embedded', directory: join(home, 'database') });
  await sql`alter table audit disable trigger audit_keep`.execute(database.db);
  await sql`update audit set who = 'nobody' where id = (select min(id) from audit)`.execute(database.db);
  await database.close();
  const broken = await run('--verify', '--json');
  expect(broken.code).toBe(1);
  expect(JSON.parse(broken.out)).toMatchObject([{ repositoryId: 42, rows: 2, broken: expect.any(Number) }]);
  expect((await run('--verify')).out).toContain('BROKEN  2 rows of repository 42');
});

test('changes no schema that other replicas may work with, and says who does', async () => {
  const database = await openDatabase({ kind: 'embedded', directory: join(home, 'database') });
  await sql`delete from kysely_migration where name = (select max(name) from kysely_migration)`.execute(database.db);
  await database.close();
  expect(await run()).toMatchObject({ code: 1, err: expect.stringContaining('run `penstock migrate`') as string });
});
