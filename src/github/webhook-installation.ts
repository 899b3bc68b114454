import { z } from 'zod';
import type { EventOrIgnored, WebhookEvent } from './event.ts';
import { id, namedRepository, repositoryName } from './shapes.ts';
import { byAction, event, readRepositoryEvent, readShape, repositoryEvent } from './webhook-reader.ts';
import type { Reader } from './webhook-reader.ts';

type InstallationAction = Extract<WebhookEvent, { kind: 'installation' }>['action'];
type RepositoryAction = Extract<WebhookEvent, { kind: 'repository' }>['action'];

const installationShape = z.object({
  installation: z.object({ id }),
  repositories: z.array(repositoryName).nullish(),
});

export const installation: Reader = byAction(
  'installation',
  {
    created: (payload) => wholeInstallation('added', payload),
    deleted: (payload) => wholeInstallation('removed', payload),
    suspend: (payload) => wholeInstallation('suspended', payload),
    unsuspend: (payload) => wholeInstallation('unsuspended', payload),
  },
  { new_permissions_accepted: 'tokens are minted with what Penstock needs anyway' },
);

function wholeInstallation(action: InstallationAction, payload: unknown): EventOrIgnored {
  return readShape('installation', installationShape, payload, (body) =>
    event({
      kind: 'installation',
      action,
      installationId: body.installation.id,
      repositories: (body.repositories ?? []).map((shape) => namedRepository(shape, body.installation.id)),
      all: true,
    }),
  );
}

const selectionShape = z.object({
  installation: z.object({ id }),
  repositories_added: z.array(repositoryName),
  repositories_removed: z.array(repositoryName),
});

export const installationRepositories: Reader = byAction('installation_repositories', {
  added: (payload) => selection('added', payload),
  removed: (payload) => selection('removed', payload),
});

function selection(action: 'added' | 'removed', payload: unknown): EventOrIgnored {
  return readShape('installation_repositories', selectionShape, payload, (body) => {
    const installationId = body.installation.id;
    const list = action === 'added' ? body.repositories_added : body.repositories_removed;
    const repositories = list.map((shape) => namedRepository(shape, installationId));
    return event({ kind: 'installation', action, installationId, repositories, all: false });
  });
}

export const repositoryChanged: Reader = byAction('repository', {
  renamed: (payload) => changed('renamed', payload),
  transferred: (payload) => changed('transferred', payload),
  deleted: (payload) => changed('deleted', payload),
});

function changed(action: RepositoryAction, payload: unknown): EventOrIgnored {
  return readRepositoryEvent('repository', repositoryEvent, payload, (_, repository) =>
    event({ kind: 'repository', action, repository }),
  );
}
