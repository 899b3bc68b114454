import { commitInfo, type ChangedFile } from '../git-read.ts';
import type { CommitInfo } from '../history.ts';
import type { Site } from '../site.ts';
import type { Account, Repository } from '../state.ts';
import { account, nodeId, type Payload } from './account.ts';
import { pageUrl, repositoryUrl } from './repository.ts';

/** The address that GitHub gives to people who keep theirs private. */
export function emailOf(who: Account): string {
  return `${who.id}+${who.login}@users.noreply.github.com`;
}

/** The account that an address belongs to: GitHub maps by address alone, never by name. */
export function accountByEmail(site: Site, email: string): Account | null {
  for (const who of site.state.accounts.values()) if (emailOf(who) === email) return who;
  return null;
}

export function commitPayload(site: Site, repository: Repository, commit: CommitInfo): Payload {
  const url = `${repositoryUrl(site, repository)}/commits/${commit.sha}`;
  const git = `${repositoryUrl(site, repository)}/git`;
  const author = accountByEmail(site, commit.author.email);
  const committer = accountByEmail(site, commit.committer.email);
  return {
    sha: commit.sha,
    node_id: nodeId('C', repository.id),
    url,
    html_url: `${pageUrl(site, repository)}/commit/${commit.sha}`,
    comments_url: `${url}/comments`,
    commit: {
      url: `${git}/commits/${commit.sha}`,
      author: commit.author,
      committer: commit.committer,
      message: commit.message,
      comment_count: 0,
      tree: { sha: commit.tree, url: `${git}/trees/${commit.tree}` },
      verification: { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null },
    },
    author: author === null ? null : account(site, author),
    committer: committer === null ? null : account(site, committer),
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${repositoryUrl(site, repository)}/commits/${sha}`,
      html_url: `${pageUrl(site, repository)}/commit/${sha}`,
    })),
  };
}

export function filePayload(site: Site, repository: Repository, sha: string, file: ChangedFile): Payload {
  const path = file.path.split('/').map(encodeURIComponent).join('/');
  const renamed = file.previous === null ? {} : { previous_filename: file.previous };
  return {
    sha: file.sha,
    filename: file.path,
    ...renamed,
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    blob_url: `${pageUrl(site, repository)}/blob/${sha}/${path}`,
    raw_url: `${pageUrl(site, repository)}/raw/${sha}/${path}`,
    contents_url: `${repositoryUrl(site, repository)}/contents/${path}?ref=${sha}`,
  };
}

/** A commit as push, check suite and merge group events carry it. */
export async function headCommitPayload(repository: Repository, sha: string): Promise<Payload> {
  const commit = await commitInfo(repository.path, sha);
  const { author, committer } = commit;
  return {
    id: commit.sha,
    tree_id: commit.tree,
    message: commit.message,
    timestamp: committer.date,
    author: { name: author.name, email: author.email },
    committer: { name: committer.name, email: committer.email },
  };
}
