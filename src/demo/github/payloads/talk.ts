import { association } from '../people.ts';
import type { Site } from '../site.ts';
import type { Comment, PullRequest, Reaction, Review, ReviewComment } from '../state.ts';
import { account, appPayload, nodeId, time, type Payload } from './account.ts';
import { pageUrl, repositoryUrl } from './repository.ts';

const contents = ['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'rocket', 'eyes'] as const;

export function reactionsOf(site: Site, subject: number): readonly Reaction[] {
  return [...site.state.reactions.values()].filter((reaction) => reaction.subject === subject);
}

function reactionCounts(site: Site, subject: number, url: string): Payload {
  const all = reactionsOf(site, subject);
  const count = (content: string) => all.filter((reaction) => reaction.content === content).length;
  return {
    url: `${url}/reactions`,
    total_count: all.length,
    ...Object.fromEntries(contents.map((content) => [content, count(content)])),
  };
}

export function reactionPayload(site: Site, reaction: Reaction): Payload {
  return {
    id: reaction.id,
    node_id: nodeId('REA', reaction.id),
    user: account(site, reaction.author),
    content: reaction.content,
    created_at: time(reaction.createdAt),
  };
}

export function commentPayload(site: Site, comment: Comment): Payload {
  const repository = repositoryUrl(site, comment.repository);
  const url = `${repository}/issues/comments/${comment.id}`;
  const page = `${pageUrl(site, comment.repository)}/pull/${comment.number}`;
  return {
    id: comment.id,
    node_id: nodeId('IC', comment.id),
    url,
    html_url: `${page}#issuecomment-${comment.id}`,
    issue_url: `${repository}/issues/${comment.number}`,
    body: comment.body,
    user: account(site, comment.author),
    author_association: association(site, comment.repository, comment.author),
    created_at: time(comment.createdAt),
    updated_at: time(comment.updatedAt),
    reactions: reactionCounts(site, comment.id, url),
    performed_via_github_app: comment.viaApp ? appPayload(site) : null,
  };
}

/** A pull request seen as an issue: what comment events carry. No head SHA stands in it. */
export function issuePayload(site: Site, pull: PullRequest): Payload {
  const repository = repositoryUrl(site, pull.repository);
  const url = `${repository}/issues/${pull.number}`;
  const page = `${pageUrl(site, pull.repository)}/pull/${pull.number}`;
  const { state } = site;
  const comments = [...state.comments.values()].filter(
    (c) => c.repository === pull.repository && c.number === pull.number,
  );
  return {
    id: pull.id,
    node_id: nodeId('PR', pull.id),
    number: pull.number,
    title: pull.title,
    body: pull.body,
    state: pull.state,
    state_reason: null,
    locked: false,
    active_lock_reason: null,
    draft: pull.draft,
    user: account(site, pull.author),
    author_association: association(site, pull.repository, pull.author),
    labels: [],
    assignee: null,
    assignees: [],
    milestone: null,
    comments: comments.length,
    created_at: time(pull.createdAt),
    updated_at: time(pull.updatedAt),
    closed_at: pull.closedAt === null ? null : time(pull.closedAt),
    url,
    html_url: page,
    repository_url: repository,
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    timeline_url: `${url}/timeline`,
    reactions: reactionCounts(site, pull.id, url),
    performed_via_github_app: null,
    pull_request: {
      url: `${repository}/pulls/${pull.number}`,
      html_url: page,
      diff_url: `${page}.diff`,
      patch_url: `${page}.patch`,
      merged_at: pull.merged === null ? null : time(pull.merged.at),
    },
  };
}

export function reviewPayload(site: Site, review: Review): Payload {
  const pull = review.pullRequest;
  const url = `${repositoryUrl(site, pull.repository)}/pulls/${pull.number}`;
  const page = `${pageUrl(site, pull.repository)}/pull/${pull.number}#pullrequestreview-${review.id}`;
  return {
    id: review.id,
    node_id: nodeId('PRR', review.id),
    user: account(site, review.author),
    body: review.body,
    commit_id: review.sha,
    submitted_at: time(review.submittedAt),
    updated_at: time(review.submittedAt),
    state: review.state,
    html_url: page,
    pull_request_url: url,
    author_association: association(site, pull.repository, review.author),
    _links: { html: { href: page }, pull_request: { href: url } },
  };
}

export function reviewCommentPayload(site: Site, comment: ReviewComment): Payload {
  const { pullRequest: pull, sha } = comment.review;
  const pullUrl = `${repositoryUrl(site, pull.repository)}/pulls/${pull.number}`;
  const url = `${repositoryUrl(site, pull.repository)}/pulls/comments/${comment.id}`;
  const page = `${pageUrl(site, pull.repository)}/pull/${pull.number}#discussion_r${comment.id}`;
  return {
    id: comment.id,
    node_id: nodeId('PRRC', comment.id),
    pull_request_review_id: comment.review.id,
    url,
    html_url: page,
    pull_request_url: pullUrl,
    body: comment.body,
    path: comment.path,
    user: account(site, comment.author),
    author_association: association(site, pull.repository, comment.author),
    commit_id: sha,
    original_commit_id: sha,
    diff_hunk: '@@ -1 +1 @@',
    ...lines(comment.line),
    side: 'RIGHT',
    subject_type: 'line',
    created_at: time(comment.createdAt),
    updated_at: time(comment.createdAt),
    reactions: reactionCounts(site, comment.id, url),
    _links: { self: { href: url }, html: { href: page }, pull_request: { href: pullUrl } },
  };
}

function lines(line: number): Payload {
  return {
    line,
    original_line: line,
    start_line: null,
    original_start_line: null,
    start_side: null,
    position: line,
    original_position: line,
  };
}
