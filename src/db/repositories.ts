import { sql, type Kysely } from 'kysely';
import type { RepositoryRef } from '../github/github.ts';
import type { Database } from './database.ts';

/** A repository as known here. `suspended` says why it is not served, or is null. */
export interface StoredRepository extends RepositoryRef {
  readonly suspended: string | null;
}

/** Reasons for `suspended` that later events look for. */
export const suspension = {
  installation: 'the installation of the App is suspended',
  removed: 'the App is not installed on it any more',
  transferred: 'it was moved to another owner, and the App was not installed for that owner yet',
} as const;

/**
 * What a delivery says of a repository, held against what is stored (SEC-E-07, SEC-E-08). Identity is the numeric id: a
 * rename is followed, another owner suspends, another installation is not believed.
 */
export type Seen =
  | { readonly outcome: 'known'; readonly repository: StoredRepository }
  | { readonly outcome: 'foreign-installation'; readonly repository: StoredRepository };

/** Stores a repository that an event names, or lets the stored one follow. */
export async function upsertRepository(db: Kysely<Database>, seen: RepositoryRef): Promise<Seen> {
  const { id, owner, name, installationId } = seen;
  await sql`
    insert into repositories (id, owner, name, installation_id) values (${id}, ${owner}, ${name}, ${installationId})
    on conflict (id) do update set owner = excluded.owner, name = excluded.name, seen_at = now(),
      suspended = case when lower(repositories.owner) = lower(excluded.owner) then repositories.suspended
        else ${suspension.transferred} end
    where repositories.installation_id = excluded.installation_id`.execute(db);
  const repository = await selectRepositories(db).where('id', '=', id).executeTakeFirstOrThrow();
  return { outcome: repository.installationId === installationId ? 'known' : 'foreign-installation', repository };
}

/**
 * GitHub says that the App is installed on these (its API, or an installation event): their installation is the one
 * named here. That also confirms a transfer, because it was the new owner's act and the operator chooses owners
 * in penstock.server.yml; only the suspension of a whole installation stays.
 */
export async function installRepositories(db: Kysely<Database>, repositories: readonly RepositoryRef[]): Promise<void> {
  for (const { id, owner, name, installationId } of repositories) {
    await sql`
      insert into repositories (id, owner, name, installation_id) values (${id}, ${owner}, ${name}, ${installationId})
      on conflict (id) do update set owner = excluded.owner, name = excluded.name, seen_at = now(),
        installation_id = excluded.installation_id,
        suspended = case
          when repositories.installation_id <> excluded.installation_id then null
          when repositories.suspended = ${suspension.removed} then null
          when lower(repositories.owner) <> lower(excluded.owner) then ${suspension.transferred}
          else repositories.suspended end`.execute(db);
  }
}

export async function loadRepository(db: Kysely<Database>, id: number): Promise<StoredRepository | null> {
  const row = await selectRepositories(db).where('id', '=', id).executeTakeFirst();
  return row ?? null;
}

/** By name as people write it. After a delete and re-create two ids have had the name: the one seen last. */
export async function findRepository(db: Kysely<Database>, owner: string, name: string) {
  const row = await selectRepositories(db)
    .where(sql`lower(owner)`, '=', owner.toLowerCase())
    .where(sql`lower(name)`, '=', name.toLowerCase())
    .orderBy('seen_at', 'desc')
    .executeTakeFirst();
  return row ?? null;
}

export function listRepositories(db: Kysely<Database>): Promise<readonly StoredRepository[]> {
  return selectRepositories(db).orderBy('owner').orderBy('name').execute();
}

/** Stops serving these. The first reason stays. */
export async function suspendRepositories(
  db: Kysely<Database>,
  which: { readonly ids: readonly number[] } | { readonly installationId: number },
  why: string,
): Promise<void> {
  const chosen =
    'ids' in which
      ? sql<boolean>`id = any(${which.ids}::bigint[])`
      : sql<boolean>`installation_id = ${which.installationId}`;
  await db.updateTable('repositories').set({ suspended: why }).where(chosen).where('suspended', 'is', null).execute();
}

/** Lifts what `suspension.installation` put on them. */
export async function unsuspendInstallation(db: Kysely<Database>, installationId: number): Promise<void> {
  await db
    .updateTable('repositories')
    .set({ suspended: null })
    .where('installation_id', '=', installationId)
    .where('suspended', '=', suspension.installation)
    .execute();
}

/** An operator's word that a repository is served again, whatever the reason was. */
export async function unsuspendRepository(db: Kysely<Database>, id: number): Promise<void> {
  await db.updateTable('repositories').set({ suspended: null }).where('id', '=', id).execute();
}

function selectRepositories(db: Kysely<Database>) {
  return db
    .selectFrom('repositories')
    .select(['id', 'owner', 'name', 'installation_id as installationId', 'suspended']);
}
