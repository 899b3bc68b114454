import { installRepositories, suspendRepositories, suspension, unsuspendInstallation } from '../db/repositories.ts';
import type { Deps } from '../deps.ts';
import type { WebhookEvent } from '../github/event.ts';
import { handled, type Outcome } from './outcome.ts';

/** Keeps the list of repositories equal to where the App is installed. */
export async function handleInstallation(
  deps: Pick<Deps, 'db'>,
  event: Extract<WebhookEvent, { kind: 'installation' }>,
): Promise<Outcome> {
  const count = event.repositories.length;
  switch (event.action) {
    case 'added':
    case 'unsuspended':
      await installRepositories(deps.db, event.repositories);
      if (event.action === 'unsuspended') await unsuspendInstallation(deps.db, event.installationId);
      return handled(`installation ${event.installationId}: ${count} repositories served`);
    case 'removed':
    case 'suspended': {
      const why = event.action === 'removed' ? suspension.removed : suspension.installation;
      const ids = event.repositories.map((repository) => repository.id);
      await suspendRepositories(deps.db, event.all ? { installationId: event.installationId } : { ids }, why);
      return handled(`installation ${event.installationId}: ${why}`);
    }
    default:
      return event.action satisfies never;
  }
}
