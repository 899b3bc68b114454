import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { endLeftovers } from './action-record.ts';
import type { ArtifactStore } from './artifact-store.ts';
import { cacheBucket } from './build-cache.ts';
import { removeTree } from './work-area.ts';

/**
 * To be called once at start, before any action runs: ends commands that an earlier life left running and clears their
 * directories. Says how many were still running.
 */
export async function recoverHome(home: string, now: Date): Promise<number> {
  const ended = await endLeftovers(home, now);
  for (const directory of ['work', 'tmp']) {
    for (const name of await namesIn(join(home, directory))) await removeTree(join(home, directory, name));
  }
  return ended;
}

export interface Retention {
  /** Logs, findings and build records. */
  readonly logDays: number;
  /** Objects of `artifactBuckets`; a retry or a rollback needs those of its execution. */
  readonly artifactDays: number;
  readonly cacheDays: number;
  /** Versions of objects, in any bucket, from when a newer one came. */
  readonly versionDays: number;
  /** Only these are ever emptied: the newest of what an S3 deploy action put somewhere stays for ever. */
  readonly artifactBuckets: readonly string[];
}

export interface Expired {
  readonly logs: number;
  readonly objects: number;
}

/** Removes what is older than it is kept; to be called now and then. */
export async function expireHome(
  home: string,
  artifacts: ArtifactStore,
  retention: Retention,
  now: Date,
): Promise<Expired> {
  const before = (days: number): Date => new Date(now.getTime() - days * 86_400_000);
  let objects = await expireBucket(artifacts, cacheBucket, before(retention.cacheDays));
  for (const bucket of retention.artifactBuckets) {
    objects += await expireBucket(artifacts, bucket, before(retention.artifactDays));
  }
  objects += await artifacts.prune(before(retention.versionDays));
  return { logs: await expireLogs(join(home, 'logs'), before(retention.logDays)), objects };
}

async function expireBucket(artifacts: ArtifactStore, bucket: string, before: Date): Promise<number> {
  const old = (await artifacts.list(bucket)).filter(({ storedAt }) => new Date(storedAt) < before);
  for (const { location } of old) await artifacts.erase(location);
  return old.length;
}

/** One directory for each execution, as old as its newest file. */
async function expireLogs(logs: string, before: Date): Promise<number> {
  let count = 0;
  for (const execution of await namesIn(logs)) {
    const directory = join(logs, execution);
    const times = await Promise.all(
      (await namesIn(directory)).map(async (name) => (await stat(join(directory, name))).mtimeMs),
    );
    if (Math.max(0, ...times) >= before.getTime()) continue;
    await rm(directory, { recursive: true, force: true });
    count += 1;
  }
  return count;
}

async function namesIn(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch(() => []);
}
