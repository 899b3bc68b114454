import { readFileSync } from 'node:fs';
import type { Tools } from './tools.ts';

interface Limit {
  readonly option: string;
  /** The row of /proc/self/limits. */
  readonly row: string;
  readonly wanted: number;
}

const gibibyte = 1024 ** 3;
const limits: readonly Limit[] = [
  { option: 'core', row: 'Max core file size', wanted: 0 },
  { option: 'fsize', row: 'Max file size', wanted: 16 * gibibyte },
  { option: 'nofile', row: 'Max open files', wanted: 65_536 },
  { option: 'nproc', row: 'Max processes', wanted: 8_192 },
  // Not address space: node, java and go reserve far more of it than they use.
  { option: 'data', row: 'Max data size', wanted: 8 * gibibyte },
];

/** `prlimit …` words that limit what follows them, or none where prlimit is not installed. */
export function limitWords(tools: Tools): readonly string[] {
  const prlimit = tools.find('prlimit');
  if (prlimit === undefined) return [];
  const hard = hardLimits();
  return [
    prlimit,
    ...limits.map(({ option, row, wanted }) => `--${option}=${Math.min(wanted, hard.get(row) ?? wanted)}`),
    '--',
  ];
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
