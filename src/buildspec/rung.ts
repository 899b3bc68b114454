import type { HostFiles } from './host-files.ts';
import type { Isolation } from './isolation.ts';
import { sharedMemoryBytes, type CommandLimits } from './limits.ts';
import type { Tools } from './tools.ts';

export interface RungParts {
  readonly tools: Tools;
  readonly host: HostFiles;
  readonly scratch: string;
  readonly limits: CommandLimits;
  /** Better rungs that do not work here, each with its reason. */
  readonly rejected: readonly string[];
}

export type Prepared =
  { readonly kind: 'ready'; readonly isolation: Isolation } | { readonly kind: 'absent'; readonly why: string };

export function notReady(why: string): Prepared {
  return { kind: 'absent', why };
}

/**
 * What of /proc is the kernel's own. A user namespace keeps nobody from writing there when the server is root: the files
 * ask for the user of the machine, and that is still root.
 */
export const kernelFiles = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'] as const;

/**
 * Runs its words for a shell that is process 1 of their namespace and ends with their status; the rung then ends only
 * when the namespace has, with every daemon in it. What shells say of a killed command is no output of a build.
 */
export const asChild = `exec 9>&2 2>/dev/null
(exec "$@" 2>&9 9>&-)
exit $?
`;

/**
 * What System V keeps for no process, limited for a namespace of its own by its root: memory in pages, the numbers of
 * semaphores and queues. Older kernels let only the root of the machine do that.
 */
export const ipcLimits = [
  `echo ${sharedMemoryBytes / 4_096} > /proc/sys/kernel/shmall`,
  "echo '250 32000 100 128' > /proc/sys/kernel/sem",
  'echo 128 > /proc/sys/kernel/msgmni',
].join(' && ');
