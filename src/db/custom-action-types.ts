import { sql, type Kysely, type Transaction } from 'kysely';
import type { ActionCategory } from '../pipeline/definition.ts';
import type { Database } from './database.ts';
import { jsonText } from './json.ts';

/** A type of owner Custom as it was registered (CP 4.1). */
export interface CustomActionType {
  readonly category: Exclude<ActionCategory, 'Approval' | 'Compute'>;
  readonly provider: string;
  readonly version: string;
  readonly settings?: {
    readonly thirdPartyConfigurationUrl?: string;
    readonly entityUrlTemplate?: string;
    readonly executionUrlTemplate?: string;
    readonly revisionUrlTemplate?: string;
  };
  readonly configurationProperties: readonly ConfigurationProperty[];
  readonly inputArtifactDetails: ArtifactDetails;
  readonly outputArtifactDetails: ArtifactDetails;
  readonly tags?: readonly { readonly key: string; readonly value: string }[];
}

export interface ConfigurationProperty {
  readonly name: string;
  readonly required: boolean;
  readonly key: boolean;
  readonly secret: boolean;
  readonly queryable?: boolean;
  readonly description?: string;
  readonly type?: 'String' | 'Number' | 'Boolean';
}

export interface ArtifactDetails {
  readonly minimumCount: number;
  readonly maximumCount: number;
}

export type CustomTypeKey = Pick<CustomActionType, 'category' | 'provider' | 'version'>;

export interface StoredCustomType {
  readonly declaration: CustomActionType;
  readonly deleted: boolean;
}

/** Deleted ones too. */
export async function findCustomActionType(
  db: Kysely<Database>,
  key: { readonly category: string; readonly provider: string; readonly version: string },
): Promise<StoredCustomType | null> {
  const row = await db
    .selectFrom('custom_action_types')
    .select(['declaration', 'deleted_at'])
    .where('category', '=', key.category)
    .where('provider', '=', key.provider)
    .where('version', '=', key.version)
    .executeTakeFirst();
  return row ? { declaration: row.declaration, deleted: row.deleted_at !== null } : null;
}

/** Registers it, or brings a deleted one back. False: it was registered already. */
export async function saveCustomActionType(trx: Transaction<Database>, type: CustomActionType): Promise<boolean> {
  const { category, provider, version } = type;
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('custom_action_types')
    .values({ category, provider, version, declaration: jsonText(type) })
    .onConflict((oc) =>
      oc
        .columns(['category', 'provider', 'version'])
        .doUpdateSet({ deleted_at: null, declaration: jsonText(type) })
        .where('custom_action_types.deleted_at', 'is not', null),
    )
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/** Marks it deleted; its version stays taken (CP-J-4). A second time changes nothing. */
export async function markCustomActionTypeDeleted(db: Kysely<Database>, key: CustomTypeKey): Promise<void> {
  await db
    .updateTable('custom_action_types')
    .set({ deleted_at: sql<Date>`now()` })
    .where('category', '=', key.category)
    .where('provider', '=', key.provider)
    .where('version', '=', key.version)
    .where('deleted_at', 'is', null)
    .execute();
}

/** Those that are not deleted, by category, provider and version. */
export async function listCustomActionTypes(db: Kysely<Database>): Promise<readonly CustomActionType[]> {
  const rows = await db
    .selectFrom('custom_action_types')
    .select('declaration')
    .where('deleted_at', 'is', null)
    .orderBy('category')
    .orderBy('provider')
    .orderBy('version')
    .execute();
  return rows.map((row) => row.declaration);
}
