import { writeCommit, type Files } from '../git-write.ts';
import { zeroSha } from '../git.ts';
import { emailOf } from '../payloads/commit.ts';
import { announcePush, branchHead, writeRef } from '../refs.ts';
import type { Site } from '../site.ts';
import type { Repository } from '../state.ts';
import { accountNamed, repositoryNamed } from './people.ts';

/** A login, or somebody without an account. */
export type Author = string | { readonly name: string; readonly email: string };

export interface NewCommit {
  readonly author: Author;
  /** The author unless said. */
  readonly committer?: Author;
  readonly message: string;
  /** What the commit says of when it was made; anybody may write anything there. Now unless said. */
  readonly at?: Date;
  /** null removes a file. */
  readonly files: Files;
}

export interface Push {
  readonly branch: string;
  /** Who pushes. */
  readonly by: string;
  readonly commits: readonly NewCommit[];
  /** Where the commits start: the branch's tip, or the default branch's for a new branch. Another commit forces. */
  readonly from?: string;
}

export interface PushControl {
  /** One commit, pushed by its author unless `by` says otherwise. Resolves to its SHA. */
  commit(
    repository: string,
    commit: NewCommit & { readonly branch: string; readonly from?: string; readonly by?: string },
  ): Promise<string>;
  /** Several commits in one push. Resolves to the new head; with no commits the branch moves to `from`. */
  push(repository: string, push: Push): Promise<string>;
  deleteBranch(repository: string, branch: string, by: string): Promise<void>;
  /** All in one push. GitHub sends no events for more than three tags at once. */
  pushTags(repository: string, tags: Readonly<Record<string, string>>, by: string): Promise<void>;
  deleteTag(repository: string, tag: string, by: string): Promise<void>;
}

const mostTagsWithEvents = 3;

export function pushControl(site: Site): PushControl {
  return {
    commit(repository, { branch, from, by, ...commit }) {
      const pusher = by ?? (typeof commit.author === 'string' ? commit.author : undefined);
      if (pusher === undefined) throw new Error('an author without an account cannot push: say `by`');
      const start = from === undefined ? {} : { from };
      return push(site, repositoryNamed(site, repository), { branch, by: pusher, commits: [commit], ...start });
    },
    push: (repository, asked) => push(site, repositoryNamed(site, repository), asked),
    deleteBranch: (repository, branch, by) =>
      remove(site, repositoryNamed(site, repository), `refs/heads/${branch}`, by),
    async pushTags(repository, tags, by) {
      const found = repositoryNamed(site, repository);
      const quiet = Object.keys(tags).length > mostTagsWithEvents;
      for (const [tag, sha] of Object.entries(tags)) {
        const ref = `refs/tags/${tag}`;
        const before = found.refs.get(ref) ?? zeroSha;
        await writeRef(found, ref, sha);
        if (!quiet) await announcePush(site, found, ref, before, sha, accountNamed(site, by));
      }
    },
    deleteTag: (repository, tag, by) => remove(site, repositoryNamed(site, repository), `refs/tags/${tag}`, by),
  };
}

async function push(site: Site, repository: Repository, { branch, by, commits, from }: Push): Promise<string> {
  const ref = `refs/heads/${branch}`;
  const before = repository.refs.get(ref) ?? zeroSha;
  let tip = from ?? repository.refs.get(ref) ?? repository.refs.get(`refs/heads/${repository.defaultBranch}`) ?? null;
  for (const { author, committer = author, message, files, at = site.now() } of commits) {
    const people = { author: signature(site, author, at), committer: signature(site, committer, at) };
    tip = await writeCommit(repository.path, { ref, parent: tip, message, files, ...people });
  }
  if (tip === null) throw new Error(`nothing to push to ${branch}: the repository is empty and no commit was given`);
  if (commits.length === 0) await writeRef(repository, ref, tip);
  await announcePush(site, repository, ref, before, tip, accountNamed(site, by));
  return tip;
}

function signature(site: Site, author: Author, at: Date) {
  if (typeof author !== 'string') return { ...author, at };
  const who = accountNamed(site, author);
  return { name: who.login, email: emailOf(who), at };
}

async function remove(site: Site, repository: Repository, ref: string, by: string): Promise<void> {
  const before = repository.refs.get(ref) ?? branchHead(repository, ref);
  await writeRef(repository, ref, null);
  await announcePush(site, repository, ref, before, zeroSha, accountNamed(site, by));
}
