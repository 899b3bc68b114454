// What each rung of the isolation ladder adds to `sh -c true`, all in one run. Prints one line of JSON, in milliseconds.
import { execFile } from 'node:child_process';
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { detectIsolation, type IsolationLevel } from '../src/buildspec/isolation.ts';
import { runCommand } from '../src/buildspec/run-command.ts';
import { percentile } from './database.ts';

const rounds = Number(process.env['BENCH_COUNT'] ?? 20);
const path = process.env['PATH'] ?? '';
const home = await mkdtemp(join(tmpdir(), 'penstock-bench-'));
const directories = { work: join(home, 'work'), home: join(home, 'home'), temporary: join(home, 'tmp') };
for (const directory of Object.values(directories)) await mkdir(directory);

async function timed(work: () => Promise<unknown>): Promise<number[]> {
  const samples: number[] = [];
  await work();
  for (let round = 0; round < rounds; round += 1) {
    const begun = performance.now();
    await work();
    samples.push(performance.now() - begun);
  }
  return samples;
}

async function rung(wanted: IsolationLevel): Promise<number[] | string> {
  try {
    const isolation = await detectIsolation({ wanted, scratch: join(home, 'scratch'), path });
    const command = {
      argv: ['/bin/sh', '-c', 'true'],
      cwd: directories.work,
      writable: [directories.work, directories.home],
      home: directories.home,
      temporary: directories.temporary,
      env: {},
      network: 'host',
    } as const;
    return await timed(
      () => runCommand({ isolation, command, marker: 'bench', output: () => {}, deadlineMs: 30_000 }).result,
    );
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const execute = promisify(execFile);
const bare = await timed(() => execute('/bin/sh', ['-c', 'true']));
const rungs: Record<string, unknown> = {};
for (const level of ['process', 'bubblewrap', 'unshare'] as const) {
  const samples = await rung(level);
  rungs[level] =
    typeof samples === 'string'
      ? { skipped: samples }
      : { p50: percentile(samples, 0.5), p95: percentile(samples, 0.95) };
}
await rm(home, { recursive: true, force: true });
const result = {
  bench: 'isolation',
  rounds,
  bare: { p50: percentile(bare, 0.5), p95: percentile(bare, 0.95) },
  ...rungs,
};
console.log(JSON.stringify(result));
