import type { AppRecord } from '../app-record.ts';
import type { Site } from '../site.ts';
import type { Account } from '../state.ts';

/** JSON as GitHub sends it. */
export type Payload = Record<string, unknown>;

/** GitHub writes times without milliseconds. */
export function time(at: Date): string {
  return at.toISOString().replace(/\.\d+Z$/, 'Z');
}

export function nodeId(kind: string, id: number): string {
  return `${kind}_${Buffer.from(String(id)).toString('base64url')}`;
}

export function account(site: Site, who: Account): Payload {
  const url = `${site.url}/users/${encodeURIComponent(who.login)}`;
  return {
    login: who.login,
    id: who.id,
    node_id: nodeId('U', who.id),
    avatar_url: `${site.url}/avatars/${who.id}`,
    gravatar_id: '',
    url,
    html_url: `${site.url}/${encodeURIComponent(who.login)}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: who.type,
    user_view_type: 'public',
    site_admin: false,
  };
}

export function appOwner(site: Site): Payload {
  return account(site, { id: 1, login: 'app-owner', type: 'Organization' });
}

export function appPayload(site: Site, app: AppRecord = site.app): Payload {
  return {
    id: app.id,
    client_id: `Iv1.${app.id}`,
    slug: app.slug,
    node_id: nodeId('A', app.id),
    owner: appOwner(site),
    name: app.name,
    description: null,
    external_url: site.url,
    html_url: `${site.url}/apps/${app.slug}`,
    created_at: time(app.createdAt),
    updated_at: time(app.createdAt),
    permissions: app.permissions,
    events: app.events,
  };
}
