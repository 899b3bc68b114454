import { z } from 'zod';

/** Triggers and their filters (CP 1.8); `on:` of .github/penstock.yml uses the same words. */

const patterns = z.array(z.string().min(1).max(255)).min(1).max(8);

const patternsShape = z.strictObject({ includes: patterns.exactOptional(), excludes: patterns.exactOptional() });

const pushFilter = z.strictObject({
  tags: patternsShape.exactOptional(),
  branches: patternsShape.exactOptional(),
  filePaths: patternsShape.exactOptional(),
});

const pullRequestFilter = z.strictObject({
  events: z
    .array(z.enum(['OPEN', 'UPDATED', 'CLOSED']))
    .min(1)
    .max(3)
    .exactOptional(),
  branches: patternsShape.exactOptional(),
  filePaths: patternsShape.exactOptional(),
});

export const triggerFiltersShape = z.strictObject({
  push: z.array(pushFilter).min(1).max(3).exactOptional(),
  pullRequest: z.array(pullRequestFilter).min(1).max(3).exactOptional(),
});

export const triggerShape = z.strictObject({
  providerType: z.literal('CodeStarSourceConnection'),
  gitConfiguration: triggerFiltersShape.extend({
    sourceActionName: z
      .string()
      .min(1)
      .max(100)
      .regex(/^[A-Za-z0-9.@\-_]+$/),
  }),
});
