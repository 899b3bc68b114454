import { commitsBetween } from '../git-read.ts';
import { writeMerge } from '../git-write.ts';
import { emailOf } from '../payloads/commit.ts';
import { webFlow } from '../people.ts';
import { refuseUnlessChecksPass } from '../protection.ts';
import { announcePush, branchHead, closePull, tellPull, writePullHead, writeRef } from '../refs.ts';
import type { Site } from '../site.ts';
import { fullName, type Account, type PullRequest, type Repository } from '../state.ts';
import { accountNamed, pullNumbered, repositoryNamed } from './people.ts';

export interface NewPullRequest {
  /** A branch; `owner:branch` for one that lives in that owner's fork. */
  readonly head: string;
  /** The default branch unless said. */
  readonly base?: string;
  readonly author: string;
  readonly title: string;
  readonly body?: string;
  readonly draft?: boolean;
}

export type MergeMethod = 'merge' | 'squash' | 'rebase';

export interface PullRequestControl {
  /** Resolves to its number. */
  openPullRequest(repository: string, pull: NewPullRequest): Promise<number>;
  closePullRequest(repository: string, number: number, by: string): Promise<void>;
  reopenPullRequest(repository: string, number: number, by: string): Promise<void>;
  /** Resolves to the new commit on the base branch, of a rebase the last one. Conflicts and required checks that do not pass are errors. */
  mergePullRequest(repository: string, number: number, by: string, method?: MergeMethod): Promise<string>;
  markReady(repository: string, number: number, by: string): Promise<void>;
  convertToDraft(repository: string, number: number, by: string): Promise<void>;
  editPullRequest(
    repository: string,
    number: number,
    by: string,
    change: { readonly title?: string; readonly base?: string },
  ): Promise<void>;
  pullRequest(repository: string, number: number): PullRequestView;
}

export interface PullRequestView {
  readonly number: number;
  readonly title: string;
  readonly state: 'open' | 'closed';
  readonly draft: boolean;
  readonly headSha: string;
  readonly headRef: string;
  readonly baseSha: string;
  readonly baseRef: string;
  /** The commit that the merge made; null while it is not merged. */
  readonly mergeSha: string | null;
}

export function pullRequestControl(site: Site): PullRequestControl {
  return {
    openPullRequest: (repository, pull) => open(site, repositoryNamed(site, repository), pull),
    closePullRequest: (repository, number, by) =>
      closePull(site, pullNumbered(site, repository, number), accountNamed(site, by)),
    reopenPullRequest: (repository, number, by) =>
      reopen(site, pullNumbered(site, repository, number), accountNamed(site, by)),
    mergePullRequest: (repository, number, by, method = 'merge') =>
      merge(site, pullNumbered(site, repository, number), accountNamed(site, by), method),
    markReady: (repository, number, by) => setDraft(site, pullNumbered(site, repository, number), by, false),
    convertToDraft: (repository, number, by) => setDraft(site, pullNumbered(site, repository, number), by, true),
    editPullRequest: (repository, number, by, change) =>
      edit(site, pullNumbered(site, repository, number), accountNamed(site, by), change),
    pullRequest: (repository, number) => view(pullNumbered(site, repository, number)),
  };
}

async function open(site: Site, repository: Repository, asked: NewPullRequest): Promise<number> {
  const author = accountNamed(site, asked.author);
  const head = headOf(site, repository, asked.head);
  const base = asked.base ?? repository.defaultBranch;
  const number = repository.nextNumber++;
  const at = site.now();
  const pull: PullRequest = {
    id: site.state.nextId(),
    number,
    repository,
    author,
    title: asked.title,
    body: asked.body ?? null,
    state: 'open',
    draft: asked.draft ?? false,
    head,
    base: { ref: base, sha: branchHead(repository, base) },
    merged: null,
    createdAt: at,
    updatedAt: at,
    closedAt: null,
  };
  repository.pullRequests.set(number, pull);
  await writePullHead(pull);
  await tellPull(site, pull, 'opened', author);
  return number;
}

function headOf(site: Site, base: Repository, head: string): PullRequest['head'] {
  const [owner, branch] = head.includes(':') ? (head.split(':') as [string, string]) : [base.owner.login, head];
  const own = owner.toLowerCase() === base.owner.login.toLowerCase();
  const forks = [...site.state.repositories.values()].filter(({ forkOf }) => forkOf === base);
  const repository = own ? base : forks.find((fork) => fork.owner.login.toLowerCase() === owner.toLowerCase());
  if (repository === undefined) throw new Error(`${owner} has no fork of ${fullName(base)}: forkRepository first`);
  return { repository, ref: branch, sha: branchHead(repository, branch) };
}

