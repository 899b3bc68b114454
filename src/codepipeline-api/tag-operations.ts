import type {
  ListTagsForResourceInput,
  ListTagsForResourceOutput,
  TagResourceInput,
  TagResourceOutput,
  UntagResourceInput,
  UntagResourceOutput,
} from '@aws-sdk/client-codepipeline';
import { saveApiPipelineTags } from '../db/api-pipelines.ts';
import type { Tags } from '../db/api-tables.ts';
import { saveCustomTypeTags } from '../db/api-tags.ts';
import { findApiWebhook, saveApiWebhookTags } from '../db/api-webhooks.ts';
import { findCustomActionType } from '../db/custom-action-types.ts';
import { ApiError } from './api-error.ts';
import { resourceOf } from './arns.ts';
import type { Call, Operation } from './door.ts';
import { isDeclared, refuseDeclared } from './declared-pipeline.ts';
import { pageOf } from './paging.ts';
import { adminOnly } from './settle.ts';
import { apiPipelineNamed, findPipeline } from './stored-pipeline.ts';
import { tagList, withTags, withoutTags } from './tags.ts';

export const tagResource: Operation<TagResourceInput, TagResourceOutput> = async (call, { resourceArn, tags }) => {
  const resource = await taggedResource(call, 'TagResource', resourceArn);
  await resource.save(withTags(resource.tags, tags));
  return {};
};

export const untagResource: Operation<UntagResourceInput, UntagResourceOutput> = async (
  call,
  { resourceArn, tagKeys },
) => {
  const resource = await taggedResource(call, 'UntagResource', resourceArn);
  await resource.save(withoutTags(resource.tags, tagKeys));
  return {};
};

export const listTagsForResource: Operation<ListTagsForResourceInput, ListTagsForResourceOutput> = async (
  call,
  { resourceArn, nextToken, maxResults },
) => {
  const { tags } = await taggedResource(call, 'ListTagsForResource', resourceArn);
  const query = { operation: 'ListTagsForResource', about: resourceArn };
  const page = pageOf(call, query, { items: tagList(tags), token: nextToken, size: maxResults ?? 100 });
  return { tags: [...page.items], ...page.token };
};

interface Tagged {
  readonly tags: Tags;
  readonly save: (tags: Tags) => Promise<void>;
}

async function taggedResource(call: Call, operation: string, arn: string): Promise<Tagged> {
  const { db } = call.door;
  const resource = resourceOf(arn);
  switch (resource.kind) {
    case 'pipeline': {
      const found = await findPipeline(call, resource.name);
      if (!found) throw notFound(arn);
      if (isDeclared(found)) return { tags: {}, save: () => Promise.reject(refuseDeclared(found)) };
      const { id, tags } = await apiPipelineNamed(call, resource.name);
      return { tags, save: (changed) => saveApiPipelineTags(db, id, changed) };
    }
    case 'webhook': {
      const found = await findApiWebhook(db, call.caller.scope, resource.name);
      if (!found) throw notFound(arn);
      return { tags: found.tags, save: (tags) => saveApiWebhookTags(db, found, tags) };
    }
    case 'actiontype': {
      adminOnly(call, operation);
      const found = await findCustomActionType(db, resource);
      if (!found || found.deleted) throw notFound(arn);
      const tags = Object.fromEntries((found.declaration.tags ?? []).map(({ key, value }) => [key, value]));
      return { tags, save: (changed) => saveCustomTypeTags(db, found.declaration, changed) };
    }
    default:
      return resource satisfies never;
  }
}

function notFound(arn: string): ApiError {
  return new ApiError('ResourceNotFoundException', `There is no resource with the ARN ${arn}.`);
}
