/** Moving refs, and everything that GitHub does when one moves. */
import { tellSuite } from './checks.ts';
import { tell } from './events.ts';
import { commitsBetween, findCommit } from './git-read.ts';
import { copyCommit } from './git-write.ts';
import { git, writeLooseRef, zeroSha } from './git.ts';
import { pullRequestPayload } from './payloads/pull-request.ts';
import { pushPayload, type Pushed } from './payloads/push.ts';
import type { Site } from './site.ts';
import { fullName, type Account, type PullRequest, type Repository } from './state.ts';
import { ensureSuite } from './suites.ts';

/** null deletes the ref. */
export async function writeRef(repository: Repository, ref: string, sha: string | null): Promise<void> {
  if (sha === null) repository.refs.delete(ref);
  else repository.refs.set(ref, sha);
  if (sha === null) await git(repository.path, ['update-ref', '-d', ref]);
  else await writeLooseRef(repository.path, ref, sha);
}

export function branchHead(repository: Repository, branch: string): string {
  const sha = repository.refs.get(`refs/heads/${branch}`);
  if (sha === undefined) throw new Error(`${fullName(repository)} has no branch ${branch}: push one first`);
  return sha;
}

/** A commit by branch, tag, full ref name, `HEAD`, or SHA; null when there is none. */
export async function resolveCommit(repository: Repository, name: string): Promise<string | null> {
  const ref = name === 'HEAD' ? `refs/heads/${repository.defaultBranch}` : name;
  const candidates = [ref, `refs/heads/${ref}`, `refs/tags/${ref}`, `refs/${ref}`];
  const known = candidates.map((candidate) => repository.refs.get(candidate)).find((sha) => sha !== undefined);
  return known ?? findCommit(repository.path, name);
}

/** After the ref stands at `after` in git: the push event, a check suite, and what it means for pull requests. */
export async function announcePush(
  site: Site,
  repository: Repository,
  ref: string,
  before: string,
  after: string,
  by: Account,
): Promise<void> {
  repository.pushedAt = site.now();
  repository.activities.push({ id: site.state.nextId(), ref, before, after, at: site.now(), by });
  if (after === zeroSha) repository.refs.delete(ref);
  else repository.refs.set(ref, after);
  const pushed = { ref, before, after, by, ...(await pushedRange(repository, ref, before, after)) };
  await tell(site, repository, 'push', by, () => pushPayload(site, repository, pushed));
  if (ref.startsWith('refs/heads/') && after !== zeroSha) await suiteForPush(site, repository, before, after, by);
  await movePullRequests(site, repository, pushed);
}

/** Not forced: the old head is a parent within the new commits. */
async function pushedRange(repository: Repository, ref: string, before: string, after: string) {
  if (after === zeroSha) return { commits: [], forced: false };
  if (before !== zeroSha) {
    const commits = await commitsBetween(repository.path, before, after);
    return { commits, forced: !commits.some(({ parents }) => parents.includes(before)) };
  }
  const main = repository.refs.get(`refs/heads/${repository.defaultBranch}`);
  const from = ref === `refs/heads/${repository.defaultBranch}` || main === undefined ? null : main;
  return { commits: await commitsBetween(repository.path, from, after), forced: false };
}

async function suiteForPush(
  site: Site,
  repository: Repository,
  before: string,
  after: string,
  by: Account,
): Promise<void> {
  const suite = ensureSuite(site, repository, after, before);
  await tellSuite(site, suite, 'requested', by);
}

/** A branch that goes closes what it is part of; a base that takes in a head by a plain push merges it. */
async function movePullRequests(site: Site, repository: Repository, pushed: Pushed): Promise<void> {
  const { ref, before, after, by } = pushed;
  const gone = after === zeroSha;
  for (const pull of openPullRequests(site)) {
    const isHead = pull.head.repository === repository && `refs/heads/${pull.head.ref}` === ref;
    const isBase = pull.repository === repository && `refs/heads/${pull.base.ref}` === ref;
    if ((isHead || isBase) && gone) await closePull(site, pull, by);
    else if (isHead) await synchronize(site, pull, before, after, by);
    else if (isBase && pushed.commits.some(({ sha }) => sha === pull.head.sha)) await mergedByPush(site, pull, pushed);
    else if (isBase) pull.base.sha = after;
  }
}

async function mergedByPush(site: Site, pull: PullRequest, { after, by }: Pushed): Promise<void> {
  pull.merged = { sha: after, by, at: site.now() };
  await closePull(site, pull, by);
}

function openPullRequests(site: Site): readonly PullRequest[] {
  const all = [...site.state.repositories.values()].flatMap((repository) => [...repository.pullRequests.values()]);
  return all.filter((pull) => pull.state === 'open');
}

async function synchronize(site: Site, pull: PullRequest, before: string, after: string, by: Account): Promise<void> {
  pull.head.sha = after;
  await writePullHead(pull);
  await tellPull(site, pull, 'synchronize', by, { before, after });
}

/** The base repository can be asked for the head commit, wherever the branch lives. */
export async function writePullHead(pull: PullRequest): Promise<void> {
  const ref = `refs/pull/${pull.number}/head`;
  pull.repository.refs.set(ref, pull.head.sha);
  if (pull.head.repository === pull.repository) await writeRef(pull.repository, ref, pull.head.sha);
  else await copyCommit(pull.head.repository.path, pull.repository.path, pull.head.sha, ref);
}

export async function closePull(site: Site, pull: PullRequest, by: Account): Promise<void> {
  pull.state = 'closed';
  pull.closedAt = site.now();
  await tellPull(site, pull, 'closed', by);
}

export async function tellPull(
  site: Site,
  pull: PullRequest,
  action: string,
  by: Account,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  pull.updatedAt = site.now();
  await tell(site, pull.repository, 'pull_request', by, async () => ({
    action,
    number: pull.number,
    pull_request: await pullRequestPayload(site, pull),
    ...more,
  }));
}
