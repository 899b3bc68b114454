/**
 * Deliveries, one after the other, signed over the very bytes that are sent. GitHub never sends again by itself: what
 * fails stays failed in the log until somebody asks for it with the same GUID.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { AppRecord } from './app-record.ts';
import type { FaultBook, WebhookEffect } from './faults.ts';

const patience = 10_000;

export interface Delivery {
  readonly id: number;
  /** Kept by a redelivery: the key that tells repeats. */
  readonly guid: string;
  readonly event: string;
  readonly action: string | null;
  readonly installationId: number;
  readonly repositoryId: number | null;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly redelivery: boolean;
  deliveredAt: Date;
  /** 0 while it is under way, and when nobody answered. */
  statusCode: number;
  /** OK, or why not. */
  status: string;
  /** Seconds. */
  duration: number;
  requestHeaders: Readonly<Record<string, string>>;
  response: string | null;
}

interface Outgoing {
  readonly event: string;
  readonly action: string | null;
  readonly installationId: number;
  readonly repositoryId: number | null;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface Webhooks {
  send(outgoing: Outgoing): void;
  redeliver(id: number): boolean;
  /** Oldest first. */
  log(): readonly Delivery[];
  /** Resolves when nothing is under way. What a fault holds back does not count. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export function webhookSender(app: AppRecord, faults: FaultBook, now: () => Date): Webhooks {
  const deliveries: Delivery[] = [];
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();
  let queue: Promise<void> = Promise.resolve();

  function track(work: Promise<void>): void {
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  }

  function enqueue(delivery: Delivery, drop: boolean): void {
    queue = queue.then(() => (drop ? lose(delivery) : attempt(app, delivery, stopping.signal)));
    track(queue);
  }

  function begin(delivery: Delivery): void {
    deliveries.push(delivery);
    const effects = faults.webhookEffects(delivery);
    const drop = effects.some(({ kind }) => kind === 'drop');
    const wait = waitOf(effects, stopping.signal);
    const again = effects.some(({ kind }) => kind === 'duplicate');
    const enter = () => {
      enqueue(delivery, drop);
      if (again) enqueue(delivery, drop);
    };
    if (wait === null) return enter();
    const later = wait.until.then(() => (stopping.signal.aborted ? undefined : enter()));
    if (wait.counts) track(later);
  }

  function record(outgoing: Outgoing, guid: string, redelivery: boolean): Delivery {
    const pending = {
      deliveredAt: now(),
      statusCode: 0,
      status: 'under way',
      duration: 0,
      requestHeaders: {},
      response: null,
    };
    return { id: 1_000_000 + deliveries.length, guid, redelivery, ...copyOf(outgoing), ...pending };
  }

  return {
    send: (outgoing) => begin(record(outgoing, randomUUID(), false)),
    redeliver(id) {
      const earlier = deliveries.find((delivery) => delivery.id === id);
      if (earlier !== undefined) begin(record(earlier, earlier.guid, true));
      return earlier !== undefined;
    },
    log: () => deliveries,
    async settled() {
      await setImmediate();
      while (underWay.size > 0) await Promise.all(underWay);
    },
    async stop() {
      stopping.abort();
      await Promise.all(underWay);
    },
  };
}

/** The payload is fixed when the event happens, not when it is sent. */
function copyOf({ event, action, installationId, repositoryId, payload }: Outgoing): Outgoing {
  return { event, action, installationId, repositoryId, payload: structuredClone(payload) };
}

function waitOf(
  effects: readonly WebhookEffect[],
  signal: AbortSignal,
): { readonly until: Promise<void>; readonly counts: boolean } | null {
  for (const effect of effects) {
    if (effect.kind === 'hold') return { until: effect.released, counts: false };
    if (effect.kind === 'delay')
      return { until: sleep(effect.ms, undefined, { signal }).catch(() => {}), counts: true };
  }
  return null;
}

async function lose(delivery: Delivery): Promise<void> {
  conclude(delivery, 0, 'failed to connect to host', null);
}

async function attempt(app: AppRecord, delivery: Delivery, stopping: AbortSignal): Promise<void> {
  if (app.webhookUrl === null) return lose(delivery);
  const body = Buffer.from(JSON.stringify(delivery.payload));
  const started = performance.now();
  delivery.requestHeaders = headersOf(app, delivery, body);
  try {
    const answer = await fetch(app.webhookUrl, {
      method: 'POST',
      headers: delivery.requestHeaders,
      body,
      signal: AbortSignal.any([stopping, AbortSignal.timeout(patience)]),
    });
    const text = await answer.text();
    conclude(delivery, answer.status, answer.ok ? 'OK' : `Invalid HTTP Response: ${answer.status}`, text);
  } catch (error) {
    const late = error instanceof Error && error.name === 'TimeoutError';
    conclude(delivery, 0, late ? 'timed out' : 'failed to connect to host', null);
  }
  delivery.duration = Math.round(performance.now() - started) / 1000;
}

function conclude(delivery: Delivery, statusCode: number, status: string, response: string | null): void {
  delivery.statusCode = statusCode;
  delivery.status = status;
  delivery.response = response;
}

function headersOf(app: AppRecord, delivery: Delivery, body: Buffer): Readonly<Record<string, string>> {
  return {
    accept: '*/*',
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/standin',
    'x-github-delivery': delivery.guid,
    'x-github-event': delivery.event,
    'x-github-hook-id': String(app.id),
    'x-github-hook-installation-target-id': String(app.id),
    'x-github-hook-installation-target-type': 'integration',
    'x-hub-signature-256': `sha256=${createHmac('sha256', app.webhookSecret).update(body).digest('hex')}`,
  };
}
