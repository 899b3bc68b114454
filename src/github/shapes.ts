import { z } from 'zod';
import type { Account, PullRequest, RepositoryRef } from './github.ts';

/** The parts of GitHub's objects that we read, in webhooks and in REST answers alike. Everything else is let pass. */

/** NUL cannot be stored in Postgres text, and lone surrogates are not UTF-8 (SEC-D-20). */
export function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}

export const text = z.string().transform(storable);
export const optionalText = z
  .string()
  .nullish()
  .transform((value) => storable(value ?? ''));
/** Ids beyond 2^53 are refused: rounded, two of them would be equal. */
export const id = z.int().positive();
export const sha = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'expected a commit SHA');

export const moment = z.iso.datetime({ offset: true });

export const account = z.object({ id, login: text, type: z.string().optional() }).transform((user): Account => ({
  id: user.id,
  login: user.login,
  bot: user.type === 'Bot' || user.login.endsWith('[bot]'),
}));

/** The account that GitHub shows for the deeds of people who deleted theirs. */
const ghost: Account = { id: 10137, login: 'ghost', bot: false };
export const accountOrGhost = account.nullish().transform((user) => user ?? ghost);

export const repository = z.object({ id, name: text, owner: z.object({ login: text }) });
/** As listed by installation events: without an owner object. */
export const repositoryName = z.object({ id, full_name: z.string().regex(/^[^/]+\/[^/]+$/) });

export function repositoryRef(shape: z.output<typeof repository>, installationId: number): RepositoryRef {
  return { id: shape.id, owner: shape.owner.login, name: shape.name, installationId };
}

export function namedRepository(shape: z.output<typeof repositoryName>, installationId: number): RepositoryRef {
  const [owner = '', name = ''] = shape.full_name.split('/');
  return { id: shape.id, owner: storable(owner), name: storable(name), installationId };
}

export const pullRequest = z
  .object({
    number: id,
    title: text,
    state: z.enum(['open', 'closed']),
    merged: z.boolean().optional(),
    merged_at: z.string().nullish(),
    draft: z.boolean().nullish(),
    user: accountOrGhost,
    head: z.object({ sha, ref: text, repo: z.object({ id }).nullish() }),
    base: z.object({ sha, ref: text }),
    merge_commit_sha: sha.nullish(),
    merged_by: account.nullish(),
  })
  .transform((shape): PullRequest => {
    const merged = shape.merged ?? typeof shape.merged_at === 'string';
    return {
      number: shape.number,
      title: shape.title,
      state: shape.state,
      merged,
      draft: shape.draft ?? false,
      author: shape.user,
      headSha: shape.head.sha,
      headRef: shape.head.ref,
      headRepositoryId: shape.head.repo?.id ?? null,
      baseRef: shape.base.ref,
      baseSha: shape.base.sha,
      // Before the merge this is a test merge that GitHub makes anew at will.
      mergeSha: merged ? (shape.merge_commit_sha ?? null) : null,
      ...(merged && shape.merged_by ? { mergedBy: shape.merged_by } : {}),
    };
  });
