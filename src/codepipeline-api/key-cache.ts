import type { Kysely } from 'kysely';
import { findApiKey, type ApiKey } from '../db/api-keys.ts';
import type { Database } from '../db/database.ts';
import type { ServerSecret } from './server-secret.ts';

/** A key with the secret that its signatures are checked with. */
export interface HeldKey extends Pick<ApiKey, 'accessKeyId' | 'repositoryId' | 'readOnly' | 'mayApprove'> {
  readonly secretAccessKey: string;
}

/** Keys that were looked up a moment ago, so that a caller who asks often costs no query for each request. */
export interface KeyCache {
  find(accessKeyId: string): Promise<HeldKey | null>;
  /** Revoked here: unknown at once. */
  forget(accessKeyId: string): void;
}

/** A key that another process revoked counts here this much longer. */
const lifetimeMs = 1_000;
const mostKeys = 1_000;

export function createKeyCache(db: Kysely<Database>, secret: ServerSecret): KeyCache {
  const held = new Map<string, { readonly key: HeldKey; readonly until: number }>();
  return {
    async find(accessKeyId) {
      const known = held.get(accessKeyId);
      if (known && known.until > performance.now()) return known.key;
      held.delete(accessKeyId);
      const found = await findApiKey(db, accessKeyId);
      if (!found) return null;
      const { sealedSecret, ...rest } = found;
      const key = { ...rest, secretAccessKey: secret.open(sealedSecret, `API key ${accessKeyId}`) };
      if (held.size >= mostKeys) held.clear();
      held.set(accessKeyId, { key, until: performance.now() + lifetimeMs });
      return key;
    },
    forget: (accessKeyId) => void held.delete(accessKeyId),
  };
}
