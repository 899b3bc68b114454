import { sql, type Kysely, type Transaction } from 'kysely';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { LaneKey } from '../pipeline/execution.ts';
import type { Tags } from './api-tables.ts';
import type { Database } from './database.ts';
import { jsonText } from './json.ts';

/** The scope of admin keys: no repository of GitHub has this id. */
export const adminScope = 0;

/** What the CodePipeline API tells about a pipeline, whoever made it. */
export interface ServedPipeline {
  readonly scope: number;
  readonly name: string;
  readonly lane: LaneKey;
  readonly version: number;
  readonly definition: PipelineDefinition;
  readonly digest: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A pipeline that was made through the CodePipeline API. */
export interface ApiPipeline extends ServedPipeline {
  readonly id: number;
  readonly tags: Tags;
}

/** The definition must be stored already. `null`: the name is taken. */
export async function insertApiPipeline(
  trx: Transaction<Database>,
  pipeline: Pick<ApiPipeline, 'scope' | 'name' | 'digest' | 'tags'>,
): Promise<ApiPipeline | null> {
  const { scope, name, digest, tags } = pipeline;
  const row = await trx
    .insertInto('api_pipelines')
    .values({ scope, name, digest, version: 1, tags: jsonText(tags) })
    .onConflict((oc) => oc.columns(['scope', 'name']).doNothing())
    .returning('id')
    .executeTakeFirst();
  if (!row) return null;
  await insertVersion(trx, row.id, 1, digest);
  return findApiPipeline(trx, scope, name);
}

export async function findApiPipeline(db: Kysely<Database>, scope: number, name: string): Promise<ApiPipeline | null> {
  const row = await selectPipelines(db).where('scope', '=', scope).where('name', '=', name).executeTakeFirst();
  return row ? fromRow(row) : null;
}

/** Until the transaction ends nobody else changes or deletes it. */
export async function lockApiPipeline(trx: Transaction<Database>, scope: number, name: string) {
  await trx
    .selectFrom('api_pipelines')
    .select('id')
    .where('scope', '=', scope)
    .where('name', '=', name)
    .forUpdate()
    .execute();
  return findApiPipeline(trx, scope, name);
}

/** By name, from after `after` on. */
export async function listApiPipelines(
  db: Kysely<Database>,
  scope: number,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<readonly ApiPipeline[]> {
  const rows = await selectPipelines(db)
    .where('scope', '=', scope)
    .where(sql<boolean>`name collate "C" > ${after}`)
    .orderBy(sql`name collate "C"`)
    .limit(limit)
    .execute();
  return rows.map(fromRow);
}

export async function countApiPipelines(db: Kysely<Database>, scope: number): Promise<number> {
  const counted = await db
    .selectFrom('api_pipelines')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .where('scope', '=', scope)
    .executeTakeFirstOrThrow();
  return Number(counted.count);
}

/** The definition must be stored already. */
export async function saveApiPipelineVersion(
  trx: Transaction<Database>,
  { id, version, digest }: Pick<ApiPipeline, 'id' | 'version' | 'digest'>,
): Promise<void> {
  await trx
    .updateTable('api_pipelines')
    .set({ version, digest, updated_at: sql<Date>`now()` })
    .where('id', '=', id)
    .execute();
  await insertVersion(trx, id, version, digest);
}

export async function apiPipelineVersion(
  db: Kysely<Database>,
  id: number,
  version: number,
): Promise<PipelineDefinition | null> {
  const row = await db
    .selectFrom('api_pipeline_versions')
    .innerJoin('definitions', 'definitions.digest', 'api_pipeline_versions.digest')
    .select('definition')
    .where('pipeline_id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst();
  return row?.definition ?? null;
}

export async function saveApiPipelineTags(db: Kysely<Database>, id: number, tags: Tags): Promise<void> {
  await db
    .updateTable('api_pipelines')
    .set({ tags: jsonText(tags) })
    .where('id', '=', id)
    .execute();
}

export async function deleteApiPipeline(db: Kysely<Database>, scope: number, name: string): Promise<void> {
  await db.deleteFrom('api_pipelines').where('scope', '=', scope).where('name', '=', name).execute();
}

/** What stands for "no repository" where the engine asks for one; suspended, so that nobody serves it. */
export async function ensureAdminScope(db: Kysely<Database>): Promise<void> {
  await sql`
    insert into repositories (id, owner, name, installation_id, suspended)
    values (${adminScope}, 'penstock', 'api', 0, 'it stands for pipelines of the CodePipeline API')
    on conflict (id) do nothing`.execute(db);
}

async function insertVersion(trx: Transaction<Database>, id: number, version: number, digest: string): Promise<void> {
  await trx.insertInto('api_pipeline_versions').values({ pipeline_id: id, version, digest }).execute();
}

function selectPipelines(db: Kysely<Database>) {
  return db
    .selectFrom('api_pipelines')
    .innerJoin('definitions', 'definitions.digest', 'api_pipelines.digest')
    .select(['id', 'scope', 'name', 'version', 'definition', 'api_pipelines.digest', 'tags'])
    .select(['created_at as createdAt', 'updated_at as updatedAt']);
}

/** Not the lane of a pipeline of the same name in the repository's own configuration, nor that of a deleted namesake. */
function fromRow(row: Omit<ApiPipeline, 'lane'>): ApiPipeline {
  return { ...row, lane: `${row.scope}/${row.name}/api-${row.id}` as LaneKey };
}
