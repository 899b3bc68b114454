import { ensureAccount, findAccount } from '../people.ts';
import { findRepository } from '../route.ts';
import type { Site } from '../site.ts';
import type { Account, AccountType, PullRequest, Repository, Role } from '../state.ts';

export interface PeopleControl {
  createAccount(who: { readonly login: string; readonly type?: AccountType }): Account;
  /** The same account under another login; the old one is free for anybody then. */
  renameAccount(login: string, to: string): void;
  deleteAccount(login: string): void;
  /** `none` takes the grant away. The owner is admin whatever is set. */
  setPermission(repository: string, login: string, role: Role): void;
  /** Members of a child team count as members of its parent. */
  createTeam(team: {
    readonly organization: string;
    readonly slug: string;
    readonly parent?: string;
    readonly members?: readonly string[];
  }): void;
  addToTeam(organization: string, slug: string, login: string, state?: 'active' | 'pending'): void;
  removeFromTeam(organization: string, slug: string, login: string): void;
  renameTeam(organization: string, slug: string, to: string): void;
}

export function peopleControl(site: Site): PeopleControl {
  const teamOf = (organization: string, slug: string) => {
    const team = site.state.teams.get(`${organization}/${slug}`.toLowerCase());
    if (team === undefined) throw new Error(`no team ${organization}/${slug}: createTeam first`);
    return team;
  };
  return {
    createAccount: ({ login, type }) => ensureAccount(site, login, type),
    renameAccount: (login, to) => moveAccount(site, accountNamed(site, login), to),
    deleteAccount: (login) => moveAccount(site, accountNamed(site, login)),
    setPermission(repository, login, role) {
      ensureAccount(site, login);
      const { roles } = repositoryNamed(site, repository);
      if (role === 'none') roles.delete(login.toLowerCase());
      else roles.set(login.toLowerCase(), role);
    },
    createTeam({ organization, slug, parent, members = [] }) {
      for (const login of members) ensureAccount(site, login);
      const active = members.map((login) => [login.toLowerCase(), 'active'] as const);
      const team = { id: site.state.nextId(), organization, slug, parent: parent ?? null, members: new Map(active) };
      site.state.teams.set(`${organization}/${slug}`.toLowerCase(), team);
    },
    addToTeam(organization, slug, login, state = 'active') {
      ensureAccount(site, login);
      teamOf(organization, slug).members.set(login.toLowerCase(), state);
    },
    removeFromTeam(organization, slug, login) {
      teamOf(organization, slug).members.delete(login.toLowerCase());
    },
    renameTeam(organization, slug, to) {
      const team = teamOf(organization, slug);
      site.state.teams.delete(`${organization}/${slug}`.toLowerCase());
      site.state.teams.set(`${organization}/${to}`.toLowerCase(), Object.assign(team, { slug: to }));
    },
  };
}

/** What an account was granted goes with it. */
function moveAccount({ state }: Site, account: Account, to?: string): void {
  const from = account.login.toLowerCase();
  const grants: Map<string, unknown>[] = [
    state.accounts,
    ...[...state.repositories.values()].map(({ roles }) => roles),
    ...[...state.teams.values()].map(({ members }) => members),
  ];
  for (const grant of grants) {
    const granted = grant.get(from);
    grant.delete(from);
    if (to !== undefined && granted !== undefined) grant.set(to.toLowerCase(), granted);
  }
  if (to !== undefined) account.login = to;
}

/** What the other acts of people stand on. A name that does not exist is a mistake in the story. */
export function repositoryNamed(site: Site, name: string): Repository {
  const found = findRepository(site, name);
  if (found === null) throw new Error(`no repository ${name}: createRepository first`);
  return found;
}

export function pullNumbered(site: Site, repository: string, number: number): PullRequest {
  const found = repositoryNamed(site, repository).pullRequests.get(number);
  if (found === undefined) throw new Error(`no pull request ${repository}#${number}: openPullRequest first`);
  return found;
}

export function accountNamed(site: Site, login: string): Account {
  return findAccount(site, login) ?? ensureAccount(site, login);
}
