import { invalid, notFound } from '../api-error.ts';
import { changedFiles, commitInfo, commitsBetween, findCommit, mergeBase, type ChangedFile } from '../git-read.ts';
import type { CommitInfo } from '../history.ts';
import { commitPayload, filePayload } from '../payloads/commit.ts';
import { simplePullRequest } from '../payloads/pull-request.ts';
import { account, nodeId, time, type Payload } from '../payloads/account.ts';
import { pageUrl, repositoryUrl } from '../payloads/repository.ts';
import { resolveCommit } from '../refs.ts';
import { listAnswer, ok, pageOf, repositoryRoute, type Answer, type RepositoryCall, type Route } from '../route.ts';
import type { Activity, PullRequest } from '../state.ts';
import { zeroSha } from '../git.ts';

const contents = ['contents:read'];

/** The order matters: a ref may hold slashes, so longer paths come first. */
export const commitRoutes: readonly Route[] = [
  repositoryRoute('GET /git/ref/{ref}', contents, (call) => {
    const ref = `refs/${call.parameters['ref']}`;
    const sha = call.repository.refs.get(ref);
    if (sha === undefined) throw notFound();
    return ok(refPayload(call, ref, sha));
  }),
  repositoryRoute('GET /git/matching-refs/{ref}', contents, (call) => {
    const refs = [...call.repository.refs].filter(([ref]) => ref.startsWith(`refs/${call.parameters['ref']}`));
    return listAnswer(call, refs.sort(byName), ([ref, sha]) => refPayload(call, ref, sha));
  }),
  repositoryRoute('GET /branches', contents, (call) => {
    const branches = [...call.repository.refs].filter(([ref]) => ref.startsWith('refs/heads/')).sort(byName);
    return listAnswer(call, branches, ([ref, sha]) => ({
      name: ref.slice('refs/heads/'.length),
      commit: { sha, url: `${repositoryUrl(call.site, call.repository)}/commits/${sha}` },
      protected: call.repository.requiredChecks.has(ref.slice('refs/heads/'.length)),
    }));
  }),
  repositoryRoute('GET /branches/{branch}', contents, branch),
  repositoryRoute('GET /compare/{basehead}', contents, compare),
  repositoryRoute('GET /commits/{commit_sha}/pulls', ['pull_requests:read'], pullsOfCommit),
  repositoryRoute('GET /activity', contents, (call) =>
    listAnswer(call, activitiesOf(call).toReversed(), (one) => activityPayload(call, one)),
  ),
  repositoryRoute('GET /commits', contents, async (call) => {
    const sha = await commitNamed(call, call.query.get('sha') ?? call.repository.defaultBranch);
    const commits = [...(await commitsBetween(call.repository.path, null, sha))].reverse();
    return listAnswer(call, commits, (commit) => commitPayload(call.site, call.repository, commit));
  }),
  repositoryRoute('GET /commits/{ref}', contents, commit),
];

function activitiesOf({ repository, query }: RepositoryCall): readonly Activity[] {
  const ref = query.get('ref');
  return repository.activities.filter((one) => ref === null || one.ref === ref);
}

function activityPayload({ site }: RepositoryCall, { id, ref, before, after, at, by }: Activity): Payload {
  const kind = before === zeroSha ? 'branch_creation' : after === zeroSha ? 'branch_deletion' : 'push';
  const who = account(site, by);
  return { id, node_id: nodeId('PSH', id), before, after, ref, timestamp: time(at), activity_type: kind, actor: who };
}

function byName([one]: readonly [string, string], [other]: readonly [string, string]): number {
  return one < other ? -1 : 1;
}

async function commitNamed(call: RepositoryCall, name: string): Promise<string> {
  const sha = await resolveCommit(call.repository, name);
  if (sha === null) throw notFound();
  return sha;
}

function refPayload(call: RepositoryCall, ref: string, sha: string): Payload {
  const git = `${repositoryUrl(call.site, call.repository)}/git`;
  return {
    ref,
    node_id: nodeId('REF', call.repository.id),
    url: `${git}/${ref}`,
    object: { type: 'commit', sha, url: `${git}/commits/${sha}` },
  };
}

async function branch(call: RepositoryCall): Promise<Answer> {
  const { site, repository } = call;
  const name = call.parameters['branch'] ?? '';
  const sha = repository.refs.get(`refs/heads/${name}`);
  if (sha === undefined) throw notFound();
  const url = `${repositoryUrl(site, repository)}/branches/${encodeURIComponent(name)}`;
  return ok({
    name,
    commit: commitPayload(site, repository, await commitInfo(repository.path, sha)),
    _links: { self: url, html: `${pageUrl(site, repository)}/tree/${encodeURIComponent(name)}` },
    protected: repository.requiredChecks.has(name),
    protection: { enabled: repository.requiredChecks.has(name) },
    protection_url: `${url}/protection`,
  });
}

