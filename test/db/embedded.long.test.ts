import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase } from '../../src/db/open.ts';
import { UserError } from '../../src/errors.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'penstock-embedded-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

test('a directory that is no database is refused with the way out, and its lock is given back', async () => {
  const directory = join(home, 'db');
  mkdirSync(directory);
  writeFileSync(join(directory, 'PG_VERSION'), '9');
  const refused = openDatabase({ kind: 'embedded', directory });
  await expect(refused).rejects.toThrow(UserError);
  await expect(refused).rejects.toThrow(/cannot be opened.*backup/);
  expect([existsSync(`${directory}.lock`), readdirSync(directory)]).toEqual([false, ['PG_VERSION']]);
});

test('a first start that was killed is begun again', async () => {
  const directory = join(home, 'db');
  mkdirSync(directory);
  for (const file of ['PG_VERSION', '../db.unfinished']) writeFileSync(join(directory, file), '');
  const open = await openDatabase({ kind: 'embedded', directory });
  await sql`create table kept (n int)`.execute(open.db);
  await open.close();
  const again = await openDatabase({ kind: 'embedded', directory });
  expect((await sql`select n from kept`.execute(again.db)).rows).toEqual([]);
  await again.close();
});

test('rows survive a kill -9 of the process that wrote them, and its lock does not stand in the way', async () => {
  const directory = join(home, 'new', 'db');
  const module = join(import.meta.dirname, '../../src/db/open.ts');
  const script = `const { openDatabase } = await import(${JSON.stringify(module)});
    const { sql } = await import('kysely');
    const { db } = await openDatabase({ kind: 'embedded', directory: ${JSON.stringify(directory)} });
    await sql\`create table kept (n int)\`.execute(db);
    for (let n = 0; n < 50; n += 1) await sql\`insert into kept values (\${n})\`.execute(db);
    console.log('written'); setInterval(() => {}, 1000);`;
  const root = join(import.meta.dirname, '../..');
  const writer = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(writer.stdout, 'data');
  await expect(openDatabase({ kind: 'embedded', directory })).rejects.toThrow(`in use by process ${writer.pid}`);
  writer.kill('SIGKILL');
  await once(writer, 'exit');

  const open = await openDatabase({ kind: 'embedded', directory });
  expect((await sql<{ n: number }>`select count(*) as n from kept`.execute(open.db)).rows).toEqual([{ n: 50 }]);
  await open.close();
});
