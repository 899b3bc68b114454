import { sql, type Kysely } from 'kysely';
import type { Tags, WebhookFilter } from './api-tables.ts';
import type { Database } from './database.ts';
import { jsonText } from './json.ts';

/** A webhook of PutWebhook (CP 6.3). */
export interface ApiWebhook {
  readonly scope: number;
  readonly name: string;
  /** The unguessable part of its address. */
  readonly path: string;
  readonly targetPipeline: string;
  readonly targetAction: string;
  readonly authentication: string;
  readonly sealedConfiguration: Buffer;
  readonly filters: readonly WebhookFilter[];
  readonly tags: Tags;
  readonly lastTriggered: Date | null;
}

/** An existing one keeps its address (CP-T-8). */
export async function saveApiWebhook(db: Kysely<Database>, webhook: Omit<ApiWebhook, 'lastTriggered'>): Promise<void> {
  const changing = {
    target_pipeline: webhook.targetPipeline,
    target_action: webhook.targetAction,
    authentication: webhook.authentication,
    sealed_configuration: webhook.sealedConfiguration,
    filters: jsonText(webhook.filters),
    tags: jsonText(webhook.tags),
  };
  const { scope, name, path } = webhook;
  await db
    .insertInto('api_webhooks')
    .values({ scope, name, path, ...changing })
    .onConflict((oc) => oc.columns(['scope', 'name']).doUpdateSet(changing))
    .execute();
}

export async function findApiWebhook(db: Kysely<Database>, scope: number, name: string): Promise<ApiWebhook | null> {
  const row = await selectWebhooks(db).where('scope', '=', scope).where('name', '=', name).executeTakeFirst();
  return row ?? null;
}

export async function findApiWebhookByPath(db: Kysely<Database>, path: string): Promise<ApiWebhook | null> {
  return (await selectWebhooks(db).where('path', '=', path).executeTakeFirst()) ?? null;
}

/** By name. */
export function listApiWebhooks(db: Kysely<Database>, scope: number): Promise<readonly ApiWebhook[]> {
  return selectWebhooks(db)
    .where('scope', '=', scope)
    .orderBy(sql`name collate "C"`)
    .execute();
}

export async function countApiWebhooks(db: Kysely<Database>, scope: number): Promise<number> {
  const counted = await db
    .selectFrom('api_webhooks')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .where('scope', '=', scope)
    .executeTakeFirstOrThrow();
  return Number(counted.count);
}

export async function deleteApiWebhook(db: Kysely<Database>, scope: number, name: string): Promise<void> {
  await db.deleteFrom('api_webhooks').where('scope', '=', scope).where('name', '=', name).execute();
}

type WebhookKey = Pick<ApiWebhook, 'scope' | 'name'>;

export async function saveApiWebhookTags(db: Kysely<Database>, { scope, name }: WebhookKey, tags: Tags): Promise<void> {
  await db
    .updateTable('api_webhooks')
    .set({ tags: jsonText(tags) })
    .where('scope', '=', scope)
    .where('name', '=', name)
    .execute();
}

export async function noteWebhookTriggered(db: Kysely<Database>, { scope, name }: WebhookKey): Promise<void> {
  await db
    .updateTable('api_webhooks')
    .set({ last_triggered: sql<Date>`now()` })
    .where('scope', '=', scope)
    .where('name', '=', name)
    .execute();
}

function selectWebhooks(db: Kysely<Database>) {
  return db
    .selectFrom('api_webhooks')
    .select(['scope', 'name', 'path', 'target_pipeline as targetPipeline', 'target_action as targetAction'])
    .select(['authentication', 'sealed_configuration as sealedConfiguration', 'filters', 'tags'])
    .select('last_triggered as lastTriggered');
}
