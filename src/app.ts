import type { Probot } from 'probot';
import { finishDelivery } from './db/deliveries.ts';
import { upsertRepository } from './db/repositories.ts';
import type { Deps } from './deps.ts';
import { UserError } from './errors.ts';
import type { WebhookEvent } from './github/event.ts';
import type { RepositoryRef } from './github/github.ts';
import { subscribedEvents, toWebhookEvent } from './github/webhook-event.ts';
import { handleButton, handleRerunCheck, handleRerunSuite } from './handlers/button.ts';
import { handleHumanText, handleTextChanged } from './handlers/human-text.ts';
import { handleInstallation } from './handlers/installation.ts';
import { handleMergeGroup } from './handlers/merge-group.ts';
import { handled, ignored, type Outcome } from './handlers/outcome.ts';
import { reconcilePullRequest } from './handlers/pull-request.ts';
import { handlePush } from './handlers/push.ts';

/** The Probot application function: one handler for all events, so that a retry repeats one thing. */
export function app(deps: Deps): (probot: Probot) => void {
  return (probot) => {
    for (const name of subscribedEvents) {
      probot.on(name as 'push', async (context) => {
        const outcome = await takeEvent(deps, context.id, context.name, context.payload).catch(asOutcome);
        await finishDelivery(deps.db, context.id, outcome);
      });
    }
  };
}

/** What a person has to mend (an App without access, say) is the delivery's outcome; trying again would not help. */
function asOutcome(error: unknown): DeliveryOutcome {
  if (error instanceof UserError) return ignored(error.message);
  throw error;
}

async function takeEvent(deps: Deps, delivery: string, name: string, payload: unknown): Promise<DeliveryOutcome> {
  const read = toWebhookEvent(name, payload, deps.appId);
  if (read.kind === 'ignored') return leftOut(read.reason);
  const { event } = read;
  if (event.kind === 'installation') return handleInstallation(deps, event);
  const refused = await refuseTenant(deps, event.repository);
  if (refused) return refused;
  return dispatch(deps, event, delivery);
}

type DeliveryOutcome = Outcome | { readonly outcome: 'rejected'; readonly reason: string };

/** A body that is not what its event promises is on record as rejected, not as something to leave alone. */
function leftOut(reason: string): DeliveryOutcome {
  return reason.startsWith('rejected:') ? { outcome: 'rejected', reason } : ignored(reason);
}

/** The repository must be served, and belong to the installation that it always belonged to (SEC-E-07, SEC-E-08). */
async function refuseTenant(deps: Deps, repository: RepositoryRef): Promise<DeliveryOutcome | undefined> {
  if (!deps.serves(repository.owner, repository.name)) {
    return ignored(`${repository.owner}/${repository.name} is not in repositories: of penstock.server.yml`);
  }
  const seen = await upsertRepository(deps.db, repository);
  if (seen.outcome === 'foreign-installation') {
    return { outcome: 'rejected', reason: `repository ${repository.id} belongs to another installation than this one` };
  }
  const { suspended } = seen.repository;
  return suspended === null ? undefined : ignored(`repository ${repository.id} is not served: ${suspended}`);
}

async function dispatch(
  deps: Deps,
  event: Exclude<WebhookEvent, { kind: 'installation' }>,
  delivery: string,
): Promise<Outcome> {
  switch (event.kind) {
    case 'push':
      return handlePush(deps, event, delivery);
    case 'pull-request':
      return reconcilePullRequest(deps, event.repository, event.pullRequest.number, {
        headSha: event.pullRequest.headSha,
        sender: event.sender,
        action: event.action,
        delivery,
      });
    case 'human-text':
      return handleHumanText(deps, event, delivery);
    case 'text-changed':
      return handleTextChanged(deps, event);
    case 'button':
      return handleButton(deps, event, delivery);
    case 'rerun-check':
      return handleRerunCheck(deps, event, delivery);
    case 'rerun-suite':
      return handleRerunSuite(deps, event, delivery);
    case 'merge-group':
      return handleMergeGroup(deps, event, delivery);
    case 'repository':
      return handled(`repository ${event.action}: the name on record follows`);
    default:
      return event satisfies never;
  }
}
