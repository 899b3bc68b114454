import type { Probot } from 'probot';
import { finishDelivery, loadDelivery } from '../db/deliveries.ts';
import type { Deps } from '../deps.ts';
import { subscribedEvents } from '../github/webhook-event.ts';

/**
 * Works on one stored webhook: hands the bytes to the Probot application exactly as GitHub sent them. Handlers write
 * the outcome; what no handler takes is marked here, so every delivery ends with a reason.
 */
export async function workOnDelivery(deps: Pick<Deps, 'db' | 'log'>, probot: Probot, guid: string): Promise<void> {
  const delivery = await loadDelivery(deps.db, guid);
  if (!delivery || delivery.outcome !== null) return;
  if (!subscribedEvents.includes(delivery.event)) {
    await finishDelivery(deps.db, guid, {
      outcome: 'ignored',
      reason: `event ${delivery.event} is not one that we act on`,
    });
    return;
  }
  const payload = parse(delivery.body);
  if (payload === undefined) {
    await finishDelivery(deps.db, guid, { outcome: 'rejected', reason: 'the body is not JSON' });
    return;
  }
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    await finishDelivery(deps.db, guid, { outcome: 'rejected', reason: 'the body is not a JSON object' });
    return;
  }
  // Probot types the payload by event name; ours is checked by toWebhookEvent, so the claim made here is not relied on.
  await probot.receive({ id: guid, name: delivery.event, payload } as unknown as Parameters<Probot['receive']>[0]);
  const after = await loadDelivery(deps.db, guid);
  if (after?.outcome === null) {
    await finishDelivery(deps.db, guid, { outcome: 'ignored', reason: 'no handler took it' });
  }
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { ignoreBOM: false }).decode(body)) as unknown;
  } catch {
    return undefined;
  }
}
