import { readFileSync, readdirSync } from 'node:fs';
import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inWords, type CommandLimits } from './limits.ts';
import { findMarked } from './processes.ts';

export interface Watched {
  readonly pid: number;
  readonly contained: boolean;
  readonly marker: string;
  readonly directories: readonly string[];
}

const pauseMs = 500;

/** Looks again and again until it is stopped or a limit is passed; then it says which one, once. */
export function watchLimits(watched: Watched, limits: CommandLimits, exceeded: (reason: string) => void): () => void {
  const stopped = new AbortController();
  void watch(watched, limits, stopped.signal).then((reason) => {
    if (reason !== undefined && !stopped.signal.aborted) exceeded(reason);
    return undefined;
  });
  return () => stopped.abort();
}

async function watch(watched: Watched, limits: CommandLimits, signal: AbortSignal): Promise<string | undefined> {
  let nextWalk = 0;
  while (!signal.aborted) {
    await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {});
    if (signal.aborted) return undefined;
    const reason = overProcesses(watched, limits) ?? (await overFree(watched, limits));
    if (reason !== undefined) return reason;
    if (Date.now() < nextWalk) continue;
    const before = Date.now();
    const bytes = await sizeOf(watched.directories, limits.diskBytes, signal);
    if (bytes > limits.diskBytes) return `it wrote more than ${inWords(limits.diskBytes)}`;
    // A walk over many files may cost at most a tenth of the time.
    nextWalk = Date.now() + Math.max(1_000, (Date.now() - before) * 10);
  }
  return undefined;
}

function overProcesses(watched: Watched, limits: CommandLimits): string | undefined {
  const table = processTable();
  const tree = descendants(table, watched.pid);
  // Outside of a process namespace some leave the tree, and others the marker.
  const own = watched.contained ? tree : [...new Set([...tree, ...findMarked(watched.marker)])];
  if (own.length > limits.processes) return `it ran more than ${limits.processes} processes`;
  if (sum(own, (pid) => table.get(pid)?.memory ?? 0) <= limits.memoryBytes) return undefined;
  // Forks share memory, which was counted for each of them. To count it exactly is slow.
  const exact = sum(own, (pid) => shareOf(pid) ?? table.get(pid)?.memory ?? 0);
  return exact > limits.memoryBytes ? `it took more than ${inWords(limits.memoryBytes)} of memory` : undefined;
}

function sum(pids: readonly number[], bytesOf: (pid: number) => number): number {
  return pids.reduce((bytes, pid) => bytes + bytesOf(pid), 0);
}

/** Memory of a process with its share of what it shares; undefined when that cannot be read. */
function shareOf(pid: number): number | undefined {
  try {
    const match = /^Pss: +(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
    return match === null ? undefined : Number(match[1]) * 1024;
  } catch {
    return undefined;
  }
}

async function overFree({ directories }: Watched, { freeBytes }: CommandLimits): Promise<string | undefined> {
  for (const directory of directories) {
    const disk = await statfs(directory).catch(() => undefined);
    if (disk !== undefined && disk.bavail * disk.bsize < freeBytes)
      return `the disk has less than ${inWords(freeBytes)} left`;
  }
  return undefined;
}

interface Row {
  readonly parent: number;
  readonly memory: number;
}

const pageSize = 4096;

function processTable(): ReadonlyMap<number, Row> {
  const table = new Map<number, Row>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      table.set(Number(name), { parent: Number(fields[1]), memory: Number(fields[21]) * pageSize });
    } catch {
      // It ended meanwhile.
    }
  }
  return table;
}

/** In a process namespace orphans get its first process as parent, so nothing escapes from the tree. */
function descendants(table: ReadonlyMap<number, Row>, root: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const [pid, { parent }] of table) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const found = [root];
  for (let index = 0; index < found.length; index += 1) found.push(...(children.get(found[index]!) ?? []));
  return found;
}

const blockSize = 512;

/** Stops counting past the limit. What cannot be read counts as nothing. */
async function sizeOf(directories: readonly string[], limit: number, signal: AbortSignal): Promise<number> {
  let blocks = 0;
  const queue = [...directories];
  for (let directory = queue.pop(); directory !== undefined; directory = queue.pop()) {
    if (blocks * blockSize > limit || signal.aborted) break;
    for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) queue.push(path);
      else if (entry.isFile()) blocks += (await stat(path).catch(() => undefined))?.blocks ?? 0;
    }
  }
  return blocks * blockSize;
}
