import { createHmac, randomUUID } from 'node:crypto';
import { BlockList, isIPv6 } from 'node:net';
import { findApiPipeline, type ApiPipeline } from '../db/api-pipelines.ts';
import { findApiWebhookByPath, noteWebhookTriggered, type ApiWebhook } from '../db/api-webhooks.ts';
import { classify, describeError } from '../errors.ts';
import { ApiError } from './api-error.ts';
import { webhookArn } from './arns.ts';
import type { Door } from './door.ts';
import { answer, readBody, type Exchange } from './http-server.ts';
import { readJsonPath, valueAt } from './json-path.ts';
import { parseBody } from './json-text.ts';
import { sameText } from './sigv4.ts';
import { startPipeline } from './start-pipeline.ts';
import type { Throttle } from './throttle.ts';
import { openAuthentication } from './webhook-operations.ts';

export const webhookPrefix = '/webhooks/';

/** As much as GitHub sends at most. */
const largestBody = 25 * 1024 * 1024;

/** Somebody calls the address of a webhook: when it is who it says and all filters pass, the pipeline starts (CP-T-7). */
export async function serveWebhook(door: Door, throttle: Throttle, exchange: Exchange): Promise<void> {
  try {
    const path = (exchange.target.split('?')[0] ?? '').slice(webhookPrefix.length);
    const webhook = exchange.request.method === 'POST' ? await findApiWebhookByPath(door.db, path) : null;
    if (!webhook) return reply(exchange, 404, 'There is no webhook at this address.');
    if (!throttle.admit(webhookPrefix + path, door.now())) return reply(exchange, 429, 'Too many calls; try later.');
    const body = await readBody(exchange, largestBody);
    if (!isGenuine(door, webhook, exchange, body)) return reply(exchange, 403, 'The call is not authenticated.');
    reply(exchange, 200, await trigger(door, webhook, exchange, body));
  } catch (error) {
    if (error instanceof ApiError) return reply(exchange, error.status, error.message);
    door.log.error({ requestId: exchange.requestId, error: describeError(error) }, 'a call of a webhook broke');
    reply(exchange, classify(error) === 'transient' ? 503 : 500, 'Try again in a moment.');
  }
}

function reply(exchange: Exchange, status: number, text: string): void {
  answer(exchange, status, { 'content-type': 'text/plain; charset=utf-8' }, `${text}\n`);
}

function isGenuine(door: Door, webhook: ApiWebhook, { request }: Exchange, body: Buffer): boolean {
  const { SecretToken, AllowedIPRange } = openAuthentication(door, webhook);
  switch (webhook.authentication) {
    case 'GITHUB_HMAC': {
      const expected = `sha256=${createHmac('sha256', SecretToken ?? '')
        .update(body)
        .digest('hex')}`;
      return SecretToken !== undefined && sameText(expected, String(request.headers['x-hub-signature-256'] ?? ''));
    }
    case 'IP':
      return isInRange(request.socket.remoteAddress ?? '', AllowedIPRange ?? '');
    default:
      return webhook.authentication === 'UNAUTHENTICATED';
  }
}

function isInRange(remote: string, range: string): boolean {
  const [network = '', bits = ''] = range.split('/');
  const address = remote.replace(/^::ffff:/, '');
  const list = new BlockList();
  list.addSubnet(network, Number(bits), isIPv6(network) ? 'ipv6' : 'ipv4');
  return address !== '' && list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

async function trigger(door: Door, webhook: ApiWebhook, { request }: Exchange, body: Buffer): Promise<string> {
  const pipeline = await findApiPipeline(door.db, webhook.scope, webhook.targetPipeline);
  if (!pipeline)
    throw new ApiError('PipelineNotFoundException', 'The pipeline of this webhook does not exist any more.', 404);
  if (!filtersPass(webhook, pipeline, parseBody(body))) return 'Nothing started: a filter of the webhook did not pass.';
  const arn = webhookArn(door, webhook.name);
  // A delivery that is sent again is the same start.
  const delivery = request.headers['x-github-delivery'];
  const intent = `webhook/${webhook.name}/${typeof delivery === 'string' ? delivery.slice(0, 100) : randomUUID()}`;
  const caller = { arn, scope: webhook.scope, readOnly: false, mayApprove: false };
  await startPipeline({ door, caller }, pipeline, { intent, trigger: { type: 'Webhook', detail: arn } });
  await noteWebhookTriggered(door.db, webhook);
  return `Started ${pipeline.name}.`;
}

function filtersPass({ filters, targetAction }: ApiWebhook, pipeline: ApiPipeline, payload: unknown): boolean {
  const action = pipeline.definition.stages[0]?.actions.find(({ name }) => name === targetAction);
  return filters.every(({ jsonPath, matchEquals }) => {
    const path = readJsonPath(jsonPath);
    const value = path && valueAt(payload, path);
    if (value === undefined) return false;
    if (matchEquals === undefined) return true;
    const wanted = matchEquals.replaceAll(/\{(\w+)\}/g, (whole, key: string) => action?.configuration[key] ?? whole);
    return (typeof value === 'string' ? value : JSON.stringify(value)) === wanted;
  });
}
