import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { tell } from '../events.ts';
import { writeCommit, type FileContent, type Files } from '../git-write.ts';
import { createBare, git } from '../git.ts';
import { markAllPresent } from '../history.ts';
import { account } from '../payloads/account.ts';
import { emailOf } from '../payloads/commit.ts';
import { ensureAccount } from '../people.ts';
import { findRepository } from '../route.ts';
import type { Site } from '../site.ts';
import { fullName, type Account, type Repository } from '../state.ts';
import { repositoryNamed } from './people.ts';

export interface NewRepository {
  /** An account that does not exist yet becomes an organization. */
  readonly owner: string;
  readonly name: string;
  readonly defaultBranch?: string;
  /** Private unless false: a token then reaches nothing but what it was minted for. */
  readonly private?: boolean;
  /** The first commit holds this folder's files, with their modes; `.git` is left out. */
  readonly seedDirectory?: string;
  readonly files?: Files;
}

export interface RepositoryHandle {
  readonly id: number;
  readonly owner: string;
  readonly name: string;
  /** owner/name, which the other acts take. */
  readonly fullName: string;
  /** The bare repository on disk. */
  readonly path: string;
  /** Of the default branch; null while it is empty. */
  readonly head: string | null;
}

export interface RepositoryControl {
  createRepository(repository: NewRepository): Promise<RepositoryHandle>;
  forkRepository(repository: string, owner: string, name?: string): Promise<RepositoryHandle>;
  /** The old name leads to the new one until another repository takes it. */
  renameRepository(repository: string, name: string, by: string): Promise<void>;
  /** The App goes on seeing it only where it is installed on the new owner. */
  transferRepository(repository: string, owner: string, by: string): Promise<void>;
  deleteRepository(repository: string, by: string): Promise<void>;
  /** Merging into the branch is then refused until the newest run of each name passes. */
  requireChecks(repository: string, branch: string, names: readonly string[]): void;
}

export function repositoryControl(site: Site): RepositoryControl {
  return {
    createRepository: (repository) => createRepository(site, repository),
    forkRepository: (repository, owner, name) => forkRepository(site, repositoryNamed(site, repository), owner, name),
    renameRepository: (repository, name, by) => rename(site, repositoryNamed(site, repository), name, by),
    transferRepository: (repository, owner, by) => transfer(site, repositoryNamed(site, repository), owner, by),
    requireChecks: (repository, branch, names) =>
      void repositoryNamed(site, repository).requiredChecks.set(branch, names),
    async deleteRepository(repository, by) {
      const found = repositoryNamed(site, repository);
      await tell(site, found, 'repository', ensureAccount(site, by), () => ({ action: 'deleted' }));
      site.state.repositories.delete(found.id);
      for (const [name, former] of site.state.formerNames) if (former === found) site.state.formerNames.delete(name);
    },
  };
}

async function rename(site: Site, repository: Repository, name: string, by: string): Promise<void> {
  const changes = { repository: { name: { from: repository.name } } };
  site.state.formerNames.set(fullName(repository).toLowerCase(), repository);
  repository.name = name;
  await tell(site, repository, 'repository', ensureAccount(site, by), () => ({ action: 'renamed', changes }));
}

async function transfer(site: Site, repository: Repository, owner: string, by: string): Promise<void> {
  const from = repository.owner;
  const kind = from.type === 'Organization' ? 'organization' : 'user';
  const changes = { owner: { from: { [kind]: account(site, from) } } };
  site.state.formerNames.set(fullName(repository).toLowerCase(), repository);
  repository.owner = ensureAccount(site, owner, 'Organization');
  await tell(site, repository, 'repository', ensureAccount(site, by), () => ({ action: 'transferred', changes }));
}

function add(site: Site, owner: Account, name: string, more: Partial<Repository>): Repository {
  if (findRepository(site, `${owner.login}/${name}`) !== null) throw new Error(`${owner.login}/${name} exists already`);
  const id = site.state.nextId();
  const repository: Repository = {
    id,
    owner,
    name,
    path: join(site.directory, `${id}.git`),
    defaultBranch: 'main',
    private: true,
    forkOf: null,
    createdAt: site.now(),
    pushedAt: site.now(),
    activities: [],
    refs: new Map(),
    roles: new Map(),
    requiredChecks: new Map(),
    pullRequests: new Map(),
    nextNumber: 1,
    ...more,
  };
  site.state.repositories.set(id, repository);
  return repository;
}

async function createRepository(site: Site, asked: NewRepository): Promise<RepositoryHandle> {
  const owner = ensureAccount(site, asked.owner, 'Organization');
  const settings = { defaultBranch: asked.defaultBranch ?? 'main', private: asked.private ?? true };
  const repository = add(site, owner, asked.name, settings);
  await createBare(repository.path, repository.defaultBranch);
  const seed = asked.seedDirectory === undefined ? {} : await filesUnder(asked.seedDirectory);
  const files = { ...seed, ...asked.files };
  if (Object.keys(files).length > 0) await firstCommit(site, repository, files);
  return handle(repository);
}

async function firstCommit(site: Site, repository: Repository, files: Files): Promise<void> {
  const { owner, path, defaultBranch, refs } = repository;
  const by = { name: owner.login, email: emailOf(owner), at: site.now() };
  const ref = `refs/heads/${defaultBranch}`;
  const message = 'Initial commit';
  refs.set(ref, await writeCommit(path, { ref, parent: null, author: by, committer: by, message, files }));
}

async function filesUnder(root: string): Promise<Files> {
  const files: Record<string, FileContent> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(root, path);
    if (name.split('/').includes('.git') || entry.isDirectory()) continue;
    files[name] = entry.isSymbolicLink()
      ? { content: await readlink(path), mode: '120000' }
      : { content: await readFile(path), mode: (await lstat(path)).mode & 0o100 ? '100755' : '100644' };
  }
  return files;
}

async function forkRepository(
  site: Site,
  parent: Repository,
  ownerLogin: string,
  name = parent.name,
): Promise<RepositoryHandle> {
  const owner = ensureAccount(site, ownerLogin);
  const settings = { defaultBranch: parent.defaultBranch, private: parent.private, forkOf: parent };
  const fork = add(site, owner, name, settings);
  await createBare(fork.path, fork.defaultBranch);
  await git(fork.path, ['fetch', '--quiet', parent.path, '+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*']);
  for (const [ref, sha] of parent.refs) {
    if (ref.startsWith('refs/pull/')) continue;
    fork.refs.set(ref, sha);
    markAllPresent(fork.path, sha);
  }
  return handle(fork);
}

function handle(repository: Repository): RepositoryHandle {
  return {
    id: repository.id,
    owner: repository.owner.login,
    name: repository.name,
    fullName: fullName(repository),
    path: repository.path,
    head: repository.refs.get(`refs/heads/${repository.defaultBranch}`) ?? null,
  };
}
