import { readFileSync, readdirSync } from 'node:fs';

export interface Row {
  readonly parent: number;
  /** Resident bytes; what processes share counts for each of them. */
  readonly memory: number;
}

export type ProcessTable = ReadonlyMap<number, Row>;

const pageSize = 4096;

/** All processes of the machine by their ids. */
export function processTable(): ProcessTable {
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
export function descendants(table: ProcessTable, root: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const [pid, { parent }] of table) {
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [pid]);
    else siblings.push(pid);
  }
  const found = [root];
  for (let index = 0; index < found.length; index += 1) found.push(...(children.get(found[index]!) ?? []));
  return found;
}

/**
 * Bytes of all of them together and of files in memory that they hold; exact when it would be more than `enough`, for to
 * count exactly is slow.
 */
export function memoryOf(pids: readonly number[], table: ProcessTable, enough: number, heldBytes = 0): number {
  const resident = (pid: number): number => table.get(pid)?.memory ?? 0;
  const roughly = sum(pids, resident) + heldBytes;
  if (roughly <= enough) return roughly;
  const shares = new Map(pids.map((pid) => [pid, shareOf(pid) ?? { own: resident(pid), files: 0 }]));
  const mapped = sum(pids, (pid) => shares.get(pid)?.files ?? 0);
  return sum(pids, (pid) => shares.get(pid)?.own ?? 0) + Math.max(mapped, heldBytes);
}

function sum(pids: readonly number[], bytesOf: (pid: number) => number): number {
  return pids.reduce((bytes, pid) => bytes + bytesOf(pid), 0);
}

interface Share {
  readonly own: number;
  /** In files in memory that it has mapped. */
  readonly files: number;
}

/** A process's share of what it shares; undefined when that cannot be read. */
function shareOf(pid: number): Share | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const bytes = (row: string): number => Number(new RegExp(`^${row}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
    const files = bytes('Pss_Shmem');
    return { own: bytes('Pss') - files, files };
  } catch {
    return undefined;
  }
}
