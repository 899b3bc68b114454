import type { Kysely } from 'kysely';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Database } from './database.ts';
import { jsonText } from './json.ts';

/** Stores a definition under its digest; the same again changes nothing. */
export async function saveDefinition(db: Kysely<Database>, digest: string, definition: PipelineDefinition) {
  await db
    .insertInto('definitions')
    .values({ digest, definition: jsonText(definition) })
    .onConflict((oc) => oc.column('digest').doNothing())
    .execute();
}

/** By digest. One that is not stored is missing from the answer. */
export async function loadDefinitions(
  db: Kysely<Database>,
  digests: readonly string[],
): Promise<Readonly<Record<string, PipelineDefinition>>> {
  if (digests.length === 0) return {};
  const rows = await db.selectFrom('definitions').selectAll().where('digest', 'in', digests).execute();
  return Object.fromEntries(rows.map((row) => [row.digest, row.definition]));
}

/** Every definition that was ever started with. */
export async function allDefinitions(db: Kysely<Database>): Promise<readonly PipelineDefinition[]> {
  return (await db.selectFrom('definitions').select('definition').execute()).map((row) => row.definition);
}
