import type {
  DeleteWebhookInput,
  DeleteWebhookOutput,
  ListWebhookItem,
  ListWebhooksInput,
  ListWebhooksOutput,
  PutWebhookInput,
  PutWebhookOutput,
  WebhookDefinition,
} from '@aws-sdk/client-codepipeline';
import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import {
  countApiWebhooks,
  deleteApiWebhook,
  findApiWebhook,
  listApiWebhooks,
  saveApiWebhook,
  type ApiWebhook,
} from '../db/api-webhooks.ts';
import { ApiError } from './api-error.ts';
import { webhookArn } from './arns.ts';
import type { Call, Checked, Door, Operation } from './door.ts';
import { readJsonPath } from './json-path.ts';
import { pageOf } from './paging.ts';
import { mask } from './secret-values.ts';
import { apiPipelineNamed } from './stored-pipeline.ts';
import { tagList, withTags } from './tags.ts';

/** Webhooks in the way of PutWebhook (CP 6.3). */

export interface WebhookAuthentication {
  readonly SecretToken?: string;
  readonly AllowedIPRange?: string;
}

/** An existing webhook of the name is changed and keeps its address (CP-T-8). */
export const putWebhook: Operation<PutWebhookInput, PutWebhookOutput> = async (call, { webhook, tags = [] }) => {
  const { door, caller } = call;
  await checkTarget(call, webhook);
  const bad = webhook.filters.find(({ jsonPath }) => readJsonPath(jsonPath) === undefined);
  if (bad) {
    const message = `The filter path ${bad.jsonPath} is not understood. Write it as $.name.name or $.list[0].`;
    throw new ApiError('InvalidWebhookFilterPatternException', message);
  }
  const before = await findApiWebhook(door.db, caller.scope, webhook.name);
  if (!before) await checkRoom(call);
  const kept = before ? openAuthentication(door, before) : {};
  const { SecretToken, AllowedIPRange } = webhook.authenticationConfiguration;
  const given = {
    ...(SecretToken === undefined
      ? {}
      : { SecretToken: SecretToken === mask ? (kept.SecretToken ?? mask) : SecretToken }),
    ...(AllowedIPRange === undefined ? {} : { AllowedIPRange }),
  };
  checkAuthentication(webhook.authentication, given);
  await saveApiWebhook(door.db, {
    scope: caller.scope,
    name: webhook.name,
    path: before?.path ?? randomBytes(24).toString('base64url'),
    targetPipeline: webhook.targetPipeline,
    targetAction: webhook.targetAction,
    authentication: webhook.authentication,
    sealedConfiguration: door.secret.seal(JSON.stringify(given), purposeOf(caller.scope, webhook.name)),
    filters: webhook.filters,
    tags: withTags(before?.tags ?? {}, tags),
  });
  const saved = await findApiWebhook(door.db, caller.scope, webhook.name);
  if (!saved)
    throw new ApiError('ConcurrentModificationException', `The webhook ${webhook.name} was deleted meanwhile.`);
  return { webhook: itemOf(door, saved) };
};

/** CodePipeline's limit for one account and region (CP 1.5). */
const mostWebhooks = 300;

async function checkRoom({ door, caller }: Call): Promise<void> {
  if ((await countApiWebhooks(door.db, caller.scope)) < mostWebhooks) return;
  const message = `There are ${mostWebhooks} webhooks already. Delete one that nobody calls any more.`;
  throw new ApiError('LimitExceededException', message);
}

async function checkTarget(call: Call, { targetPipeline, targetAction }: Checked<WebhookDefinition>): Promise<void> {
  const { definition } = await apiPipelineNamed(call, targetPipeline);
  if (definition.stages[0]?.actions.some(({ name }) => name === targetAction)) return;
  const message = `The target action '${targetAction}' is no action of the first stage of '${targetPipeline}'.`;
  throw new ApiError('ValidationException', message);
}

function checkAuthentication(kind: string, { SecretToken, AllowedIPRange }: WebhookAuthentication): void {
  const problem = (message: string): ApiError =>
    new ApiError('InvalidWebhookAuthenticationParametersException', message);
  if (kind === 'GITHUB_HMAC' && SecretToken === undefined) throw problem('GITHUB_HMAC needs a SecretToken.');
  if (kind !== 'GITHUB_HMAC' && SecretToken !== undefined) throw problem(`${kind} takes no SecretToken.`);
  if (kind === 'IP' && !isRange(AllowedIPRange)) throw problem('IP needs an AllowedIPRange such as 192.0.2.0/24.');
  if (kind !== 'IP' && AllowedIPRange !== undefined) throw problem(`${kind} takes no AllowedIPRange.`);
}

function isRange(text: string | undefined): boolean {
  const [address = '', bits = ''] = (text ?? '').split('/');
  const kind = isIP(address);
  return kind !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (kind === 4 ? 32 : 128);
}

export const listWebhooks: Operation<ListWebhooksInput, ListWebhooksOutput> = async (call, input) => {
  const items = await listApiWebhooks(call.door.db, call.caller.scope);
  const query = { operation: 'ListWebhooks', about: null };
  const page = pageOf(call, query, { items, token: input.NextToken, size: input.MaxResults ?? 100 });
  const { nextToken } = page.token;
  return {
    webhooks: page.items.map((webhook) => itemOf(call.door, webhook)),
    ...(nextToken === undefined ? {} : { NextToken: nextToken }),
  };
};

export const deleteWebhook: Operation<DeleteWebhookInput, DeleteWebhookOutput> = async ({ door, caller }, { name }) => {
  await deleteApiWebhook(door.db, caller.scope, name);
  return {};
};

export function openAuthentication({ secret }: Pick<Door, 'secret'>, webhook: ApiWebhook): WebhookAuthentication {
  const opened = secret.open(webhook.sealedConfiguration, purposeOf(webhook.scope, webhook.name));
  return JSON.parse(opened) as WebhookAuthentication;
}

function purposeOf(scope: number, name: string): string {
  return `webhook ${scope}/${name}`;
}

function itemOf(door: Door, webhook: ApiWebhook): ListWebhookItem {
  const { AllowedIPRange, SecretToken } = openAuthentication(door, webhook);
  return {
    definition: {
      name: webhook.name,
      targetPipeline: webhook.targetPipeline,
      targetAction: webhook.targetAction,
      filters: [...webhook.filters],
      authentication: webhook.authentication as WebhookDefinition['authentication'],
      authenticationConfiguration: {
        ...(SecretToken === undefined ? {} : { SecretToken: mask }),
        ...(AllowedIPRange === undefined ? {} : { AllowedIPRange }),
      },
    },
    url: `${door.url()}/webhooks/${webhook.path}`,
    arn: webhookArn(door, webhook.name),
    ...(webhook.lastTriggered && { lastTriggered: webhook.lastTriggered }),
    tags: tagList(webhook.tags),
  };
}
