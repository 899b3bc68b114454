import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { testDatabase } from '../database.ts';
import { dumpSchema } from './schema-dump.ts';

const { db } = await testDatabase();

test('the migrations make the schema that the snapshot shows, on both engines', async () => {
  await expect(await dumpSchema(db)).toMatchFileSnapshot('schema.snapshot.txt');
});

test('int8 columns and counts read as numbers', async () => {
  const { rows } = await sql<{ n: unknown }>`select count(*) as n from deliveries`.execute(db);
  expect(rows).toEqual([{ n: 0 }]);
});
