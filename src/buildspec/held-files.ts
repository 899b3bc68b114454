import { readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface Tree {
  readonly kind: 'counted' | 'too-deep';
  readonly files: number;
  readonly bytes: number;
}

const blockBytes = 512;
/** Below PATH_MAX by the name of an entry: what lies deeper can neither be counted nor named in one call. */
const longestPath = 3_800;

/** Stops counting past a limit. What cannot be read counts as nothing. */
export async function treeOf(
  directories: readonly string[],
  limits: { readonly files: number; readonly diskBytes: number },
  signal: AbortSignal,
): Promise<Tree> {
  let [files, blocks] = [0, 0];
  const linked = new Set<string>();
  const queue = [...directories];
  for (let directory = queue.pop(); directory !== undefined; directory = queue.pop()) {
    if (directory.length > longestPath) return { kind: 'too-deep', files, bytes: blocks * blockBytes };
    const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
    files += entries.length;
    if (files > limits.files || blocks * blockBytes > limits.diskBytes || signal.aborted) break;
    for (const entry of entries) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) queue.push(path);
      const file = entry.isFile() ? await stat(path).catch(() => undefined) : undefined;
      if (file === undefined || linked.has(`${file.dev}:${file.ino}`)) continue;
      if (file.nlink > 1) linked.add(`${file.dev}:${file.ino}`);
      blocks += file.blocks;
    }
  }
  return { kind: 'counted', files, bytes: blocks * blockBytes };
}

export interface Hidden {
  readonly diskBytes: number;
  readonly memoryBytes: number;
}

/** Files that processes hold open and that have no name any more, or never had one: on disk, and in memory (memfd). */
export async function hiddenIn(pids: readonly number[]): Promise<Hidden> {
  const seen = new Set<string>();
  let [diskBytes, memoryBytes] = [0, 0];
  for (const pid of pids) {
    for (const name of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const descriptor = `/proc/${pid}/fd/${name}`;
      const file = await stat(descriptor).catch(() => undefined);
      if (file === undefined || !file.isFile() || file.nlink > 0 || seen.has(`${file.dev}:${file.ino}`)) continue;
      seen.add(`${file.dev}:${file.ino}`);
      const target = await readlink(descriptor).catch(() => '');
      if (/^\/(memfd:|dev\/shm\/|dev\/zero|SYSV)/.test(target)) memoryBytes += file.blocks * blockBytes;
      else diskBytes += file.blocks * blockBytes;
    }
  }
  return { diskBytes, memoryBytes };
}
