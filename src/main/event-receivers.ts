import { createHmac } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { request as sendHttp } from 'node:http';
import { request as sendHttps } from 'node:https';
import { isIP } from 'node:net';
import { isPublicAddress } from '../buildspec/public-address.ts';
import type { EventSink } from '../config/server-types.ts';
import { TransientError } from '../errors.ts';

/** One event as it leaves: its JSON text, with what a queue wants to know beside it. */
export interface OutgoingEvent {
  readonly id: string;
  /** Events of one group may be kept in order. */
  readonly group: string;
  readonly body: string;
}

/** Resolves when the receiver has it. Throws TransientError when it is away. */
export type EventReceiver = (event: OutgoingEvent) => Promise<void>;

export const signatureHeader = 'x-penstock-signature-256';

/** `sha256=` and the HMAC of the body's bytes, as GitHub signs webhooks. */
export function signatureOf(body: string, key: string): string {
  return `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
}

const timeoutMs = 10_000;

type HttpsTarget = Extract<EventSink['target'], { kind: 'https' }>;

/** Redirects are not followed, and an address that is not public is refused unless the operator allows it. */
export function httpsReceiver(
  { url, allowPrivate }: Pick<HttpsTarget, 'url' | 'allowPrivate'>,
  key: string,
): EventReceiver {
  const target = new URL(url);
  return async ({ body }) => {
    const address = await addressOf(target, allowPrivate);
    const { status, retryAfter } = await post(
      target,
      address,
      {
        'content-type': 'application/json',
        'user-agent': 'penstock',
        [signatureHeader]: signatureOf(body, key),
      },
      body,
    );
    if (status >= 200 && status < 300) return;
    const told = `${target.host} answered ${status}`;
    if (status === 429 || status >= 500) throw new TransientError(told, retryAfterOf(retryAfter));
    throw new Error(`${told}. It takes events as POST with a JSON body; see docs/api.md.`);
  };
}

function retryAfterOf(header: string | undefined): { retryAfterMs?: number } {
  return header !== undefined && /^\d{1,5}$/.test(header) ? { retryAfterMs: Number(header) * 1000 } : {};
}

/** The very address that was checked is dialled, so that a name cannot change in between. */
async function addressOf({ hostname, host }: URL, allowPrivate: boolean): Promise<string> {
  const name = hostname.replace(/^\[|\]$/g, '');
  const found = isIP(name) === 0 ? (await lookup(name, { all: true })).map(({ address }) => address) : [name];
  const address = found.find((one) => allowPrivate || isPublicAddress(one));
  if (address !== undefined) return address;
  throw new Error(`${host} is not a public address. Set allowPrivate: true for this receiver if it is meant.`);
}

interface Posted {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

function post(url: URL, address: string, headers: Record<string, string>, body: string): Promise<Posted> {
  const send = url.protocol === 'https:' ? sendHttps : sendHttp;
  return new Promise((resolve, reject) => {
    const options = {
      method: 'POST',
      host: address,
      port: url.port,
      path: url.pathname + url.search,
      headers: { ...headers, host: url.host, 'content-length': Buffer.byteLength(body) },
      ...(isIP(url.hostname) === 0 ? { servername: url.hostname } : {}),
      signal: AbortSignal.timeout(timeoutMs),
    };
    const request = send(options, (response) => {
      response.resume();
      response.once('error', () => {});
      resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] });
    });
    request.once('error', (error) =>
      reject(new TransientError(`${url.host} is away: ${error.message}`, { cause: error })),
    );
    request.end(body);
  });
}

type QueueTarget = Extract<EventSink['target'], { kind: 'sqs' }>;

/** The SDK, and whatever credentials it finds, are looked for by the first event. */
export function queueReceiver({ queueUrl, region }: QueueTarget): EventReceiver {
  let send: Promise<EventReceiver> | undefined;
  return async (event) => (await (send ??= openQueue(queueUrl, region)))(event);
}

async function openQueue(queueUrl: string, region: string): Promise<EventReceiver> {
  const { SQSClient, SendMessageCommand } = await import('@aws-sdk/client-sqs');
  const client = new SQSClient({ region, endpoint: new URL(queueUrl).origin });
  const isOrdered = queueUrl.endsWith('.fifo');
  return async ({ id, group, body }) => {
    const order = isOrdered ? { MessageGroupId: group, MessageDeduplicationId: id } : {};
    try {
      await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body, ...order }));
    } catch (error) {
      throw isAway(error) ? new TransientError(`the queue is away: ${String(error)}`, { cause: error }) : error;
    }
  };
}

function isAway(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if ('$retryable' in error && error.$retryable !== undefined) return true;
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  return status === undefined || status >= 500;
}
