/** The App's webhook: where it goes, what was delivered, and asking for a delivery again. */
import { notFound } from '../api-error.ts';
import { time } from '../payloads/account.ts';
import { numberParameter, ok, textField, type Answer, type Call, type Route } from '../route.ts';
import type { Delivery } from '../webhooks.ts';

export const hookRoutes: readonly Route[] = [
  { operation: 'GET /app/hook/config', needs: 'app', answer: (call) => ok(config(call)) },
  {
    operation: 'PATCH /app/hook/config',
    needs: 'app',
    answer(call) {
      call.site.app.webhookUrl = textField(call, 'url') ?? call.site.app.webhookUrl;
      call.site.app.webhookSecret = textField(call, 'secret') ?? call.site.app.webhookSecret;
      return ok(config(call));
    },
  },
  { operation: 'GET /app/hook/deliveries', needs: 'app', answer: listDeliveries },
  {
    operation: 'GET /app/hook/deliveries/{delivery_id}',
    needs: 'app',
    answer: (call) => ok(wholeDelivery(deliveryOf(call))),
  },
  {
    operation: 'POST /app/hook/deliveries/{delivery_id}/attempts',
    needs: 'app',
    answer(call) {
      call.site.webhooks.redeliver(deliveryOf(call).id);
      return { status: 202, body: {} };
    },
  },
];

function config(call: Call): unknown {
  return {
    content_type: 'json',
    insecure_ssl: '0',
    secret: '********',
    url: call.site.app.webhookUrl ?? call.site.url,
  };
}

/** How long GitHub keeps deliveries to be looked at and asked for again. */
const kept = 3 * 24 * 3_600_000;

function keptDeliveries({ site }: Call): readonly Delivery[] {
  const since = site.now().getTime() - kept;
  return site.webhooks.log().filter(({ deliveredAt }) => deliveredAt.getTime() >= since);
}

function deliveryOf(call: Call): Delivery {
  const id = numberParameter(call, 'delivery_id');
  const found = keptDeliveries(call).find((delivery) => delivery.id === id);
  if (found === undefined) throw notFound();
  return found;
}

/** Newest first. Pages are named by a cursor, not a number; only what has ended is listed. */
function listDeliveries(call: Call): Answer {
  const size = Math.min(Math.max(Number(call.query.get('per_page') ?? 30) || 30, 1), 100);
  const before = Number(call.query.get('cursor') ?? Infinity);
  const ended = keptDeliveries(call).filter(({ id, status }) => id < before && status !== 'under way');
  const page = ended.slice(-size).reverse();
  const last = page.at(-1);
  const more = last !== undefined && ended.length > page.length;
  const next = `${call.site.url}/app/hook/deliveries?per_page=${size}&cursor=${last?.id}`;
  return { status: 200, body: page.map(deliveryItem), headers: more ? { link: `<${next}>; rel="next"` } : {} };
}

function deliveryItem(delivery: Delivery): Record<string, unknown> {
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: time(delivery.deliveredAt),
    redelivery: delivery.redelivery,
    duration: delivery.duration,
    status: delivery.status,
    status_code: delivery.statusCode,
    event: delivery.event,
    action: delivery.action,
    installation_id: delivery.installationId,
    repository_id: delivery.repositoryId,
    throttled_at: null,
  };
}

function wholeDelivery(delivery: Delivery): unknown {
  return {
    ...deliveryItem(delivery),
    url: '',
    request: { headers: delivery.requestHeaders, payload: delivery.payload },
    response: { headers: {}, payload: delivery.response },
  };
}
