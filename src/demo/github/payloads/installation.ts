import type { Site } from '../site.ts';
import { fullName, type Installation, type Repository } from '../state.ts';
import { account, appOwner, nodeId, time, type Payload } from './account.ts';

export function installationPayload(site: Site, installation: Installation): Payload {
  const url = `${site.url}/app/installations/${installation.id}`;
  return {
    id: installation.id,
    client_id: `Iv1.${site.app.id}`,
    account: account(site, installation.account),
    repository_selection: installation.repositories === null ? 'all' : 'selected',
    access_tokens_url: `${url}/access_tokens`,
    repositories_url: `${site.url}/installation/repositories`,
    html_url: `${site.url}/settings/installations/${installation.id}`,
    app_id: site.app.id,
    app_slug: site.app.slug,
    target_id: installation.account.id,
    target_type: installation.account.type === 'Organization' ? 'Organization' : 'User',
    permissions: site.app.permissions,
    events: site.app.events,
    created_at: time(installation.createdAt),
    updated_at: time(installation.createdAt),
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: installation.suspendedAt === null ? null : appOwner(site),
    suspended_at: installation.suspendedAt === null ? null : time(installation.suspendedAt),
  };
}

/** How installation events list repositories. */
export function installedRepository(repository: Repository): Payload {
  return {
    id: repository.id,
    node_id: nodeId('R', repository.id),
    name: repository.name,
    full_name: fullName(repository),
    private: repository.private,
  };
}
