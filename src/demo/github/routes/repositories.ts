import { invalid, notFound } from '../api-error.ts';
import { entryAt, type Entry, type TreeEntry } from '../git-files.ts';
import type { Payload } from '../payloads/account.ts';
import { fullRepositoryPayload, pageUrl, repositoryUrl } from '../payloads/repository.ts';
import { resolveCommit } from '../refs.ts';
import { ok, repositoryRoute, type Answer, type RepositoryCall, type Route } from '../route.ts';

export const repositoryRoutes: readonly Route[] = [
  repositoryRoute('GET /', ['metadata:read'], (call) => ok(fullRepositoryPayload(call.site, call.repository))),
  repositoryRoute('GET /contents', ['contents:read'], contents),
  repositoryRoute('GET /contents/{path}', ['contents:read'], contents),
];

/** GitHub gives larger files only raw, and none at all above 100 MB. */
const largestInJson = 1_048_576;

async function contents(call: RepositoryCall): Promise<Answer> {
  const { repository } = call;
  const path = (call.parameters['path'] ?? '').replace(/\/$/, '');
  const commit = await resolveCommit(repository, call.query.get('ref') ?? repository.defaultBranch);
  if (commit === null) throw notFound();
  if (path.split('/').some((part) => part === '.' || part === '..')) {
    throw invalid('path contains a malformed path component');
  }
  const entry = await entryAt(repository.path, commit, path);
  if (entry === null) throw notFound();
  if (entry.kind === 'directory') {
    return ok(entry.entries.map((one) => treeEntryPayload(call, commit, path, one)));
  }
  if (entry.kind === 'link') return ok(linkPayload(call, commit, path, entry));
  const raw = /application\/vnd\.github(\.v3)?\.raw/.test(String(call.headers['accept']));
  return raw ? ok(entry.content) : ok(filePayload(call, commit, path, entry));
}

function filePayload(call: RepositoryCall, commit: string, path: string, entry: Entry & { kind: 'file' }): Payload {
  const large = entry.content.length > largestInJson;
  return {
    type: 'file',
    ...addresses(call, commit, path, entry.sha, 'blob'),
    size: entry.content.length,
    encoding: large ? 'none' : 'base64',
    content: large ? '' : entry.content.toString('base64').replace(/.{60}/g, '$&\n'),
  };
}

function linkPayload(call: RepositoryCall, commit: string, path: string, entry: Entry & { kind: 'link' }): Payload {
  const { sha, target } = entry;
  return { type: 'symlink', target, size: target.length, ...addresses(call, commit, path, sha, 'blob') };
}

const kinds = { blob: 'file', tree: 'dir', commit: 'submodule' } as const;

function treeEntryPayload(call: RepositoryCall, commit: string, folder: string, entry: TreeEntry): Payload {
  const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
  const type = entry.mode === '120000' ? 'symlink' : kinds[entry.type];
  return { type, ...addresses(call, commit, path, entry.sha, entry.type), size: entry.size };
}

function addresses(call: RepositoryCall, commit: string, path: string, sha: string, type: TreeEntry['type']): Payload {
  const { site, repository } = call;
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  const url = `${repositoryUrl(site, repository)}/contents/${encoded}?ref=${commit}`;
  const git = `${repositoryUrl(site, repository)}/git/${type}s/${sha}`;
  const html = `${pageUrl(site, repository)}/${type}/${commit}/${encoded}`;
  return {
    name: path.split('/').at(-1) ?? '',
    path,
    sha,
    url,
    git_url: git,
    html_url: html,
    download_url: type === 'blob' ? `${pageUrl(site, repository)}/raw/${commit}/${encoded}` : null,
    _links: { self: url, git, html },
  };
}
