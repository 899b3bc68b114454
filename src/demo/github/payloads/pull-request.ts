import { changedFilesSince, commitsBetween } from '../git-read.ts';
import { mergedTree } from '../git-write.ts';
import { association } from '../people.ts';
import { failingChecks } from '../protection.ts';
import type { Site } from '../site.ts';
import type { PullRequest, Repository } from '../state.ts';
import { account, nodeId, time, type Payload } from './account.ts';
import { pageUrl, repositoryPayload, repositoryUrl } from './repository.ts';

function urls(site: Site, pull: PullRequest): Payload {
  const repository = repositoryUrl(site, pull.repository);
  const api = `${repository}/pulls/${pull.number}`;
  const issue = `${repository}/issues/${pull.number}`;
  const page = `${pageUrl(site, pull.repository)}/pull/${pull.number}`;
  return {
    url: api,
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    issue_url: issue,
    commits_url: `${api}/commits`,
    review_comments_url: `${api}/comments`,
    review_comment_url: `${repository}/pulls/comments{/number}`,
    comments_url: `${issue}/comments`,
    statuses_url: `${repository}/statuses/${pull.head.sha}`,
  };
}

function links(all: Payload): Payload {
  const names = ['html', 'issue', 'comments', 'review_comments', 'review_comment', 'commits', 'statuses'];
  const href = (name: string) => ({ href: all[`${name}_url`] });
  return { self: { href: all['url'] }, ...Object.fromEntries(names.map((name) => [name, href(name)])) };
}

function side(site: Site, repository: Repository, ref: string, sha: string): Payload {
  return {
    label: `${repository.owner.login}:${ref}`,
    ref,
    sha,
    user: account(site, repository.owner),
    repo: repositoryPayload(site, repository),
  };
}

/** As in a list. */
export function simplePullRequest(site: Site, pull: PullRequest): Payload {
  const all = urls(site, pull);
  return {
    ...all,
    id: pull.id,
    node_id: nodeId('PR', pull.id),
    number: pull.number,
    state: pull.state,
    locked: false,
    active_lock_reason: null,
    title: pull.title,
    user: account(site, pull.author),
    body: pull.body,
    labels: [],
    milestone: null,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    created_at: time(pull.createdAt),
    updated_at: time(pull.updatedAt),
    closed_at: pull.closedAt === null ? null : time(pull.closedAt),
    merged_at: pull.merged === null ? null : time(pull.merged.at),
    merge_commit_sha: pull.merged?.sha ?? null,
    draft: pull.draft,
    head: side(site, pull.head.repository, pull.head.ref, pull.head.sha),
    base: side(site, pull.repository, pull.base.ref, pull.base.sha),
    _links: links(all),
    author_association: association(site, pull.repository, pull.author),
    auto_merge: null,
  };
}

/** As in an event: GitHub has not yet found out whether it can be merged. */
export async function pullRequestPayload(site: Site, pull: PullRequest): Promise<Payload> {
  const size = await sizeOf(pull);
  const { state } = site;
  const comments = [...state.comments.values()].filter(
    (c) => c.repository === pull.repository && c.number === pull.number,
  );
  const onLines = [...state.reviewComments.values()].filter((comment) => comment.review.pullRequest === pull);
  return {
    ...simplePullRequest(site, pull),
    merged: pull.merged !== null,
    mergeable: null,
    rebaseable: null,
    mergeable_state: 'unknown',
    merged_by: pull.merged === null ? null : account(site, pull.merged.by),
    comments: comments.length,
    review_comments: onLines.length,
    maintainer_can_modify: false,
    ...size,
  };
}

export async function fullPullRequest(site: Site, pull: PullRequest): Promise<Payload> {
  const payload = await pullRequestPayload(site, pull);
  if (pull.state === 'closed') return payload;
  const clean = (await mergedTree(pull.repository.path, pull.base.sha, pull.head.sha)) !== null;
  const waiting = failingChecks(site, pull).length > 0;
  const state = !clean ? 'dirty' : pull.draft ? 'draft' : waiting ? 'blocked' : 'clean';
  return { ...payload, mergeable: clean, rebaseable: clean, mergeable_state: state };
}

interface Size {
  readonly commits: number;
  readonly additions: number;
  readonly deletions: number;
  readonly changed_files: number;
}

const sizes = new Map<string, Promise<Size>>();

function sizeOf(pull: PullRequest): Promise<Size> {
  const key = `${pull.repository.path} ${pull.base.sha} ${pull.head.sha}`;
  const found = sizes.get(key) ?? measure(pull);
  sizes.set(key, found);
  return found;
}

async function measure({ repository, base, head }: PullRequest): Promise<Size> {
  const [commits, files] = await Promise.all([
    commitsBetween(repository.path, base.sha, head.sha),
    changedFilesSince(repository.path, base.sha, head.sha),
  ]);
  const sum = (field: 'additions' | 'deletions') => files.reduce((total, file) => total + file[field], 0);
  return {
    commits: commits.length,
    additions: sum('additions'),
    deletions: sum('deletions'),
    changed_files: files.length,
  };
}

/** As check runs and suites list them. */
export function pullRequestMention(site: Site, pull: PullRequest): Payload {
  const short = (repository: Repository) => ({
    id: repository.id,
    url: repositoryUrl(site, repository),
    name: repository.name,
  });
  return {
    id: pull.id,
    number: pull.number,
    url: `${repositoryUrl(site, pull.repository)}/pulls/${pull.number}`,
    head: { ref: pull.head.ref, sha: pull.head.sha, repo: short(pull.head.repository) },
    base: { ref: pull.base.ref, sha: pull.base.sha, repo: short(pull.repository) },
  };
}