async function commit(call: RepositoryCall): Promise<Answer> {
  const { site, repository } = call;
  const name = call.parameters['ref'] ?? '';
  const sha = await resolveCommit(repository, name);
  if (sha === null) throw invalid(`No commit found for SHA: ${name}`);
  const info = await commitInfo(repository.path, sha);
  const files = await changedFiles(repository.path, info.parents[0] ?? null, sha);
  const sum = (field: 'additions' | 'deletions') => files.reduce((total, file) => total + file[field], 0);
  const [additions, deletions] = [sum('additions'), sum('deletions')];
  const shape = (file: ChangedFile) => filePayload(site, repository, sha, file);
  const body = {
    ...commitPayload(site, repository, info),
    stats: { additions, deletions, total: additions + deletions },
  };
  return listAnswer(call, files.slice(0, mostFilesOfCommit), shape, (page) => ({ ...body, files: page }), mostFiles);
}

/** The pull request whose merge made the commit; on another branch than the default one, the open ones that hold it. */
async function pullsOfCommit(call: RepositoryCall): Promise<Answer> {
  const { site, repository } = call;
  const sha = await findCommit(repository.path, call.parameters['commit_sha'] ?? '');
  if (sha === null) throw invalid(`No commit found for SHA: ${call.parameters['commit_sha']}`);
  const pulls = [...repository.pullRequests.values()];
  const head = repository.refs.get(`refs/heads/${repository.defaultBranch}`);
  const onDefault = head !== undefined && (await mergeBase(repository.path, sha, head)) === sha;
  const found: PullRequest[] = [];
  for (const pull of pulls) {
    if (pull.merged === null && (onDefault || pull.state === 'closed')) continue;
    if (pull.merged?.sha !== sha && !(await holdsCommit(pull, sha))) continue;
    if (pull.merged === null || site.faults.mergeIsKnown(sha)) found.push(pull);
  }
  return listAnswer(call, found, (pull) => simplePullRequest(site, pull));
}

/** One of the pull request's own commits. Its base is the one it had when it was merged. */
async function holdsCommit({ repository, base, head }: PullRequest, sha: string): Promise<boolean> {
  const path = repository.path;
  if ((await mergeBase(path, sha, head.sha)) !== sha) return false;
  return (await mergeBase(path, sha, base.sha)) !== sha;
}

/** GitHub lists at most this many files of a comparison, all on its first page; of a commit on each page. */
const mostFiles = 300;
const mostFilesOfCommit = 3000;
const commitsOnPage = 250;

async function compare(call: RepositoryCall): Promise<Answer> {
  const { site, repository } = call;
  const { path } = repository;
  const [from = '', to = ''] = (call.parameters['basehead'] ?? '').split('...');
  const [base, head] = [await commitNamed(call, from), await commitNamed(call, to)];
  const fork = await mergeBase(path, base, head);
  if (fork === null) throw notFound();
  const ahead = await commitsBetween(path, base, head);
  const behind = await commitsBetween(path, head, base);
  const files = await changedFiles(path, fork, head);
  const shape = (info: CommitInfo) => commitPayload(site, repository, info);
  const shapeFile = (file: ChangedFile) => filePayload(site, repository, head, file);
  const url = `${repositoryUrl(site, repository)}/compare/${from}...${to}`;
  const page = `${pageUrl(site, repository)}/compare/${from}...${to}`;
  const body = {
    url,
    html_url: page,
    permalink_url: `${pageUrl(site, repository)}/compare/${base}...${head}`,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    base_commit: shape(await commitInfo(path, base)),
    merge_base_commit: shape(await commitInfo(path, fork)),
    status: relation(ahead.length, behind.length),
    ahead_by: ahead.length,
    behind_by: behind.length,
    total_commits: ahead.length,
    ...(pageOf(call).number === 1 ? { files: files.slice(0, mostFiles).map(shapeFile) } : {}),
  };
  return listAnswer(call, ahead, shape, (commits) => ({ ...body, commits }), commitsOnPage);
}

function relation(ahead: number, behind: number): string {
  if (ahead > 0) return behind > 0 ? 'diverged' : 'ahead';
  return behind > 0 ? 'behind' : 'identical';
}