async function reopen(site: Site, pull: PullRequest, by: Account): Promise<void> {
  if (pull.merged !== null) throw new Error('a merged pull request cannot be reopened');
  pull.state = 'open';
  pull.closedAt = null;
  pull.head.sha = branchHead(pull.head.repository, pull.head.ref);
  pull.base.sha = branchHead(pull.repository, pull.base.ref);
  await writePullHead(pull);
  await tellPull(site, pull, 'reopened', by);
}

async function setDraft(site: Site, pull: PullRequest, by: string, draft: boolean): Promise<void> {
  pull.draft = draft;
  await tellPull(site, pull, draft ? 'converted_to_draft' : 'ready_for_review', accountNamed(site, by));
}

async function edit(
  site: Site,
  pull: PullRequest,
  by: Account,
  change: { readonly title?: string; readonly base?: string },
): Promise<void> {
  const changes: Record<string, unknown> = {};
  if (change.title !== undefined) {
    changes['title'] = { from: pull.title };
    pull.title = change.title;
  }
  if (change.base !== undefined) {
    changes['base'] = { ref: { from: pull.base.ref }, sha: { from: pull.base.sha } };
    pull.base.ref = change.base;
    pull.base.sha = branchHead(pull.repository, change.base);
  }
  await tellPull(site, pull, 'edited', by, { changes });
}

async function merge(site: Site, pull: PullRequest, by: Account, method: MergeMethod): Promise<string> {
  if (pull.state === 'closed') throw new Error(`pull request ${pull.number} is closed`);
  if (pull.draft) throw new Error(`pull request ${pull.number} is a draft: markReady first`);
  refuseUnlessChecksPass(site, pull);
  const sha = await mergeCommit(site, pull, by, method);
  await finishMerge(site, pull, by, sha);
  return sha;
}

/** Moves the base branch to a commit that holds the pull request, and closes it as merged. */
export async function finishMerge(site: Site, pull: PullRequest, by: Account, sha: string): Promise<void> {
  const { repository, base } = pull;
  pull.merged = { sha, by, at: site.now() };
  pull.state = 'closed';
  const ref = `refs/heads/${base.ref}`;
  const before = branchHead(repository, base.ref);
  await writeRef(repository, ref, sha);
  await announcePush(site, repository, ref, before, sha, by);
  await closePull(site, pull, by);
}

export function mergeCommit(site: Site, pull: PullRequest, by: Account, method: MergeMethod): Promise<string> {
  return method === 'rebase' ? rebasedCommits(site, pull, by) : joinedCommit(site, pull, by, method === 'squash');
}

/** The committer is GitHub itself. */
async function joinedCommit(site: Site, pull: PullRequest, by: Account, squash: boolean): Promise<string> {
  const { repository, head } = pull;
  const base = branchHead(repository, pull.base.ref);
  const who = squash ? pull.author : by;
  const author = { name: who.login, email: emailOf(who), at: site.now() };
  const committer = { name: 'GitHub', email: emailOf(webFlow(site)), at: site.now() };
  const parents = squash ? [base] : [base, head.sha];
  const from = `${head.repository.owner.login}/${head.ref}`;
  const title = `${pull.title} (#${pull.number})`;
  const message = squash ? title : `Merge pull request #${pull.number} from ${from}\n\n${pull.title}`;
  const sha = await writeMerge(repository.path, { base, head: head.sha, parents, author, committer, message });
  return sha ?? conflict(pull);
}

/** Each commit anew on the base, by its author and committed by whoever merges; GitHub never keeps the old ones. */
async function rebasedCommits(site: Site, pull: PullRequest, by: Account): Promise<string> {
  const { path } = pull.repository;
  let onto = branchHead(pull.repository, pull.base.ref);
  const committer = { name: by.login, email: emailOf(by), at: site.now() };
  for (const { sha, author, message } of await commitsBetween(path, onto, pull.head.sha)) {
    const { name, email, date } = author;
    const made = { author: { name, email, at: new Date(date) }, committer, message };
    onto = (await writeMerge(path, { ...made, base: onto, head: sha, parents: [onto] })) ?? conflict(pull);
  }
  return onto;
}

function conflict(pull: PullRequest): never {
  throw new Error(`pull request ${pull.number} conflicts with ${pull.base.ref}`);
}

function view(pull: PullRequest): PullRequestView {
  const { number, title, state, draft, head, base, merged } = pull;
  const sides = { headSha: head.sha, headRef: head.ref, baseSha: base.sha, baseRef: base.ref };
  return { number, title, state, draft, ...sides, mergeSha: merged?.sha ?? null };
}
