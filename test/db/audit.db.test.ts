import { sql, type Kysely } from 'kysely';
import { beforeEach, expect, test } from 'vitest';
import { checkAudit, findAudit, recordAudit } from '../../src/db/audit.ts';
import type { Database } from '../../src/db/database.ts';
import { emptyTables, testDatabase } from '../database.ts';

const { db } = await testDatabase();

beforeEach(() => emptyTables(db));

function row(repositoryId: number | undefined, why: string) {
  return { ...(repositoryId === undefined ? {} : { repositoryId }), who: 'dev', what: 'command-stop', why };
}

test('SEC-T-15 a row of the audit can be added and read, and neither changed nor removed', async () => {
  await recordAudit(db, row(1, 'first'));
  const attempts = [
    () => db.updateTable('audit').set({ who: 'somebody else' }).execute(),
    () => db.deleteFrom('audit').execute(),
    () => sql`truncate audit`.execute(db),
  ];
  for (const attempt of attempts) await expect(attempt()).rejects.toThrow('the audit is append-only');
  expect(await findAudit(db, { limit: 10 })).toMatchObject([{ who: 'dev', why: 'first' }]);
});

test('SEC-T-15 each row holds the hash of the one before it in its repository, and what breaks the chain is found', async () => {
  for (const [repository, why] of [
    [1, 'a'],
    [2, 'b'],
    [1, 'c'],
    [undefined, 'd'],
    [1, 'e'],
    [undefined, 'f'],
  ] as const)
    await recordAudit(db, row(repository, why));
  const rows = await findAudit(db, { repositoryId: 1, limit: 10 });
  expect(rows.map(({ previous }) => previous)).toEqual(['', rows[0]?.hash, rows[1]?.hash]);
  const intact = await checkAudit(db);
  expect(intact.map(({ repositoryId, rows: count, broken }) => [repositoryId, count, broken])).toEqual([
    [null, 2, null],
    [1, 3, null],
    [2, 1, null],
  ]);
  expect(intact[1]?.hash).toBe(rows[2]?.hash);
  const [, second, third] = rows.map(({ id }) => id);
  await around(sql`update audit set why = 'another' where id = ${second}`);
  expect((await checkAudit(db)).map(({ broken }) => broken)).toEqual([null, second, null]);
  await around(sql`update audit set why = 'c' where id = ${second}`);
  await around(sql`delete from audit where id = ${second}`);
  expect((await checkAudit(db)).map(({ broken }) => broken)).toEqual([null, third, null]);
});

/** What only somebody who owns the database can do. */
async function around(statement: ReturnType<typeof sql>): Promise<void> {
  await db.transaction().execute(async (trx: Kysely<Database>) => {
    await sql`alter table audit disable trigger audit_keep`.execute(trx);
    await statement.execute(trx);
    await sql`alter table audit enable trigger audit_keep`.execute(trx);
  });
}
