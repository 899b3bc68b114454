import { lstat, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheSettings } from '../buildspec/buildspec.ts';
import { createFileMatcher } from '../buildspec/file-globs.ts';
import type { ArtifactStore } from './artifact-store.ts';
import type { StoredObject } from './stored-object.ts';
import type { BuildArea } from './build-area.ts';
import { say } from './build-log.ts';
import type { BuildConfiguration } from './build-project.ts';
import type { ActionLog, StartedAction } from './provider.ts';
import { unzipApart } from './unzip-apart.ts';
import { writeZip, type PackedFile } from './write-zip.ts';
import { listFiles, packedFiles, tooLarge, UnsafeArchive } from './zip.ts';

/**
 * `cache:` of a buildspec. A cache is written by code that may not be trusted by who reads it (SEC-C-10), so its key
 * begins with where it comes from: a pull request reads its own cache and that of its base branch, and writes only its
 * own; a fork's is bound to its very commit.
 */
export interface CacheRequest {
  readonly artifacts: ArtifactStore;
  readonly action: StartedAction<BuildConfiguration>;
  readonly area: BuildArea;
  readonly cache: CacheSettings;
  readonly log: ActionLog;
}

export const cacheBucket = 'penstock-cache';
const maxCacheBytes = 2 * 1024 ** 3;

/** Puts the newest cache that fits into the source and the home directory. A cache that is damaged is passed over. */
export async function restoreCache(request: CacheRequest): Promise<void> {
  const { cache, area, log } = request;
  if (cache.action === 'save' || cache.paths.length === 0) return;
  const found = await findCache(request);
  if (found === undefined) return say(log, 'No cache was found.');
  try {
    await unzipApart(found.file, area.cache);
    await moveInto(area);
    say(log, `Restored the cache of ${found.storedAt}, ${found.size} bytes`);
  } catch (error) {
    if (!(error instanceof UnsafeArchive)) throw error;
    say(log, `The cache was passed over. ${error.message}`);
  }
}

/** To be called after a build that succeeded. With a key of its own a cache is written once. */
export async function saveCache(request: CacheRequest): Promise<void> {
  const { artifacts, cache, area, log } = request;
  if (cache.action === 'restore' || cache.paths.length === 0) return;
  const location = { bucket: cacheBucket, key: keyOf(scopesOf(request.action)[0], request) };
  if (cache.key !== undefined && (await artifacts.describe(location)) !== null) return;
  const files = await cachedFiles(area, cache.paths);
  if (files.length === 0) return say(log, 'Nothing to cache: the paths of cache: match no file.');
  const large = tooLarge(files);
  if (large !== undefined) return say(log, `The cache was not kept: ${large}.`);
  const to = join(area.root, 'cache.zip');
  await rm(to, { force: true });
  await writeZip(files, to);
  const { size } = await stat(to);
  if (size > maxCacheBytes)
    return say(log, `The cache was not kept: it has ${size} bytes, more than ${maxCacheBytes}.`);
  await artifacts.put(location, { file: to }, { keepOlder: false });
  say(log, `Saved ${files.length} files in the cache, ${size} bytes`);
}

async function findCache(request: CacheRequest): Promise<StoredObject | undefined> {
  const { artifacts, cache } = request;
  for (const scope of scopesOf(request.action)) {
    const exact = await artifacts.get({ bucket: cacheBucket, key: keyOf(scope, request) }).catch(() => null);
    if (exact !== null) return exact;
    for (const fallback of cache.fallbackKeys) {
      const candidates = await artifacts.list(cacheBucket, `${prefixOf(scope, request)}${fallback}`);
      const [newest] = [...candidates].sort((a, b) => (a.storedAt > b.storedAt ? -1 : 1));
      const whole = newest === undefined ? null : await artifacts.get(newest.location).catch(() => null);
      if (whole !== null) return whole;
    }
  }
  return undefined;
}

type Scopes = readonly [own: string, ...read: string[]];

function scopesOf({ trust, origin }: StartedAction<BuildConfiguration>): Scopes {
  if (trust === 'fork') return [`fork/${origin.headSha}`];
  const { pullRequest } = origin;
  if (pullRequest === undefined) return [`branch/${origin.branch ?? ''}`];
  return [`pull-request/${pullRequest.number}`, `branch/${pullRequest.baseRef}`];
}

function prefixOf(scope: string, { action }: CacheRequest): string {
  return `${action.repository.id}/${encodeURIComponent(action.configuration.ProjectName)}/${encodeURIComponent(scope)}/`;
}

function keyOf(scope: string, request: CacheRequest): string {
  return `${prefixOf(scope, request)}${request.cache.key ?? 'default'}`.slice(0, 1_000);
}

const home = /^(~|\/root|\$HOME|\$\{HOME\})\//;

async function cachedFiles(area: BuildArea, paths: readonly string[]): Promise<readonly PackedFile[]> {
  const own = paths.filter((path) => !home.test(path) && !path.startsWith('/'));
  const atHome = paths.filter((path) => home.test(path)).map((path) => path.replace(home, ''));
  return [...(await matching(area.primary, own, 'source')), ...(await matching(area.home, atHome, 'home'))];
}

async function matching(
  directory: string,
  patterns: readonly string[],
  prefix: string,
): Promise<readonly PackedFile[]> {
  if (patterns.length === 0) return [];
  const matches = createFileMatcher(patterns);
  const paths = (await listFiles(directory)).map(({ path }) => path).filter(matches);
  const files = await packedFiles(directory, paths, true);
  return files.map((file) => ({ ...file, name: `${prefix}/${file.name}` }));
}

/** What is in the source already stays: a cache never changes what is built. */
async function moveInto(area: BuildArea): Promise<void> {
  await moveTree(join(area.cache, 'source'), area.primary);
  await moveTree(join(area.cache, 'home'), area.home);
}

async function moveTree(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true }).catch(() => [])) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    const there = await lstat(target).catch(() => undefined);
    if (there === undefined) await rename(source, target);
    else if (there.isDirectory() && entry.isDirectory()) await moveTree(source, target);
  }
}
