import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql, type Kysely } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { up } from '../../migrations/0016-aws-observation.ts';
import { migrate } from '../../src/db/migrate.ts';
import { UserError } from '../../src/errors.ts';
import { testDatabase } from '../database.ts';
import { insertSampleRows } from './sample-rows.ts';

const { db } = await testDatabase();
const migrations = join(import.meta.dirname, '../../migrations');

const own = readdirSync(migrations).map((file) => file.replace(/\.ts$/, ''));

afterEach(() => sql`delete from kysely_migration where not name = any(${own}::text[])`.execute(db));

function pretendApplied(name: string) {
  return sql`insert into kysely_migration (name, timestamp) values (${name}, ${new Date().toISOString()})`.execute(db);
}

test('migrating again changes nothing', async () => {
  await migrate(db);
  await expect(migrate(db)).resolves.toBeUndefined();
});

test('an older replica starts beside a newer one whose migration was additive', async () => {
  await pretendApplied('9999-a-new-nullable-column');
  await expect(migrate(db)).resolves.toBeUndefined();
});

test('a database changed in a breaking way by a newer Penstock is refused, and the text says what to do', async () => {
  await pretendApplied('9999-split-lanes.breaking');
  const refused = migrate(db);
  await expect(refused).rejects.toThrow(UserError);
  await expect(refused).rejects.toThrow(/9999-split-lanes\.breaking.*Run that newer version/);
});

test('a new migration is applied beside an unknown newer one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-migrations-'));
  writeFileSync(join(folder, '0001-initial.mjs'), 'export async function up() {}');
  writeFileSync(
    join(folder, '0500-notes.mjs'),
    'export const up = (db) => db.schema.createTable("notes").ifNotExists().addColumn("id", "integer").execute();',
  );
  await pretendApplied('9999-later');
  await migrate(db, folder);
  await expect(sql`select * from notes`.execute(db)).resolves.toMatchObject({ rows: [] });
  await sql`drop table notes`.execute(db);
  rmSync(folder, { recursive: true });
});

test('every migration runs over a database that has rows in every table', async () => {
  await insertSampleRows(db);
  const names = readdirSync(migrations).toSorted().slice(1);
  // With one migration there is nothing to replay yet; the rows still prove that the samples fit the schema.
  for (const name of names)
    expect(newNotNullColumnsWithoutDefault(readFileSync(join(migrations, name), 'utf8'))).toEqual([]);
});

test('the check for new columns sees one that would fail on existing rows', () => {
  expect(newNotNullColumnsWithoutDefault('alter table lanes add column place integer not null')).toHaveLength(1);
  expect(newNotNullColumnsWithoutDefault('alter table lanes add column place integer not null default 0')).toEqual([]);
  expect(newNotNullColumnsWithoutDefault('alter table lanes add column place integer')).toEqual([]);
});

test('two migrators at once on an empty database are safe', async () => {
  await sql`drop schema public cascade`.execute(db);
  await sql`create schema public`.execute(db);
  await Promise.all([migrate(db), migrate(db)]);
  const tables = await sql`select 1 from pg_tables where tablename = 'executions'`.execute(db);
  expect(tables.rows).toHaveLength(1);
});

function newNotNullColumnsWithoutDefault(source: string): string[] {
  const added = source.match(/add column[^,`;'"]*/gi) ?? [];
  return added.filter((column) => /not null/i.test(column) && !/default/i.test(column));
}

test('of two records of one execution of CodePipeline the older one keeps it, the other ends and starts nothing', async () => {
  const insert = (id: string, started: string, aws: string) =>
    sql`insert into executions (id, lane, repository_id, pipeline, head_sha, idempotency_key, definition, status, live,
      waiting, host, context, schema_version, state, started_at, updated_at)
      values (${id}, '1/web/main', 1, 'web', 'aaa', ${id}, 'd1', 'InProgress', true, false, 'aws:1/r/web', '{}', 1,
      ${`{"updatedAt":"2026-05-01T10:00:00.000Z","aws":{"executionId":"${aws}","adopted":true}}`}::jsonb,
      ${started}, now())`.execute(db);
  await sql`insert into lanes (key, repository_id, pipeline) values ('1/web/main', 1, 'web') on conflict do nothing`.execute(
    db,
  );
  await sql`insert into definitions (digest, definition) values ('d1', '{}') on conflict do nothing`.execute(db);
  await sql`drop index executions_aws`.execute(db);
  await sql`drop table aws_budgets, aws_dead_events`.execute(db);
  await insert('first', '2026-05-01', 'doubled');
  await insert('second', '2026-05-02', 'doubled');
  await insert('single', '2026-05-03', 'other');
  await up(db as unknown as Kysely<unknown>);
  const { rows } = await sql`
    select id, live, status, state -> 'aws' as aws, state -> 'ending' as ending from executions
    where host = 'aws:1/r/web' order by id`.execute(db);
  expect(rows).toEqual([
    { id: 'first', live: true, status: 'InProgress', aws: { executionId: 'doubled', adopted: true }, ending: null },
    {
      id: 'second',
      live: false,
      status: 'Cancelled',
      aws: { adopted: true },
      ending: {
        as: 'Cancelled',
        at: '2026-05-01T10:00:00.000Z',
        why: 'Another record shows this execution of CodePipeline.',
      },
    },
    { id: 'single', live: true, status: 'InProgress', aws: { executionId: 'other', adopted: true }, ending: null },
  ]);
  await expect(insert('third', '2026-05-04', 'other')).rejects.toThrow('executions_aws');
});
