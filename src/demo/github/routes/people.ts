import { notFound } from '../api-error.ts';
import { holds } from '../auth.ts';
import { findAccount, permissionOfRole, roleOf } from '../people.ts';
import { account, time, type Payload } from '../payloads/account.ts';
import { listAnswer, ok, repositoryRoute, type Answer, type Call, type RepositoryCall, type Route } from '../route.ts';
import type { Account, Role, Team } from '../state.ts';

export const peopleRoutes: readonly Route[] = [
  repositoryRoute('GET /collaborators', ['metadata:read'], (call) =>
    listAnswer(call, collaborators(call), (who) => collaborator(call, who)),
  ),
  repositoryRoute('GET /collaborators/{username}/permission', ['metadata:read'], (call) => {
    const who = findAccount(call.site, call.parameters['username'] ?? '');
    if (who === null) throw notFound();
    const role = roleOf(call.repository, who);
    return ok({ permission: permissionOfRole(role), role_name: role, user: collaborator(call, who) });
  }),
  { operation: 'GET /users/{username}', needs: 'app or installation', answer: user },
  { operation: 'GET /orgs/{org}/teams/{team_slug}/memberships/{username}', needs: 'installation', answer: membership },
];

const order: readonly Role[] = ['none', 'read', 'triage', 'write', 'maintain', 'admin'];
const least: Readonly<Record<string, Role>> = {
  pull: 'read',
  triage: 'triage',
  push: 'write',
  maintain: 'maintain',
  admin: 'admin',
};

function rank(role: Role): number {
  return order.indexOf(role);
}

/** `permission=push` keeps those who may at least push. */
function collaborators(call: RepositoryCall): readonly Account[] {
  const needed = rank(least[call.query.get('permission') ?? 'pull'] ?? 'read');
  return [...call.site.state.accounts.values()].filter((who) => {
    const named = who.id === call.repository.owner.id || call.repository.roles.has(who.login.toLowerCase());
    return named && who.type !== 'Organization' && rank(roleOf(call.repository, who)) >= needed;
  });
}

function collaborator(call: RepositoryCall, who: Account): Payload {
  const role = roleOf(call.repository, who);
  const may = (name: string) => rank(role) >= rank(least[name] ?? 'admin');
  const permissions = Object.fromEntries(Object.keys(least).map((name) => [name, may(name)]));
  return { ...account(call.site, who), permissions, role_name: role };
}

function user(call: Call): Answer {
  const who = findAccount(call.site, call.parameters['username'] ?? '');
  if (who === null) throw notFound();
  const at = time(call.site.app.createdAt);
  const empty = { name: null, company: null, blog: null, location: null, email: null, hireable: null, bio: null };
  const numbers = { public_repos: 0, public_gists: 0, followers: 0, following: 0 };
  return ok({ ...account(call.site, who), ...empty, ...numbers, created_at: at, updated_at: at });
}

/** Members of a child team are members of its parents. Not a member, no such team, no right to know: all 404. */
function membership(call: Call): Answer {
  const { site, parameters, caller } = call;
  if (caller.kind !== 'installation' || !holds(caller.token.permissions, 'members:read')) throw notFound();
  const key = (slug: string) => `${parameters['org']}/${slug}`.toLowerCase();
  const team = site.state.teams.get(key(parameters['team_slug'] ?? ''));
  const state = team === undefined ? undefined : membershipState(call, team, parameters['username'] ?? '');
  if (team === undefined || state === undefined) throw notFound();
  const url = `${site.url}/orgs/${team.organization}/teams/${team.slug}/memberships/${parameters['username']}`;
  return ok({ url, role: 'member', state });
}

function membershipState(call: Call, team: Team, login: string): 'active' | 'pending' | undefined {
  const own = team.members.get(login.toLowerCase());
  if (own !== undefined) return own;
  for (const child of call.site.state.teams.values()) {
    if (child.organization !== team.organization || child.parent !== team.slug) continue;
    const state = membershipState(call, child, login);
    if (state !== undefined) return state;
  }
  return undefined;
}
