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

/** By the options of prlimit. */
type OfOneProcess = Readonly<Record<'core' | 'fsize' | 'nofile' | 'nproc' | 'data', number>>;

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

/**
 * One process has what all have together: less would only hide which limit it met. Nobody may raise what this process
 * was given as the most.
 */
function ofOneProcess(together: CommandLimits): OfOneProcess {
  const hard = hardLimits();
  const atMost = (row: string, wanted: number): number => Math.min(wanted, hard.get(row) ?? wanted);
  return {
    core: 0,
    fsize: atMost('Max file size', together.fileBytes),
    nofile: atMost('Max open files', 65_536),
    nproc: atMost('Max processes', Math.max(8_192, together.processes * 2)),
    // Not address space: node, java and go reserve far more of it than they use.
    data: atMost('Max data size', Math.max(8 * gibibyte, together.memoryBytes)),
  };
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
  const limits = Object.entries(ofOneProcess(together)).map(([option, most]) => `--${option}=${most}`);
  return [...first, prlimit, ...limits, '--'];
}

/** A sentence for start-up, check runs and `penstock doctor`. */
export function limitsInForce(tools: Tools, together: CommandLimits): string {
  const all =
    `A step is ended when its processes take ${inWords(together.memoryBytes)} of memory, when there are more than ` +
    `${together.processes} of them, when its directories hold ${inWords(together.diskBytes)} or ${together.files} files, ` +
    'or at its timeout';
  if (tools.find('prlimit') === undefined)
    return `${all}; prlimit (util-linux) is not installed, so single processes and files have no limits.`;
  const { data, nofile, fsize } = ofOneProcess(together);
  return `${all}; one process has at most ${inWords(data)} and ${nofile} open files, one file ${inWords(fsize)}.`;
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
