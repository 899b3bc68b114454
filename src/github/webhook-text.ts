import { z } from 'zod';
import type { EventOrIgnored, WebhookEvent } from './event.ts';
import type { Account, CommentRef, RepositoryRef } from './github.ts';
import { commentShape, commentText, reviewShape, reviewText } from './human-text.ts';
import type { Comment } from './human-text.ts';
import { account, id } from './shapes.ts';
import { byAction, event, ignored, readRepositoryEvent, rejected, repositoryEvent, short } from './webhook-reader.ts';
import type { Reader } from './webhook-reader.ts';

type ChangeAction = Extract<WebhookEvent, { kind: 'text-changed' }>['action'];

const issueCommentShape = repositoryEvent.extend({
  issue: z.object({ number: id, pull_request: z.unknown().optional() }),
  comment: commentShape,
  sender: account,
});

export const issueComment: Reader = byAction('issue_comment', {
  created: (payload) => onPullRequest(payload, (body, repository) => written(body, repository, 'issue-comment')),
  edited: (payload) => onPullRequest(payload, (body, repository) => changed('edited', body, repository)),
  deleted: (payload) => onPullRequest(payload, (body, repository) => changed('deleted', body, repository)),
});

interface CommentOnPullRequest {
  readonly number: number;
  readonly comment: Comment;
  readonly sender: Account;
}

function onPullRequest(
  payload: unknown,
  read: (body: CommentOnPullRequest, repository: RepositoryRef) => EventOrIgnored,
): EventOrIgnored {
  return readRepositoryEvent('issue_comment', issueCommentShape, payload, (body, repository) => {
    // GitHub calls a conversation comment of a pull request an issue comment too.
    if (!body.issue.pull_request) return ignored('issue_comment: on an issue, not on a pull request');
    return read({ number: body.issue.number, comment: body.comment, sender: body.sender }, repository);
  });
}

function written(
  body: CommentOnPullRequest,
  repository: RepositoryRef,
  kind: 'issue-comment' | 'review-comment',
): EventOrIgnored {
  const { comment, number } = body;
  if (comment.user.bot) return byBot(kind, comment.user);
  return event(commentText(repository, number, kind, comment));
}

function changed(
  action: ChangeAction,
  body: CommentOnPullRequest,
  repository: RepositoryRef,
  kind: CommentRef['kind'] = 'issue-comment',
): EventOrIgnored {
  const { comment, number, sender } = body;
  if (comment.user.bot) return byBot(kind, comment.user);
  const source = { kind, id: comment.id, nodeId: comment.node_id };
  return event({ kind: 'text-changed', repository, number, source, action, author: comment.user, sender });
}

/** Bots are not obeyed, our own words least of all (SEC-B-08, SEC-G-03). */
function byBot(kind: CommentRef['kind'], bot: Account): EventOrIgnored {
  return ignored(`${kind}: written by the bot ${short(bot.login)}`);
}

const reviewCommentShape = repositoryEvent.extend({
  pull_request: z.object({ number: id }),
  comment: commentShape,
  sender: account,
});

export const reviewComment: Reader = byAction('pull_request_review_comment', {
  created: (payload) => onDiff(payload, (body, repository) => written(body, repository, 'review-comment')),
  edited: (payload) => onDiff(payload, (body, repository) => changed('edited', body, repository, 'review-comment')),
  deleted: (payload) => onDiff(payload, (body, repository) => changed('deleted', body, repository, 'review-comment')),
});

function onDiff(
  payload: unknown,
  read: (body: CommentOnPullRequest, repository: RepositoryRef) => EventOrIgnored,
): EventOrIgnored {
  return readRepositoryEvent('pull_request_review_comment', reviewCommentShape, payload, (body, repository) =>
    read({ number: body.pull_request.number, comment: body.comment, sender: body.sender }, repository),
  );
}

const reviewEventShape = repositoryEvent.extend({
  pull_request: z.object({ number: id }),
  review: reviewShape,
  sender: account,
});
type ReviewBody = z.output<typeof reviewEventShape>;

export const review: Reader = byAction('pull_request_review', {
  submitted: (payload) => readRepositoryEvent('pull_request_review', reviewEventShape, payload, submitted),
  edited: (payload) => reviewChanged('edited', payload),
  dismissed: (payload) => reviewChanged('dismissed', payload),
});

function submitted({ review, pull_request }: ReviewBody, repository: RepositoryRef): EventOrIgnored {
  if (review.user.bot) return byBot('review', review.user);
  const text = reviewText(repository, pull_request.number, review);
  return text
    ? event(text)
    : ignored(rejected('pull_request_review', ' (review.commit_id: missing on a submitted review)'));
}

function reviewChanged(action: ChangeAction, payload: unknown): EventOrIgnored {
  return readRepositoryEvent(
    'pull_request_review',
    reviewEventShape,
    payload,
    ({ review, pull_request, sender }, repository) => {
      if (review.user.bot) return byBot('review', review.user);
      const source = { kind: 'review', id: review.id, nodeId: review.node_id } as const;
      return event({
        kind: 'text-changed',
        repository,
        number: pull_request.number,
        source,
        action,
        author: review.user,
        sender,
      });
    },
  );
}
