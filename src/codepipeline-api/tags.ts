import type { Tag } from '@aws-sdk/client-codepipeline';
import type { Tags } from '../db/api-tables.ts';
import { ApiError } from './api-error.ts';
import type { Checked } from './door.ts';

const mostTags = 50;

/** `before` with these on top. Throws InvalidTagsException or TooManyTagsException (CP 1.2). */
export function withTags(before: Tags, added: readonly Checked<Tag>[]): Tags {
  const keys = added.map(({ key }) => key);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) throw new ApiError('InvalidTagsException', `The tag key ${twice} is given more than once.`);
  const reserved = keys.find((key) => key.toLowerCase().startsWith('aws:'));
  if (reserved !== undefined) {
    throw new ApiError('InvalidTagsException', `The tag key ${reserved} begins with aws:, which is reserved.`);
  }
  const after = new Map([...Object.entries(before), ...added.map(({ key, value }) => [key, value] as const)]);
  if (after.size > mostTags) throw new ApiError('TooManyTagsException', `A resource has at most ${mostTags} tags.`);
  return Object.fromEntries(after);
}

export function withoutTags(before: Tags, keys: readonly string[]): Tags {
  return Object.fromEntries(Object.entries(before).filter(([key]) => !keys.includes(key)));
}

/** By key. */
export function tagList(tags: Tags): Tag[] {
  return Object.entries(tags)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({ key, value }));
}
