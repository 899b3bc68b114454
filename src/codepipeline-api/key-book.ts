import { listApiKeys, revokeApiKey, type ApiKey } from '../db/api-keys.ts';
import { findRepository, loadRepository } from '../db/repositories.ts';
import { UserError } from '../errors.ts';
import { makeApiKey } from './authenticate.ts';
import type { Door } from './door.ts';

/** What an operator does with access keys; in this process, or in the one that holds the database. */
export interface KeyBook {
  /** `repository` is `owner/name`, or null for an admin key. The secret is told this once. */
  create(key: NewKey): Promise<{ readonly accessKeyId: string; readonly secretAccessKey: string }>;
  /** A line for each key, oldest first. */
  list(): Promise<readonly string[]>;
  revoke(accessKeyId: string): Promise<void>;
}

export interface NewKey {
  readonly repository: string | null;
  readonly readOnly: boolean;
  readonly mayApprove: boolean;
}

/** Without `keys`: nobody serves in this process. */
type KeyDoor = Pick<Door, 'db' | 'secret'> & Partial<Pick<Door, 'keys'>>;

export function keyBook(door: KeyDoor): KeyBook {
  return {
    create: async ({ repository, ...may }) => {
      const repositoryId = repository === null ? null : await repositoryIdOf(door, repository);
      return makeApiKey(door, { repositoryId, ...may });
    },
    list: async () => {
      const keys = await listApiKeys(door.db);
      return Promise.all(keys.map((key) => describe(door, key)));
    },
    revoke: async (accessKeyId) => {
      const isRevoked = await revokeApiKey(door.db, accessKeyId);
      door.keys?.forget(accessKeyId);
      if (isRevoked) return;
      throw new UserError(`There is no key ${accessKeyId} that could be revoked. See penstock api-key list.`);
    },
  };
}

async function repositoryIdOf({ db }: KeyDoor, text: string): Promise<number> {
  const [owner = '', name = '', ...more] = text.split('/');
  const found = more.length === 0 && owner !== '' && name !== '' ? await findRepository(db, owner, name) : null;
  if (found) return found.id;
  throw new UserError(
    `The repository ${text} is not known here. Write owner/name of one that the GitHub App is installed on and that sent an event, or make an admin key.`,
  );
}

async function describe({ db }: KeyDoor, { accessKeyId, repositoryId, ...key }: ApiKey): Promise<string> {
  const repository = repositoryId === null ? null : await loadRepository(db, repositoryId);
  const name = repository ? `${repository.owner}/${repository.name}` : `repository ${repositoryId}`;
  const binding = repositoryId === null ? 'admin' : name;
  const state = key.revokedAt === null ? '' : `, revoked ${key.revokedAt.toISOString()}`;
  return `${accessKeyId}  ${binding}${key.readOnly ? ', read-only' : ''}${key.mayApprove ? ', may approve' : ''}, made ${key.createdAt.toISOString()}${state}`;
}
