import { z } from 'zod';
import { UserError } from '../errors.ts';
import { GitHubRefusal } from './api-errors.ts';
import type { RepositoryRef } from './github.ts';

/** The least that each family of verbs needs (SEC-T-01). GitHub adds metadata:read to every token. */
export const permissionSets = {
  checks: { checks: 'write' },
  contents: { contents: 'read' },
  pulls: { pull_requests: 'read', issues: 'read' },
  talk: { pull_requests: 'write', issues: 'write' },
  people: { metadata: 'read' },
  teams: { members: 'read' },
} as const satisfies Record<string, Readonly<Record<string, 'read' | 'write'>>>;

export type PermissionSet = keyof typeof permissionSets;

/** What a token is for. A whole installation is only ever asked which repositories it has. */
export type Access =
  | { readonly kind: 'repository'; readonly repository: RepositoryRef; readonly permissions: PermissionSet }
  | { readonly kind: 'installation'; readonly installationId: number };

export interface Tokens {
  /** Lives for at least five more minutes. */
  get(access: Access): Promise<string>;
  /** GitHub did not know it any more. */
  forget(access: Access, token: string): void;
}

interface Minted {
  readonly token: string;
  readonly expiresAt: number;
}

/** `value` is there as soon as GitHub has answered. */
interface Entry {
  readonly minted: Promise<Minted>;
  value?: Minted;
}

/** Asks GitHub, as the App. */
export type Mint = (installationId: number, body: Readonly<Record<string, unknown>>) => Promise<unknown>;

const marginMs = 5 * 60_000;
const mostKept = 2000;
const answer = z.object({ token: z.string().min(1), expires_at: z.iso.datetime({ offset: true }) });

/** Kept in memory only, one for each repository and set of permissions. Two callers at once share one request. */
export function tokenCache(mint: Mint, now: () => Date): Tokens {
  const kept = new Map<string, Entry>();
  const isUsable = ({ value }: Entry) => value === undefined || value.expiresAt - marginMs > now().getTime();
  function start(access: Access, key: string): Entry {
    const entry: Entry = { minted: mintFor(mint, access) };
    const drop = () => kept.get(key) === entry && kept.delete(key);
    entry.minted.then((minted) => (entry.value = minted), drop);
    kept.delete(key);
    kept.set(key, entry);
    dropOldest(kept);
    return entry;
  }
  return {
    async get(access) {
      const key = keyOf(access);
      const known = kept.get(key);
      const entry = known && isUsable(known) ? known : start(access, key);
      return (await entry.minted).token;
    },
    forget(access, token) {
      const key = keyOf(access);
      if (kept.get(key)?.value?.token === token) kept.delete(key);
    },
  };
}

function dropOldest(kept: Map<string, unknown>): void {
  const [oldest] = kept.keys();
  if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
}

function keyOf(access: Access): string {
  if (access.kind === 'installation') return `installation ${access.installationId}`;
  const { repository, permissions } = access;
  return `${repository.installationId} ${repository.id} ${permissions}`;
}

async function mintFor(mint: Mint, access: Access): Promise<Minted> {
  const [installationId, body] =
    access.kind === 'installation'
      ? [access.installationId, { permissions: permissionSets.people }]
      : [
          access.repository.installationId,
          { repository_ids: [access.repository.id], permissions: permissionSets[access.permissions] },
        ];
  try {
    const { token, expires_at } = answer.parse(await mint(installationId, body));
    return { token, expiresAt: Date.parse(expires_at) };
  } catch (error) {
    throw error instanceof GitHubRefusal ? notGranted(error, access) : error;
  }
}

/** 404: uninstalled. 403: suspended. 422: another repository, or a permission that was not accepted yet. */
function notGranted(refusal: GitHubRefusal, access: Access): Error {
  const whose = access.kind === 'repository' ? `${access.repository.owner}/${access.repository.name}` : 'an account';
  if (refusal.status === 404) return new UserError(`The App is not installed on ${whose}. Install it there again.`);
  if (refusal.status === 403) return new UserError(`The App's installation on ${whose} is suspended. Unsuspend it.`);
  if (refusal.status !== 422 || access.kind !== 'repository') return refusal;
  const wanted = Object.entries(permissionSets[access.permissions])
    .map(([permission, level]) => `${permission}: ${level}`)
    .join(', ');
  return new UserError(
    `GitHub gives the App no access to ${whose} with ${wanted}. Accept the App's new permissions, or add the repository to its installation.`,
  );
}
