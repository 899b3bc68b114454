/** Comments, reviews and reactions, by whomever. */
import { tell } from './events.ts';
import { pullRequestPayload, simplePullRequest } from './payloads/pull-request.ts';
import { commentPayload, issuePayload, reviewCommentPayload, reviewPayload } from './payloads/talk.ts';
import type { Payload } from './payloads/account.ts';
import type { Site } from './site.ts';
import type { Account, Comment, PullRequest, Reaction, ReactionContent, Review, ReviewComment } from './state.ts';

export async function writeComment(
  site: Site,
  pull: PullRequest,
  author: Account,
  body: string,
  viaApp: boolean,
): Promise<Comment> {
  const at = site.now();
  const { repository, number } = pull;
  const comment = { id: site.state.nextId(), repository, number, author, viaApp, body, createdAt: at, updatedAt: at };
  site.state.comments.set(comment.id, comment);
  pull.updatedAt = at;
  await tellComment(site, comment, 'created', author);
  return comment;
}

export async function changeComment(site: Site, comment: Comment, by: Account, body: string): Promise<void> {
  const from = comment.body;
  comment.body = body;
  comment.updatedAt = site.now();
  await tellComment(site, comment, 'edited', by, { changes: { body: { from } } });
}

export async function dropComment(site: Site, comment: Comment, by: Account): Promise<void> {
  site.state.comments.delete(comment.id);
  await tellComment(site, comment, 'deleted', by);
}

async function tellComment(
  site: Site,
  comment: Comment,
  action: string,
  by: Account,
  more: Payload = {},
): Promise<void> {
  const pull = comment.repository.pullRequests.get(comment.number);
  if (pull === undefined) throw new Error(`no pull request ${comment.number}`);
  await tell(site, comment.repository, 'issue_comment', by, () => ({
    action,
    issue: issuePayload(site, pull),
    comment: commentPayload(site, comment),
    ...more,
  }));
}

export function addReaction(
  site: Site,
  subject: number,
  author: Account,
  content: ReactionContent,
): { readonly reaction: Reaction; readonly isNew: boolean } {
  for (const reaction of site.state.reactions.values()) {
    const same = reaction.subject === subject && reaction.author === author && reaction.content === content;
    if (same) return { reaction, isNew: false };
  }
  const reaction = { id: site.state.nextId(), subject, author, content, createdAt: site.now() };
  site.state.reactions.set(reaction.id, reaction);
  return { reaction, isNew: true };
}

export async function tellReview(
  site: Site,
  review: Review,
  action: 'submitted' | 'edited' | 'dismissed',
  by: Account,
  more: Payload = {},
): Promise<void> {
  review.pullRequest.updatedAt = site.now();
  await tell(site, review.pullRequest.repository, 'pull_request_review', by, async () => ({
    action,
    review: reviewPayload(site, review),
    pull_request: simplePullRequest(site, review.pullRequest),
    ...more,
  }));
}

export async function tellReviewComment(site: Site, comment: ReviewComment): Promise<void> {
  const { pullRequest } = comment.review;
  await tell(site, pullRequest.repository, 'pull_request_review_comment', comment.author, async () => ({
    action: 'created',
    comment: reviewCommentPayload(site, comment),
    pull_request: await pullRequestPayload(site, pullRequest),
  }));
}
