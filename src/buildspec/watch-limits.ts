import { statfs } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { inWords, type CommandLimits } from './limits.ts';
import { findMarked } from './processes.ts';
import { descendants, memoryOf, processTable } from './process-table.ts';
import { hiddenIn, treeOf } from './held-files.ts';

export interface Watched {
  readonly pid: number;
  readonly contained: boolean;
  readonly marker: string;
  readonly directories: readonly string[];
}

const pauseMs = 500;
const longestPauseMs = 10_000;

/** Looks again and again until it is stopped or a limit is passed; then it says which one, once. */
export function watchLimits(watched: Watched, limits: CommandLimits, exceeded: (reason: string) => void): () => void {
  const stopped = new AbortController();
  // What is quickly seen is not to wait for a walk over a million files.
  for (const look of [lookAtProcesses, lookAtDisk, lookAtFiles]) {
    void again(look, { watched, limits, signal: stopped.signal }).then((reason) => {
      if (reason === undefined || stopped.signal.aborted) return undefined;
      stopped.abort();
      return exceeded(reason);
    });
  }
  return () => stopped.abort();
}

interface Looking {
  readonly watched: Watched;
  readonly limits: CommandLimits;
  readonly signal: AbortSignal;
}

type Look = (looking: Looking) => Promise<string | undefined> | string | undefined;

/** Takes about a fifth of the time at most, and two looks a second. */
async function again(look: Look, looking: Looking): Promise<string | undefined> {
  let pause = pauseMs;
  for (;;) {
    await sleep(pause, undefined, { signal: looking.signal, ref: false }).catch(() => {});
    if (looking.signal.aborted) return undefined;
    const before = performance.now();
    const reason = await look(looking);
    if (reason !== undefined) return reason;
    pause = Math.max(pauseMs, Math.min(longestPauseMs, (performance.now() - before) * 5));
  }
}

function lookAtProcesses({ watched, limits }: Looking): string | undefined {
  const table = processTable();
  const own = processesOf(watched, table);
  if (own.length > limits.processes) return `it ran more than ${limits.processes} processes`;
  return memoryOf(own, table, limits.memoryBytes) > limits.memoryBytes ? overMemory(limits) : undefined;
}

function overMemory({ memoryBytes }: CommandLimits): string {
  return `it took more than ${inWords(memoryBytes)} of memory`;
}

/** Outside of a process namespace some leave the tree, and others the marker. */
function processesOf({ pid, contained, marker }: Watched, table = processTable()): readonly number[] {
  const tree = descendants(table, pid);
  return contained ? tree : [...new Set([...tree, ...findMarked(marker)])];
}

async function lookAtDisk({ watched, limits }: Looking): Promise<string | undefined> {
  for (const directory of watched.directories) {
    const disk = await statfs(directory).catch(() => undefined);
    if (disk === undefined) continue;
    if (disk.bavail * disk.bsize < limits.freeBytes) return `the disk has less than ${inWords(limits.freeBytes)} left`;
    // Some file systems do not count.
    if (disk.files > 0 && disk.ffree < limits.freeFiles)
      return `the disk has room for fewer than ${limits.freeFiles} more files`;
  }
  return undefined;
}

async function lookAtFiles({ watched, limits, signal }: Looking): Promise<string | undefined> {
  const tree = await treeOf(watched.directories, limits, signal);
  if (tree.kind === 'too-deep') return 'it made directories whose path is longer than the system can name';
  if (tree.files > limits.files) return `it made more than ${limits.files} files`;
  const hidden = await hiddenIn(processesOf(watched));
  if (tree.bytes + hidden.diskBytes > limits.diskBytes) return `it wrote more than ${inWords(limits.diskBytes)}`;
  const table = processTable();
  const memory = memoryOf(processesOf(watched, table), table, limits.memoryBytes, hidden.memoryBytes);
  return memory > limits.memoryBytes ? overMemory(limits) : undefined;
}
