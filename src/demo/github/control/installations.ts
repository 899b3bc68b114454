import { account, type Payload } from '../payloads/account.ts';
import { installationPayload, installedRepository } from '../payloads/installation.ts';
import { ensureAccount } from '../people.ts';
import type { Site } from '../site.ts';
import type { Account, Installation, Repository } from '../state.ts';
import { repositoryNamed } from './people.ts';

export interface InstallationControl {
  /** On all of the owner's repositories, or on the named ones (owner/name). Resolves to the installation's id. */
  install(where: { readonly owner: string; readonly repositories?: readonly string[] }): number;
  uninstall(installation: number): void;
  suspend(installation: number): void;
  unsuspend(installation: number): void;
  addToInstallation(installation: number, repository: string): void;
  removeFromInstallation(installation: number, repository: string): void;
}

export function installationControl(site: Site): InstallationControl {
  return {
    install({ owner, repositories }) {
      const holder = ensureAccount(site, owner, 'Organization');
      const ids = repositories?.map((name) => repositoryNamed(site, name).id);
      const installation: Installation = {
        id: site.state.nextId(),
        account: holder,
        repositories: ids === undefined ? null : new Set(ids),
        suspendedAt: null,
        createdAt: site.now(),
      };
      site.state.installations.set(installation.id, installation);
      tellInstallation(site, installation, 'created');
      return installation.id;
    },
    uninstall(id) {
      const installation = installationOf(site, id);
      site.state.installations.delete(id);
      tellInstallation(site, installation, 'deleted');
    },
    suspend(id) {
      const installation = installationOf(site, id);
      installation.suspendedAt = site.now();
      tellInstallation(site, installation, 'suspend');
    },
    unsuspend(id) {
      const installation = installationOf(site, id);
      installation.suspendedAt = null;
      tellInstallation(site, installation, 'unsuspend');
    },
    addToInstallation: (id, repository) =>
      change(site, installationOf(site, id), repositoryNamed(site, repository), 'added'),
    removeFromInstallation: (id, repository) =>
      change(site, installationOf(site, id), repositoryNamed(site, repository), 'removed'),
  };
}

function installationOf(site: Site, id: number): Installation {
  const found = site.state.installations.get(id);
  if (found === undefined) throw new Error(`no installation ${id}: install first`);
  return found;
}

function installedOn(site: Site, installation: Installation): readonly Repository[] {
  const own = [...site.state.repositories.values()].filter(({ owner }) => owner.id === installation.account.id);
  return own.filter(({ id }) => installation.repositories?.has(id) ?? true);
}

/** Sent to every App, whatever it subscribed to, and even when it is suspended. */
function send(site: Site, installation: Installation, event: string, own: Payload & { action: string }): void {
  site.webhooks.send({
    event,
    action: own.action,
    installationId: installation.id,
    repositoryId: null,
    payload: {
      installation: installationPayload(site, installation),
      sender: account(site, senderOf(site, installation)),
      ...own,
    },
  });
}

/** Organizations do not click; one of their owners does. */
function senderOf(site: Site, installation: Installation): Account {
  const holder = installation.account;
  return holder.type === 'Organization' ? ensureAccount(site, `${holder.login}-owner`) : holder;
}

function tellInstallation(site: Site, installation: Installation, action: string): void {
  const repositories = installedOn(site, installation).map(installedRepository);
  send(site, installation, 'installation', { action, repositories, requester: null });
}

function change(site: Site, installation: Installation, repository: Repository, action: 'added' | 'removed'): void {
  if (installation.repositories === null) throw new Error('this installation covers all repositories of its account');
  if (action === 'added') installation.repositories.add(repository.id);
  else installation.repositories.delete(repository.id);
  const moved = [installedRepository(repository)];
  send(site, installation, 'installation_repositories', {
    action,
    repository_selection: 'selected',
    repositories_added: action === 'added' ? moved : [],
    repositories_removed: action === 'removed' ? moved : [],
    requester: null,
  });
}
