import { z } from 'zod';
import { durationMs, duration } from './durations.ts';
import { rule, strict } from './schema-problems.ts';
import type { BuildLimits } from './server-types.ts';

/** `embedded.limits`: what the operator lets one step of a build take. */

const units = { MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const;
const pattern = /^(\d{1,6})(MiB|GiB|TiB)$/;

/** `512MiB`, `4GiB` or `1TiB`, in bytes. */
function bytesOf(text: string): number {
  const match = pattern.exec(text);
  return Number(match?.[1] ?? 0) * units[(match?.[2] ?? 'MiB') as keyof typeof units];
}

function size(least: string, most: string) {
  const holds = (text: string) => {
    const bytes = pattern.test(text) ? bytesOf(text) : -1;
    return bytes >= bytesOf(least) && bytes <= bytesOf(most);
  };
  const mend = `Write a number and MiB, GiB or TiB, such as 512MiB or 4GiB: at least ${least}, at most ${most}.`;
  return z.string().check(rule(holds, 'is not a size that can be used here.', mend));
}

/** What CodeBuild and our own engine know: 5 minutes to 36 hours. */
const time = duration('5m', '36h').optional();

export const limitsSchema = strict({
  memory: size('128MiB', '64TiB').optional(),
  processes: z.int().min(16).max(1_000_000).optional(),
  files: z.int().min(1_000).max(100_000_000).optional(),
  disk: size('64MiB', '1000TiB').optional(),
  fileSize: size('16MiB', '1000TiB').optional(),
  logSize: size('1MiB', '4GiB').optional(),
  defaultTime: time,
  maximumTime: time,
}).check(
  rule(
    ({ defaultTime, maximumTime }) =>
      defaultTime === undefined || maximumTime === undefined || durationMs(defaultTime) <= durationMs(maximumTime),
    'has a defaultTime above its maximumTime.',
    'Write a defaultTime that is at most maximumTime.',
  ),
);
export type WrittenLimits = z.output<typeof limitsSchema>;

export const defaultBuildLimits: BuildLimits = {
  memoryBytes: null,
  processes: 4_096,
  files: 1_000_000,
  diskBytes: 20 * 1024 ** 3,
  fileBytes: 16 * 1024 ** 3,
  logBytes: 64 * 1024 ** 2,
  defaultMinutes: null,
  maximumMinutes: 36 * 60,
};

export function limitsOf(written: WrittenLimits = {}): BuildLimits {
  const { memory, processes, files, disk, fileSize, logSize, defaultTime, maximumTime } = written;
  const known = defaultBuildLimits;
  return {
    memoryBytes: memory === undefined ? known.memoryBytes : bytesOf(memory),
    processes: processes ?? known.processes,
    files: files ?? known.files,
    diskBytes: disk === undefined ? known.diskBytes : bytesOf(disk),
    fileBytes: fileSize === undefined ? known.fileBytes : bytesOf(fileSize),
    logBytes: logSize === undefined ? known.logBytes : bytesOf(logSize),
    defaultMinutes: defaultTime === undefined ? known.defaultMinutes : durationMs(defaultTime) / 60_000,
    maximumMinutes: maximumTime === undefined ? known.maximumMinutes : durationMs(maximumTime) / 60_000,
  };
}

/** What the sentence about isolation does not tell, for start-up and \`penstock doctor\`. */
export function otherLimitsInWords({ defaultMinutes, maximumMinutes, logBytes }: BuildLimits): string {
  const usual = defaultMinutes === null ? '60 minutes (Commands: 55)' : `${defaultMinutes} minutes`;
  const log = `a log is cut at ${Math.round(logBytes / units.MiB)} MiB`;
  return `An action may take ${usual} unless it says otherwise, at most ${maximumMinutes}; ${log}.`;
}
