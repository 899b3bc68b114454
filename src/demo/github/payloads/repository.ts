import type { Site } from '../site.ts';
import { fullName, type Repository } from '../state.ts';
import { account, nodeId, time, type Payload } from './account.ts';

/** Every address that GitHub lists: name of the field to what follows the repository's own address. */
const addresses: Readonly<Record<string, string>> = {
  archive_url: '/{archive_format}{/ref}',
  assignees_url: '/assignees{/user}',
  blobs_url: '/git/blobs{/sha}',
  branches_url: '/branches{/branch}',
  collaborators_url: '/collaborators{/collaborator}',
  comments_url: '/comments{/number}',
  commits_url: '/commits{/sha}',
  compare_url: '/compare/{base}...{head}',
  contents_url: '/contents/{+path}',
  contributors_url: '/contributors',
  deployments_url: '/deployments',
  downloads_url: '/downloads',
  events_url: '/events',
  forks_url: '/forks',
  git_commits_url: '/git/commits{/sha}',
  git_refs_url: '/git/refs{/sha}',
  git_tags_url: '/git/tags{/sha}',
  hooks_url: '/hooks',
  issue_comment_url: '/issues/comments{/number}',
  issue_events_url: '/issues/events{/number}',
  issues_url: '/issues{/number}',
  keys_url: '/keys{/key_id}',
  labels_url: '/labels{/name}',
  languages_url: '/languages',
  merges_url: '/merges',
  milestones_url: '/milestones{/number}',
  notifications_url: '/notifications{?since,all,participating}',
  pulls_url: '/pulls{/number}',
  releases_url: '/releases{/id}',
  stargazers_url: '/stargazers',
  statuses_url: '/statuses/{sha}',
  subscribers_url: '/subscribers',
  subscription_url: '/subscription',
  tags_url: '/tags',
  teams_url: '/teams',
  trees_url: '/git/trees{/sha}',
};

export function repositoryUrl(site: Site, repository: Repository): string {
  return `${site.url}/repos/${fullName(repository)}`;
}

export function pageUrl(site: Site, repository: Repository): string {
  return `${site.url}/${fullName(repository)}`;
}

export function repositoryPayload(site: Site, repository: Repository): Payload {
  const url = repositoryUrl(site, repository);
  const page = pageUrl(site, repository);
  const open = [...repository.pullRequests.values()].filter(({ state }) => state === 'open').length;
  return {
    id: repository.id,
    node_id: nodeId('R', repository.id),
    name: repository.name,
    full_name: fullName(repository),
    private: repository.private,
    owner: account(site, repository.owner),
    html_url: page,
    description: null,
    fork: repository.forkOf !== null,
    url,
    ...Object.fromEntries(Object.entries(addresses).map(([name, rest]) => [name, `${url}${rest}`])),
    git_url: `${page.replace(/^http/, 'git')}.git`,
    ssh_url: `git@127.0.0.1:${fullName(repository)}.git`,
    clone_url: `${page}.git`,
    svn_url: page,
    mirror_url: null,
    homepage: null,
    language: null,
    license: null,
    ...counts(open),
    ...features,
    default_branch: repository.defaultBranch,
    visibility: repository.private ? 'private' : 'public',
    pushed_at: time(repository.pushedAt),
    created_at: time(repository.createdAt),
    updated_at: time(repository.pushedAt),
  };
}

const features: Payload = {
  has_issues: true,
  has_projects: false,
  has_wiki: false,
  has_pages: false,
  has_downloads: true,
  has_discussions: false,
  has_pull_requests: true,
  archived: false,
  disabled: false,
  allow_forking: true,
  is_template: false,
  web_commit_signoff_required: false,
  topics: [],
};

function counts(open: number): Payload {
  return {
    forks: 0,
    forks_count: 0,
    stargazers_count: 0,
    watchers: 0,
    watchers_count: 0,
    size: 1,
    open_issues: open,
    open_issues_count: open,
  };
}

/** GET /repos/{owner}/{repo} says a little more than what is embedded elsewhere. */
export function fullRepositoryPayload(site: Site, repository: Repository): Payload {
  const more: Payload = { subscribers_count: 0, network_count: 0 };
  if (repository.forkOf !== null) {
    more['parent'] = repositoryPayload(site, repository.forkOf);
    more['source'] = repositoryPayload(site, repository.forkOf);
  }
  return { ...repositoryPayload(site, repository), ...more };
}
