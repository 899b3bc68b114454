// What each rung of the isolation ladder adds to `sh -c true`, all in one run and in turns; a contained one without
// network. `overhead` is what the median is above that of the bare shell. Prints one line of JSON, in milliseconds.
import { execFile } from 'node:child_process';
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { detectIsolation, type Isolation } from '../src/buildspec/isolation.ts';
import { runCommand } from '../src/buildspec/run-command.ts';
import { percentile } from './database.ts';

const rounds = Number(process.env['BENCH_COUNT'] ?? 20);
const path = process.env['PATH'] ?? '';
const home = await mkdtemp(join(tmpdir(), 'penstock-bench-'));
const directories = { work: join(home, 'work'), home: join(home, 'home'), temporary: join(home, 'tmp') };
for (const directory of Object.values(directories)) await mkdir(directory);

interface Subject {
  readonly name: string;
  run(): Promise<unknown>;
}

function onRung(isolation: Isolation): Subject {
  const command = {
    argv: ['/bin/sh', '-c', 'true'],
    cwd: directories.work,
    writable: [directories.work, directories.home],
    home: directories.home,
    temporary: directories.temporary,
    env: {},
    network: isolation.contained ? 'none' : 'host',
  } as const;
  const request = { isolation, command, marker: 'bench', output: () => {}, deadlineMs: 30_000 };
  return { name: isolation.level, run: () => runCommand(request).result };
}

const execute = promisify(execFile);
const subjects: Subject[] = [{ name: 'bare', run: () => execute('/bin/sh', ['-c', 'true']) }];
const skipped: Record<string, string> = {};
for (const wanted of ['process', 'bubblewrap', 'unshare'] as const) {
  try {
    subjects.push(onRung(await detectIsolation({ wanted, scratch: join(home, 'scratch'), path })));
  } catch (error) {
    skipped[wanted] = error instanceof Error ? error.message : String(error);
  }
}

// In turns: what else the machine does then falls on all of them alike. The first round is not counted.
const samples = new Map(subjects.map(({ name }) => [name, [] as number[]]));
for (let round = 0; round <= rounds; round += 1) {
  for (const { name, run } of subjects) {
    const begun = performance.now();
    await run();
    if (round > 0) samples.get(name)?.push(performance.now() - begun);
  }
}
await rm(home, { recursive: true, force: true });

const bare = percentile(samples.get('bare') ?? [], 0.5);
const figures = [...samples].map(([name, times]) => {
  const p50 = percentile(times, 0.5);
  const overhead = Math.round((p50 - bare) * 10) / 10;
  return [name, { p50, p95: percentile(times, 0.95), ...(name === 'bare' ? {} : { overhead }) }] as const;
});
console.log(JSON.stringify({ bench: 'isolation', rounds, ...Object.fromEntries(figures), skipped }));
