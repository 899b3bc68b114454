import { z } from 'zod';
import type { Client } from './client.ts';
import type { DeliveryRecord, GitHub, RepositoryRef } from './github.ts';
import { allPages, nextCursor } from './paging.ts';
import { id, repository, repositoryRef, text } from './shapes.ts';

type AppVerbs = Pick<GitHub, 'installedRepositories' | 'deliveriesSince' | 'redeliver' | 'fetchAccess'>;

const asApp = { kind: 'app' } as const;
const installations = z.array(z.object({ id, suspended_at: z.string().nullish() }));
const repositories = z.object({ repositories: z.array(repository) });
const deliveries = z.array(
  z.object({ id, guid: text, event: text, delivered_at: z.string(), status_code: z.int().nullish() }),
);

/** What the App asks in its own name; deliveries are not for installation tokens. */
export function appVerbs(client: Client): AppVerbs {
  return {
    installedRepositories: () => installedRepositories(client),
    deliveriesSince: (since) => deliveriesSince(client, since),
    async redeliver(delivery_id) {
      await client.ask(asApp, 'POST /app/hook/deliveries/{delivery_id}/attempts', { delivery_id }, z.unknown());
    },
    async fetchAccess(repository) {
      const token = await client.tokens.get({ kind: 'repository', repository, permissions: 'contents' });
      const path = [repository.owner, repository.name].map(encodeURIComponent).join('/');
      return { url: `${gitBase(client.baseUrl)}/${path}.git`, token };
    },
  };
}

/** Where git is served: beside api.github.com, and at the root of an Enterprise Server whose API is below /api/v3. */
export function gitBase(apiUrl: string): string {
  const url = new URL(apiUrl);
  if (url.hostname.startsWith('api.') && url.pathname === '/')
    return `${url.protocol}//${url.host.slice('api.'.length)}`;
  return url.origin;
}

/** The one use of a token for a whole installation: it may read nothing but names. */
async function installedRepositories(client: Client): Promise<readonly RepositoryRef[]> {
  const pages = await allPages(client, asApp, 'GET /app/installations', {}, installations, (page) => page);
  const active = pages.flat().filter((one) => !one.suspended_at);
  const found: RepositoryRef[] = [];
  for (const { id: installationId } of active) {
    const access = { kind: 'installation', installationId } as const;
    const lists = await allPages(
      client,
      access,
      'GET /installation/repositories',
      {},
      repositories,
      (p) => p.repositories,
    );
    found.push(...lists.flatMap((page) => page.repositories).map((one) => repositoryRef(one, installationId)));
  }
  return found;
}

const mostPages = 50;

async function deliveriesSince(client: Client, since: Date): Promise<readonly DeliveryRecord[]> {
  const found: DeliveryRecord[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < mostPages; page += 1) {
    const parameters = { per_page: 100, ...(cursor !== null && { cursor }) };
    const read = await client.answer(asApp, 'GET /app/hook/deliveries', parameters, deliveries);
    const recent = read.data.filter((one) => Date.parse(one.delivered_at) >= since.getTime());
    found.push(...recent.map(recordOf));
    cursor = nextCursor(read);
    if (cursor === null || recent.length < read.data.length) break;
  }
  return found;
}

function recordOf(shape: z.output<typeof deliveries>[number]): DeliveryRecord {
  const code = shape.status_code ?? 0;
  return {
    id: shape.id,
    guid: shape.guid,
    event: shape.event,
    deliveredAt: shape.delivered_at,
    ok: code >= 200 && code < 300,
  };
}
