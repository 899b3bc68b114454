import { z } from 'zod';
import { Forbidden, type Client } from './client.ts';
import type { GitHub, Permission, RepositoryRef, Writer } from './github.ts';
import { named, on, orNull } from './paging.ts';
import { account, id, text } from './shapes.ts';

type People = Pick<GitHub, 'permissionOf' | 'writers' | 'isTeamMember'>;

const permission = z.object({ permission: z.string(), user: z.object({ id }).nullish() });
const writer = z.intersection(account, z.object({ permissions: z.object({ admin: z.boolean() }).optional() }));
const membership = z.object({ state: text });

export function peopleVerbs(client: Client): People {
  return {
    async permissionOf(repository, login, wanted) {
      const route = 'GET /repos/{owner}/{repo}/collaborators/{username}/permission';
      const parameters = { ...named(repository), username: login };
      const asked = orNull(client.ask(on(repository, 'people'), route, parameters, permission));
      const found = await asked.catch(refusedToSay);
      if (found === 'unknown') return 'unknown';
      const isOther = wanted !== undefined && found?.user?.id !== wanted;
      return isOther ? 'none' : permissionIn(found?.permission);
    },
    writers: (repository) => writers(client, repository),
    async isTeamMember(repository, team, login) {
      const [org = '', team_slug = '', ...more] = team.split('/');
      const own = org.toLowerCase() === repository.owner.toLowerCase();
      if (!own || team_slug === '' || more.length > 0) return false;
      // Members of child teams are members here too.
      const route = 'GET /orgs/{org}/teams/{team_slug}/memberships/{username}';
      const found = await orNull(
        client.ask(on(repository, 'teams'), route, { org, team_slug, username: login }, membership),
      );
      return found?.state === 'active';
    },
  };
}

/** A right that the App was not given, as a rule. Nobody gets rights from that, and the asker is told. */
function refusedToSay(error: unknown): 'unknown' {
  if (error instanceof Forbidden) return 'unknown';
  throw error;
}

/** GitHub's older four words: maintain is told as write, triage as read. A word that it adds later is no permission. */
function permissionIn(word: string | undefined): Permission {
  return word === 'admin' || word === 'write' || word === 'read' ? word : 'none';
}

async function writers(client: Client, repository: RepositoryRef): Promise<readonly Writer[]> {
  const route = 'GET /repos/{owner}/{repo}/collaborators';
  const parameters = { ...named(repository), permission: 'push', per_page: 100 };
  const found = await client.ask(on(repository, 'people'), route, parameters, z.array(writer));
  return found
    .filter((person) => !person.bot)
    .map(({ id: number, login, bot, permissions }) => ({
      id: number,
      login,
      bot,
      permission: permissions?.admin === true ? 'admin' : 'write',
    }));
}
