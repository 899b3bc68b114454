import type { GatePerson, PersonFacts } from '../commands/gate.ts';
import type { ExecutionRecord } from '../db/executions.ts';
import { loadRepository } from '../db/repositories.ts';
import type { VoteRecord } from '../db/votes.ts';
import type { Deps } from '../deps.ts';
import type { RepositoryRef, Writer } from '../github/github.ts';
import { groupsOf } from './gate-owners.ts';
import { headPusher } from './head-pusher.ts';

/** What GitHub said about people, and when. */
export interface AskedPeople {
  readonly people: readonly PersonFacts[];
  readonly askedAt: Date;
  /** Some who could approve were not asked about. */
  readonly cut?: boolean;
  readonly lastPusher?: GatePerson;
}

/** Whose membership is asked to tell who could approve; everybody who voted is asked about anyhow. */
const mostAsked = 30;

/**
 * Everybody who voted, asked for live and by account number (SEC R3, SEC-B-11), and everybody who could: the list of
 * writers says enough about those.
 */
export async function gatherPeople(
  deps: Pick<Deps, 'db' | 'github' | 'now'>,
  record: ExecutionRecord,
  votes: readonly VoteRecord[],
): Promise<AskedPeople> {
  const askedAt = deps.now();
  const repository = await loadRepository(deps.db, record.repositoryId);
  if (!repository) return { people: [], askedAt };
  const teams = teamsNamed(record);
  const writers = await deps.github.writers(repository);
  const voted = new Map(votes.map((vote) => [vote.personId, vote.login]));
  const others = writers.filter(({ id }) => !voted.has(id));
  const people: PersonFacts[] = [];
  for (const [id, login] of voted) people.push(await voter(deps, repository, { id, login }, { teams, writers }));
  for (const one of others.slice(0, mostAsked)) {
    people.push({ ...one, teams: await teamsOf(deps, repository, one.login, teams) });
  }
  // Beyond that nobody's team is known, so they are named only where no team is asked for.
  people.push(...others.slice(mostAsked).map((one) => ({ ...one, teams: [] })));
  const cut = teams.length > 0 && others.length > mostAsked;
  return { people, askedAt, cut, ...(await lastPusherOf(deps, repository, record)) };
}

/** Of a pull request: whoever pushed its head, however the execution was started. Of a push it is known from the start. */
async function lastPusherOf(
  deps: Pick<Deps, 'db' | 'github'>,
  repository: RepositoryRef,
  { context }: ExecutionRecord,
): Promise<Pick<AskedPeople, 'lastPusher'>> {
  const { lastPusher, pullRequest, headSha, headBranch: branch, fork } = context;
  if (lastPusher || pullRequest === undefined) return lastPusher ? { lastPusher } : {};
  const id = await headPusher(deps, repository, { number: pullRequest, headSha, branch, fork });
  return id === null ? {} : { lastPusher: { id, login: `github-${id}` } };
}

/** Under the login of today: the vote may have been given under an older one. */
async function voter(
  deps: Pick<Deps, 'github'>,
  repository: RepositoryRef,
  person: Pick<PersonFacts, 'id' | 'login'>,
  { teams, writers }: { readonly teams: readonly string[]; readonly writers: readonly Writer[] },
): Promise<PersonFacts> {
  const login = writers.find(({ id }) => id === person.id)?.login ?? person.login;
  const permission = await deps.github.permissionOf(repository, login, person.id);
  const member = permission === 'none' ? [] : await teamsOf(deps, repository, login, teams);
  return { id: person.id, login, bot: false, permission, teams: member };
}

/** Those of the teams that the person is a member of. */
export async function teamsOf(
  deps: Pick<Deps, 'github'>,
  repository: RepositoryRef,
  login: string,
  teams: readonly string[],
): Promise<readonly string[]> {
  const member: string[] = [];
  for (const team of teams) if (await deps.github.isTeamMember(repository, team, login)) member.push(team);
  return member;
}

/** Teams of the policies, and those that CODEOWNERS names for the touched files. */
export function teamsNamed({ context }: Pick<ExecutionRecord, 'context'>): readonly string[] {
  const named = Object.values(context.gates).flatMap((policy) => groupsOf(policy.from).flatMap((one) => one.teams));
  const owned = context.owners === undefined || context.owners === 'unknown' ? [] : context.owners;
  const owners = owned.flatMap((one) => one.owners).filter((name) => /^@[^/]+\/[^/]+$/.test(name));
  return [...new Set([...named, ...owners.map((name) => name.slice(1))])];
}
