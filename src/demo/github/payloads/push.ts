import { commitInfo, pathChanges } from '../git-read.ts';
import type { CommitInfo } from '../history.ts';
import { zeroSha } from '../git.ts';
import type { Site } from '../site.ts';
import { fullName, type Account, type Repository } from '../state.ts';
import { account, type Payload } from './account.ts';
import { accountByEmail, emailOf } from './commit.ts';
import { pageUrl, repositoryPayload } from './repository.ts';

export interface Pushed {
  readonly ref: string;
  /** 40 zeros when the ref is new. */
  readonly before: string;
  /** 40 zeros when the ref is gone. */
  readonly after: string;
  readonly forced: boolean;
  readonly by: Account;
  /** Oldest first; only what no other branch had. */
  readonly commits: readonly CommitInfo[];
}

/** GitHub lists at most this many commits in a push event. */
const mostCommits = 2048;

export async function pushPayload(site: Site, repository: Repository, pushed: Pushed): Promise<Payload> {
  const created = pushed.before === zeroSha;
  const deleted = pushed.after === zeroSha;
  const listed = pushed.commits.slice(-mostCommits);
  const commits = await Promise.all(listed.map((commit) => pushedCommit(site, repository, commit)));
  const ends = `${pushed.before.slice(0, 12)}...${pushed.after.slice(0, 12)}`;
  return {
    ref: pushed.ref,
    before: pushed.before,
    after: pushed.after,
    repository: pushRepository(site, repository),
    pusher: { name: pushed.by.login, email: pushed.by.type === 'Bot' ? null : emailOf(pushed.by) },
    sender: account(site, pushed.by),
    created,
    deleted,
    forced: pushed.forced,
    base_ref: null,
    compare: `${pageUrl(site, repository)}/compare/${ends}`,
    commits,
    head_commit: deleted ? null : await headCommit(site, repository, pushed),
  };
}

/** Named also when the push brought no commit of its own, as for a tag. */
async function headCommit(site: Site, repository: Repository, { after }: Pushed): Promise<Payload> {
  return pushedCommit(site, repository, await commitInfo(repository.path, after));
}

/** In push events alone, two times are numbers and the owner has a name. */
function pushRepository(site: Site, repository: Repository): Payload {
  return {
    ...repositoryPayload(site, repository),
    owner: { ...account(site, repository.owner), name: repository.owner.login, email: null },
    url: pageUrl(site, repository),
    created_at: Math.floor(repository.createdAt.getTime() / 1000),
    pushed_at: Math.floor(repository.pushedAt.getTime() / 1000),
    stargazers: 0,
    master_branch: repository.defaultBranch,
  };
}

async function pushedCommit(site: Site, repository: Repository, commit: CommitInfo): Promise<Payload> {
  return {
    id: commit.sha,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message,
    timestamp: commit.committer.date,
    url: `${site.url}/${fullName(repository)}/commit/${commit.sha}`,
    author: committer(site, commit.author),
    committer: committer(site, commit.committer),
    ...(await pathChanges(repository.path, commit)),
  };
}

function committer(site: Site, person: { name: string; email: string; date: string }): Payload {
  const known = accountByEmail(site, person.email);
  return { ...person, ...(known === null ? {} : { username: known.login }) };
}
