import { z } from 'zod';
import type { HumanText, RepositoryRef } from './github.ts';
import { accountOrGhost, id, moment, optionalText, sha, text } from './shapes.ts';

/**
 * What people write on pull requests, as webhooks and REST both give it.
 * author_association is never read: it says nothing about access (SEC-B-03).
 */
export const commentShape = z.object({
  id,
  node_id: text,
  body: optionalText,
  created_at: moment,
  updated_at: moment,
  user: accountOrGhost,
  performed_via_github_app: z.unknown().optional(),
});
export type Comment = z.output<typeof commentShape>;

export const reviewShape = z.object({
  id,
  node_id: text,
  body: optionalText,
  submitted_at: moment.nullish(),
  // Lower case in webhooks, upper case in REST.
  state: z.string().toLowerCase(),
  commit_id: sha.nullish(),
  user: accountOrGhost,
  performed_via_github_app: z.unknown().optional(),
});
export type Review = z.output<typeof reviewShape>;

const reviewStates = ['approved', 'changes_requested', 'commented', 'dismissed'] as const;

export function commentText(
  repository: RepositoryRef,
  number: number,
  kind: 'issue-comment' | 'review-comment',
  comment: Comment,
): HumanText {
  return {
    kind: 'human-text',
    repository,
    number,
    source: { kind, id: comment.id, nodeId: comment.node_id },
    body: comment.body,
    createdAt: comment.created_at,
    edited: comment.updated_at !== comment.created_at,
    viaApp: isSet(comment.performed_via_github_app),
    author: comment.user,
  };
}

/** Null for a review that was not submitted yet, which only its author sees. */
export function reviewText(repository: RepositoryRef, number: number, review: Review): HumanText | null {
  const state = reviewStates.find((known) => known === review.state);
  if (!state || !review.commit_id || !review.submitted_at) return null;
  return {
    kind: 'human-text',
    repository,
    number,
    source: { kind: 'review', id: review.id, nodeId: review.node_id },
    body: review.body,
    createdAt: review.submitted_at,
    // Edits come as their own event; GitHub gives no time of change with a review.
    edited: false,
    viaApp: isSet(review.performed_via_github_app),
    author: review.user,
    review: { state, sha: review.commit_id },
  };
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}
