/** What happened, told to the App where it is installed and has asked for such events. */
import { covers } from './auth.ts';
import { account, type Payload } from './payloads/account.ts';
import { repositoryPayload } from './payloads/repository.ts';
import type { Site } from './site.ts';
import type { Account, Installation, Repository } from './state.ts';

export function installationOf(site: Site, repository: Repository): Installation | null {
  for (const installation of site.state.installations.values()) {
    if (covers(installation, repository)) return installation;
  }
  return null;
}

/** `payload` is asked for only when somebody listens. */
export async function tell(
  site: Site,
  repository: Repository,
  event: string,
  by: Account,
  payload: () => Promise<Payload> | Payload,
): Promise<void> {
  const installation = installationOf(site, repository);
  if (installation === null || installation.suspendedAt !== null || !subscribed(site, event)) return;
  const owner = repository.owner;
  const organization = owner.type === 'Organization' ? { organization: organizationPayload(site, owner) } : {};
  const own = await payload();
  const action = typeof own['action'] === 'string' ? own['action'] : null;
  const common = {
    repository: repositoryPayload(site, repository),
    ...organization,
    sender: account(site, by),
    installation: { id: installation.id, node_id: `I_${installation.id}` },
  };
  site.webhooks.send({
    event,
    action,
    installationId: installation.id,
    repositoryId: repository.id,
    payload: { ...common, ...own },
  });
}

/** Apps that write checks hear of them without asking. */
function subscribed(site: Site, event: string): boolean {
  const ofChecks = event === 'check_run' || event === 'check_suite';
  return site.app.events.includes(event) || (ofChecks && site.app.permissions['checks'] === 'write');
}

function organizationPayload(site: Site, owner: Account): Payload {
  const url = `${site.url}/orgs/${owner.login}`;
  return {
    login: owner.login,
    id: owner.id,
    node_id: `O_${owner.id}`,
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: `${site.url}/avatars/${owner.id}`,
    description: null,
  };
}
