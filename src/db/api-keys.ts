import { sql, type Kysely } from 'kysely';
import type { Database } from './database.ts';

/** An access key of the CodePipeline API, without its secret. */
export interface ApiKey {
  readonly accessKeyId: string;
  /** null: an admin key. */
  readonly repositoryId: number | null;
  readonly readOnly: boolean;
  /** Its answer releases gates of the repository's own pipelines, whatever their policies say. */
  readonly mayApprove: boolean;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
}

type NewApiKey = Pick<ApiKey, 'accessKeyId' | 'repositoryId' | 'readOnly' | 'mayApprove'> & {
  readonly sealedSecret: Buffer;
};

export async function insertApiKey(db: Kysely<Database>, key: NewApiKey): Promise<void> {
  await db
    .insertInto('api_keys')
    .values({
      access_key_id: key.accessKeyId,
      sealed_secret: key.sealedSecret,
      repository_id: key.repositoryId,
      read_only: key.readOnly,
      may_approve: key.mayApprove,
    })
    .execute();
}

/** Only one that counts: a revoked key is not found. */
export async function findApiKey(db: Kysely<Database>, accessKeyId: string) {
  const row = await selectKeys(db)
    .select('sealed_secret as sealedSecret')
    .where('access_key_id', '=', accessKeyId)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return row ?? null;
}

/** Oldest first, revoked ones too. */
export function listApiKeys(db: Kysely<Database>): Promise<readonly ApiKey[]> {
  return selectKeys(db).orderBy('created_at').orderBy('access_key_id').execute();
}

/** False: there is no such key, or it was revoked before. */
export async function revokeApiKey(db: Kysely<Database>, accessKeyId: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('api_keys')
    .set({ revoked_at: sql<Date>`now()` })
    .where('access_key_id', '=', accessKeyId)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

function selectKeys(db: Kysely<Database>) {
  return db
    .selectFrom('api_keys')
    .select([
      'access_key_id as accessKeyId',
      'repository_id as repositoryId',
      'read_only as readOnly',
      'may_approve as mayApprove',
      'created_at as createdAt',
      'revoked_at as revokedAt',
    ]);
}
