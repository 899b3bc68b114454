import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { markerVariable } from './environment.ts';

/** A process as it can be found again later: a pid alone may have been given to another process meanwhile. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot, from /proc; empty where there is no /proc. */
  readonly startTime: string;
  /** The value of the marker variable in its environment. */
  readonly marker: string;
}

/** Clock ticks after boot at which a process started, or undefined when it is gone (a zombie counts as gone). */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name stands in parentheses and may hold anything, so fields are counted from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Sends a signal to a process group; false when nothing of it is left. */
export function signalGroup(group: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}

/**
 * Processes that carry a marker or its brand, also those that left the group and the session of their command. A zombie
 * runs nothing and is none of them.
 */
export function findMarked(marker: string): readonly number[] {
  const wanted = `${markerVariable}=${marker}`;
  const branded = new RegExp(`^Max msgqueue size +\\d+ +${brandOf(marker)} `, 'm');
  return allPids().filter((pid) => isMarked(pid, wanted, branded) && startTimeOf(pid) !== undefined);
}

function isMarked(pid: number, wanted: string, branded: RegExp): boolean {
  try {
    if (readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(wanted)) return true;
    return branded.test(readFileSync(`/proc/${pid}/limits`, 'latin1'));
  } catch {
    return false;
  }
}

const usualMessageQueueBytes = 819_200;

/**
 * A limit that hardly a program looks at, with a value of its own for each command: processes inherit it even when they
 * throw away their environment. Half of the usual value or more, so that message queues work.
 */
export function brandOf(marker: string): number {
  const half = usualMessageQueueBytes / 2;
  return half + (createHash('sha256').update(marker).digest().readUInt32BE() % half);
}

function allPids(): readonly number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

const longestKillMs = 5_000;

/**
 * Kills every process with the marker, again and again while new ones appear or killed ones are still there; for five
 * seconds at most. Says how many there were.
 */
export async function killMarked(marker: string): Promise<number> {
  const killed = new Set<number>();
  const until = performance.now() + longestKillMs;
  for (;;) {
    const found = findMarked(marker);
    if (found.length === 0) return killed.size;
    for (const pid of found) {
      killed.add(pid);
      signalProcess(pid);
    }
    if (performance.now() > until) return killed.size;
    await sleep(10);
  }
}

function signalProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

/** Ends what an earlier life of this program left running. True when something was still there. */
export async function killLeftover(identity: ProcessIdentity): Promise<boolean> {
  const alive = startTimeOf(identity.pid) === identity.startTime && identity.startTime !== '';
  if (alive) signalGroup(identity.pid, 'SIGKILL');
  const marked = await killMarked(identity.marker);
  if (alive) await untilGone(identity);
  return alive || marked > 0;
}

/** A killed process stays for a moment; after two seconds it is left to the kernel. */
async function untilGone({ pid, startTime }: ProcessIdentity): Promise<void> {
  for (let tries = 0; tries < 200 && startTimeOf(pid) === startTime; tries += 1) await sleep(10);
}
