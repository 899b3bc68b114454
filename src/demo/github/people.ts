import type { Site } from './site.ts';
import type { Account, AccountType, Repository, Role } from './state.ts';

export function findAccount(site: Site, login: string): Account | null {
  return site.state.accounts.get(login.toLowerCase()) ?? null;
}

/** People of a story come to be when they first act. */
export function ensureAccount(site: Site, login: string, type: AccountType = 'User'): Account {
  const found = findAccount(site, login);
  if (found !== null) return found;
  const made = { id: site.state.nextId(), login, type };
  site.state.accounts.set(login.toLowerCase(), made);
  return made;
}

/** The account that GitHub acts with for an App. */
export function appBot(site: Site): Account {
  return ensureAccount(site, `${site.app.slug}[bot]`, 'Bot');
}

/** GitHub itself, as the committer of merges made on its pages. */
export function webFlow(site: Site): Account {
  return ensureAccount(site, 'web-flow');
}

export function roleOf(repository: Repository, who: Account): Role {
  if (who.id === repository.owner.id) return 'admin';
  return repository.roles.get(who.login.toLowerCase()) ?? (repository.private ? 'none' : 'read');
}

/** What the permission endpoint says for a role: maintain counts as write, triage as read. */
export function permissionOfRole(role: Role): 'admin' | 'write' | 'read' | 'none' {
  if (role === 'maintain') return 'write';
  if (role === 'triage') return 'read';
  return role;
}

export function association(site: Site, repository: Repository, who: Account): string {
  if (who.id === repository.owner.id) return 'OWNER';
  if (isMember(site, repository.owner.login, who)) return 'MEMBER';
  if (repository.roles.has(who.login.toLowerCase())) return 'COLLABORATOR';
  const merged = [...repository.pullRequests.values()].some((pull) => pull.merged !== null && pull.author === who);
  return merged ? 'CONTRIBUTOR' : 'NONE';
}

function isMember(site: Site, organization: string, who: Account): boolean {
  return [...site.state.teams.values()].some(
    (team) => team.organization === organization && team.members.get(who.login.toLowerCase()) === 'active',
  );
}
