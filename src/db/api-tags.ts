import { sql, type Kysely } from 'kysely';
import type { Tags } from './api-tables.ts';
import type { CustomTypeKey } from './custom-action-types.ts';
import type { Database } from './database.ts';
import { jsonText } from './json.ts';

export async function saveCustomTypeTags(db: Kysely<Database>, key: CustomTypeKey, tags: Tags): Promise<void> {
  const list = Object.entries(tags).map(([name, value]) => ({ key: name, value }));
  await sql`
    update custom_action_types set declaration = jsonb_set(declaration, '{tags}', ${jsonText(list)}::jsonb)
    where category = ${key.category} and provider = ${key.provider} and version = ${key.version}`.execute(db);
}
