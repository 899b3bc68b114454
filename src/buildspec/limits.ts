import { accessSync, constants, readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { BuildLimits } from '../config/server-types.ts';
import type { Tools } from './tools.ts';

/** What all processes of one command may take together (SEC-C-14); `watch-limits.ts` keeps it. */
export interface CommandLimits {
  readonly memoryBytes: number;
  readonly processes: number;
  /** Files and directories below the directories that it may write to. */
  readonly files: number;
  /** In the directories that it may write to. */
  readonly diskBytes: number;
  /** Of one file; kept by the kernel. */
  readonly fileBytes: number;
  /** The command is ended before the disk is fuller than this. */
  readonly freeBytes: number;
  readonly freeFiles: number;
}

interface Limit {
  readonly option: string;
  /** The row of /proc/self/limits. */
  readonly row: string;
  readonly wanted: number;
}

const gibibyte = 1024 ** 3;

export const defaultLimits: CommandLimits = {
  memoryBytes: Math.floor(memoryOfMachine() * 0.75),
  processes: 4_096,
  files: 1_000_000,
  diskBytes: 20 * gibibyte,
  fileBytes: 16 * gibibyte,
  freeBytes: gibibyte / 2,
  freeFiles: 10_000,
};

/** What the operator says, as far as it is about a single command. */
export function commandLimits({ memoryBytes, processes, files, diskBytes, fileBytes }: BuildLimits): CommandLimits {
  const memory = memoryBytes ?? defaultLimits.memoryBytes;
  return { ...defaultLimits, memoryBytes: memory, processes, files, diskBytes, fileBytes };
}

/** In a container its share; what the machine has would be more than there is. */
function memoryOfMachine(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

const openFiles = 65_536;

/** One process has what all have together: less would only hide which limit it met. */
function ofOneProcess(together: CommandLimits): readonly Limit[] {
  return [
    { option: 'core', row: 'Max core file size', wanted: 0 },
    { option: 'fsize', row: 'Max file size', wanted: together.fileBytes },
    { option: 'nofile', row: 'Max open files', wanted: openFiles },
    { option: 'nproc', row: 'Max processes', wanted: Math.max(8_192, together.processes * 2) },
    // Not address space: node, java and go reserve far more of it than they use.
    { option: 'data', row: 'Max data size', wanted: dataBytes(together) },
  ];
}

function dataBytes({ memoryBytes }: CommandLimits): number {
  return Math.max(8 * gibibyte, memoryBytes);
}

/** In memory that no process owns: what a sandbox may keep under /dev/shm. */
export const sharedMemoryBytes = gibibyte;

/**
 * Words before a command that limit each of its processes, or none where prlimit is not installed. Where memory runs out
 * all the same, the kernel is to end the command and not the server.
 */
export function limitWords(tools: Tools, together: CommandLimits): readonly string[] {
  const choom = mayRaiseScore() ? tools.find('choom') : undefined;
  const first = choom === undefined ? [] : [choom, '-n', '1000', '--'];
  const prlimit = tools.find('prlimit');
  if (prlimit === undefined) return first;
  const hard = hardLimits();
  const limits = ofOneProcess(together);
  return [
    ...first,
    prlimit,
    ...limits.map(({ option, row, wanted }) => `--${option}=${Math.min(wanted, hard.get(row) ?? wanted)}`),
    '--',
  ];
}

/** A sentence for start-up, check runs and `penstock doctor`. */
export function limitsInForce(tools: Tools, together: CommandLimits): string {
  const all =
    `A step is ended when its processes take ${inWords(together.memoryBytes)} of memory, when there are more than ` +
    `${together.processes} of them, when its directories hold ${inWords(together.diskBytes)} or ${together.files} files, ` +
    'or at its timeout';
  if (tools.find('prlimit') === undefined)
    return `${all}; prlimit (util-linux) is not installed, so single processes and files have no limits.`;
  const one = `${inWords(dataBytes(together))} and ${openFiles} open files`;
  return `${all}; one process has at most ${one}, one file ${inWords(together.fileBytes)}.`;
}

function mayRaiseScore(): boolean {
  try {
    accessSync('/proc/self/oom_score_adj', constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function hardLimits(): ReadonlyMap<string, number> {
  const rows = readFileSync('/proc/self/limits', 'utf8').split('\n').slice(1);
  return new Map(
    rows.flatMap((row) => {
      const [name, , hard] = row.split(/\s{2,}/);
      if (name === undefined || hard === undefined || hard === 'unlimited') return [];
      return [[name, Number(hard)] as const];
    }),
  );
}

export function inWords(bytes: number): string {
  const mebibytes = bytes / 1024 ** 2;
  return mebibytes < 10_240 && mebibytes % 1024 !== 0
    ? `${Math.round(mebibytes)} MiB`
    : `${Math.round(mebibytes / 1024)} GiB`;
}
