import { z } from 'zod';
import type { Client } from './client.ts';
import type { Account, CommitAuthors, FileRange, GitHub, RepositoryRef } from './github.ts';
import { allPages, named, on, orNull } from './paging.ts';
import { account, optionalText, sha, storable } from './shapes.ts';

const signature = z.object({ name: optionalText, email: optionalText }).nullish();
type Signature = z.output<typeof signature>;
/** GitHub gives null, and in old commits an empty object, for a person without an account. */
const maybeAccount = z.union([account, z.unknown().transform(() => null)]);
const commit = z.object({
  commit: z.object({ message: optionalText, author: signature, committer: signature }),
  author: maybeAccount,
  committer: maybeAccount,
});
type Commit = z.output<typeof commit>;
const commits = z.array(commit);
const comparison = z.object({ commits, total_commits: z.int() });

/** GitHub lists no more commits of a pull request. */
const mostOfPullRequest = 250;
const mostOfComparison = 1000;

export function authorVerbs(client: Client): Pick<GitHub, 'commitAuthors'> {
  return {
    async commitAuthors(repository, range) {
      const { list, whole } = await commitsOf(client, repository, range);
      const { accounts, unmapped } = peopleIn(list);
      if (whole) return { accounts, unmapped };
      // Whoever wrote the rest is not known, which must count as somebody who cannot be mapped.
      return { accounts, unmapped: [...unmapped, 'authors of further commits, which GitHub does not list'] };
    },
  };
}

interface CommitList {
  readonly list: readonly Commit[];
  readonly whole: boolean;
}

async function commitsOf(client: Client, repository: RepositoryRef, range: FileRange): Promise<CommitList> {
  switch (range.kind) {
    case 'pull-request': {
      const route = 'GET /repos/{owner}/{repo}/pulls/{pull_number}/commits';
      const parameters = { ...named(repository), pull_number: range.number };
      const pages = await allPages(client, on(repository, 'pulls'), route, parameters, commits, (page) => page);
      const list = pages.flat();
      return { list, whole: list.length < mostOfPullRequest };
    }
    case 'commits':
      return commitsBetween(client, repository, range.before, range.after);
    case 'commit': {
      const route = 'GET /repos/{owner}/{repo}/commits/{ref}';
      const parameters = { ...named(repository), ref: sha.parse(range.sha), per_page: 1 };
      const one = await orNull(client.ask(on(repository, 'contents'), route, parameters, commit), [404, 422]);
      return { list: one ? [one] : [], whole: one !== null };
    }
    default:
      return range satisfies never;
  }
}

async function commitsBetween(
  client: Client,
  repository: RepositoryRef,
  before: string,
  after: string,
): Promise<CommitList> {
  const route = 'GET /repos/{owner}/{repo}/compare/{basehead}';
  const parameters = { ...named(repository), basehead: `${sha.parse(before)}...${sha.parse(after)}` };
  const pages = await orNull(
    allPages(client, on(repository, 'contents'), route, parameters, comparison, (page) => page.commits, 10),
    [404, 422],
  );
  const list = (pages ?? []).flatMap((page) => page.commits);
  const total = pages?.[0]?.total_commits ?? Infinity;
  return { list, whole: list.length >= Math.min(total, mostOfComparison) && total <= mostOfComparison };
}

/** Authors, committers and co-authors. GitHub's own account, which commits what people do on its pages, is nobody. */
function peopleIn(list: readonly Commit[]): CommitAuthors {
  const accounts = new Map<number, Account>();
  const unmapped = new Set<string>();
  const byEmail = new Map<string, Account>();
  const mapped = list.flatMap(({ commit, author, committer }) => [
    { signature: commit.author, account: author },
    { signature: commit.committer, account: committer },
  ]);
  for (const { signature, account } of mapped) {
    if (isGitHubItself(account, signature)) continue;
    if (account) {
      accounts.set(account.id, account);
      if (signature?.email) byEmail.set(signature.email.toLowerCase(), account);
    } else if (signature) unmapped.add(signature.name || signature.email || 'somebody without a name');
  }
  for (const coAuthor of list.flatMap(({ commit }) => coAuthorsIn(commit.message))) {
    const account = byEmail.get(coAuthor.email) ?? accountInEmail(coAuthor.email);
    if (account) accounts.set(account.id, account);
    else unmapped.add(coAuthor.name);
  }
  return { accounts: [...accounts.values()], unmapped: [...unmapped] };
}

function isGitHubItself(account: Account | null, signature: Signature): boolean {
  return account?.login === 'web-flow' || (account === null && signature?.email === 'noreply@github.com');
}

const trailer = /^co-authored-by:[ \t]*([^<\n]{0,200})<([^<>\s]{1,200})>[ \t]*$/gim;
const mostCoAuthors = 50;

function coAuthorsIn(message: string): readonly { readonly name: string; readonly email: string }[] {
  return [...message.slice(0, 65_536).matchAll(trailer)].slice(0, mostCoAuthors).map(([, name = '', email = '']) => ({
    name: storable(name.trim() || email),
    email: email.toLowerCase(),
  }));
}

/** GitHub's private addresses name the account: `1234+ada@users.noreply.github.com`. */
function accountInEmail(email: string): Account | undefined {
  const match = /^(\d{1,15})\+([a-z0-9-]{1,64}(?:\[bot\])?)@users\.noreply\.[a-z0-9.-]+$/i.exec(email);
  if (!match?.[1] || !match[2]) return undefined;
  return { id: Number(match[1]), login: match[2], bot: match[2].endsWith('[bot]') };
}
