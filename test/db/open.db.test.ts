import { sql } from 'kysely';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, inject, test, vi } from 'vitest';
import { openDatabase } from '../../src/db/open.ts';
import { UserError } from '../../src/errors.ts';
import { testDatabase } from '../database.ts';

const { open, db, url } = await testDatabase();
const notify = () => sql`select pg_notify('penstock_jobs', '')`.execute(db);

test('a committed notification arrives, a rolled-back one does not, and after stop none does', async () => {
  let heard = 0;
  const stop = await open.listen('penstock_jobs', () => (heard += 1));
  await db
    .transaction()
    .execute(async (trx) => {
      await sql`select pg_notify('penstock_jobs', '')`.execute(trx);
      throw new Error('rolled back');
    })
    .catch(() => {});
  await notify();
  await expect.poll(() => heard).toBe(1);
  await stop();
  await notify();
  await db.selectFrom('ticks').selectAll().execute();
  expect(heard).toBe(1);
});

test('a failed statement does not spoil the connection for the next one', async () => {
  await expect(sql`select 1 / 0`.execute(db)).rejects.toMatchObject({ code: '22012' });
  await expect(db.transaction().execute((trx) => sql`select nonsense`.execute(trx))).rejects.toMatchObject({
    code: '42703',
  });
  expect((await sql<{ n: number }>`select 1 as n`.execute(db)).rows).toEqual([{ n: 1 }]);
});

test('timers still run while queries follow each other without a pause', async () => {
  let ticks = 0;
  const timer = setInterval(() => (ticks += 1), 1);
  for (let n = 0; n < 100; n += 1) await sql`select 1`.execute(db);
  clearInterval(timer);
  await turn();
  expect(ticks).toBeGreaterThan(3);
});

if (inject('databaseEngine') === 'postgres') {
  const endAllConnections = () => sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`;

  test('a connection that ends inside a transaction rejects that transaction only', async () => {
    const killer = await openDatabase({ kind: 'postgres', url: url! });
    const cut = db.transaction().execute(async (trx) => {
      await sql`select 1`.execute(trx);
      await endAllConnections().execute(killer.db);
      await sql`select 1`.execute(trx);
    });
    await expect(cut).rejects.toThrow();
    await vi.waitFor(() => sql`select 1`.execute(db), 20_000);
    await killer.close();
  });

  test('LISTEN is made again after its connection ended, and says that something may have been missed', async () => {
    let heard = 0;
    const stop = await open.listen('penstock_jobs', () => (heard += 1));
    await endAllConnections().execute(db);
    await expect.poll(() => heard).toBe(1);
    await vi.waitFor(async () => {
      await notify();
      expect(heard).toBeGreaterThan(1);
    }, 20_000);
    await stop();
  });

  test('a wrong address is refused with the setting to mend, without the password', async () => {
    const elsewhere = 'postgres://penstock:hunter2@127.0.0.1:1/penstock';
    const refused = openDatabase({ kind: 'postgres', url: elsewhere });
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(/^DATABASE_URL: .*penstock@127\.0\.0\.1:1/);
    await expect(refused).rejects.not.toThrow('hunter2');
  });

  test('SEC-F-38 a database that may lose committed rows is refused', async () => {
    const name = new URL(url!).pathname.slice(1);
    await sql.raw(`alter database ${name} set synchronous_commit = off`).execute(db);
    await expect(openDatabase({ kind: 'postgres', url: url! })).rejects.toThrow(UserError);
    await sql.raw(`alter database ${name} reset synchronous_commit`).execute(db);
  });
}
