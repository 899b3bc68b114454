// A source of BENCH_FILES files and BENCH_MEGABYTES from `git fetch` to the first command of its build, beside `unzip`
// in one run: of the very archive that is handed over, which is not packed, and of the same files as `git archive` packs
// them. Every round has a new home: nothing was fetched before. And the same files packed, beside `zip`.
// Prints one line of JSON, in milliseconds.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { detectIsolation } from '../src/buildspec/isolation.ts';
import type { ActionDeclaration } from '../src/pipeline/definition.ts';
import { openArtifactStore } from '../src/providers/artifact-store.ts';
import type { ActionReport, AnyProvider, NamedArtifact, StartedAction } from '../src/providers/provider.ts';
import { createProviders } from '../src/providers/registry.ts';
import { writeZip } from '../src/providers/write-zip.ts';
import { listFiles, packedFiles } from '../src/providers/zip.ts';
import { percentile } from './database.ts';
import { serveGit } from './git-server.ts';

const rounds = Number(process.env['BENCH_COUNT'] ?? 7);
const files = Number(process.env['BENCH_FILES'] ?? 5_000);
const megabytes = Number(process.env['BENCH_MEGABYTES'] ?? 50);
const execute = promisify(execFile);
const root = await mkdtemp(join(tmpdir(), 'penstock-bench-'));

/** Text that packs about as well as source code does: words from a list, in an order of chance that repeats. */
async function writeTree(directory: string): Promise<void> {
  let seed = 1;
  const next = (): number => (seed = (seed * 48_271) % 2_147_483_647);
  const words = Array.from({ length: 4_000 }, () =>
    next()
      .toString(36)
      .repeat(2)
      .slice(0, 3 + (next() % 9)),
  );
  const size = Math.round((megabytes * 1024 ** 2) / files);
  for (let file = 0; file < files; file += 1) {
    const folder = join(directory, `module-${file % 250}`);
    if (file < 250) await mkdir(folder, { recursive: true });
    let text = '';
    while (text.length < size) text += `${words[next() % words.length] ?? ''}${next() % 9 === 0 ? '\n' : ' '}`;
    await writeFile(join(folder, `file-${file}.ts`), text.slice(0, size));
  }
  await writeFile(
    join(directory, 'buildspec.yml'),
    'version: 0.2\nphases: {build: {commands: [echo first-command]}}\n',
  );
}

async function commitAll(directory: string): Promise<string> {
  const identity = ['-c', 'user.name=Bench', '-c', 'user.email=bench@example.org'];
  const git = (...args: string[]) => execute('git', [...identity, ...args], { cwd: directory });
  await git('init', '--quiet', '--initial-branch=main');
  await git('config', 'uploadpack.allowAnySHA1InWant', 'true');
  await git('add', '--all');
  await git('commit', '--quiet', '-m', 'A source');
  await git('gc', '--quiet');
  return (await git('rev-parse', 'HEAD')).stdout.trim();
}

const source = join(root, 'source');
await writeTree(source);
const sha = await commitAll(source);
const packed = join(root, 'packed.zip');
await execute('git', ['archive', '--format=zip', `--output=${packed}`, sha], { cwd: source });
const server = await serveGit(join(source, '.git'));
const isolation = await detectIsolation({ path: process.env['PATH'] ?? '', scratch: join(root, 'sandbox') });

interface Round {
  readonly source: number;
  readonly handOver: number;
  readonly unzip: number;
  readonly unzipPacked: number;
  /** The same files packed as an artifact of a build. */
  readonly pack: number;
  /** NaN without the program. */
  readonly zip: number;
}

async function measure(round: number): Promise<Round> {
  const home = join(root, `home-${round}`);
  const artifacts = openArtifactStore(home);
  const providers = createProviders({
    home,
    isolation,
    artifacts,
    network: 'none',
    maxConcurrentActions: 4,
    fetchAccess: () => Promise.resolve({ url: server.url, token: 'bench' }),
  });
  const artifact: NamedArtifact = { name: 'Source', location: { bucket: 'bench', key: 'source' } };
  const connection = { ConnectionArn: 'bench', FullRepositoryId: 'acme/web', BranchName: 'main' };
  const begun = performance.now();
  await run(providers.get('Source/AWS/CodeStarSourceConnection/1'), {
    configuration: connection,
    outputs: [artifact],
    sourceRevision: { actionName: 'Act', revisionId: sha, revisionType: 'COMMIT_ID' },
  });
  const fetched = performance.now();
  let first = Number.NaN;
  const write = (chunk: string | Uint8Array): void => {
    if (Number.isNaN(first) && /^first-command$/m.test(Buffer.from(chunk).toString())) first = performance.now();
  };
  await run(providers.get('Build/AWS/CodeBuild/1'), {
    configuration: { ProjectName: 'bench' },
    inputs: [artifact],
    log: { write },
  });
  const stored = await artifacts.describe(artifact.location);
  const archives = { unzip: stored?.file ?? '', unzipPacked: packed };
  const times = { unzip: 0, unzipPacked: 0 };
  // In turns, because the first one waits for what the build left to be written.
  for (const which of round % 2 === 0 ? (['unzip', 'unzipPacked'] as const) : (['unzipPacked', 'unzip'] as const))
    times[which] = await timeUnzip(archives[which], join(home, which));
  const packing = { pack: await timePack(join(home, 'pack.zip')), zip: await timeZip(join(home, 'zip.zip')) };
  await rm(home, { recursive: true, force: true });
  return { source: fetched - begun, handOver: first - fetched, ...times, ...packing };
}

async function timeUnzip(archive: string, to: string): Promise<number> {
  const begun = performance.now();
  await execute('unzip', ['-q', archive, '-d', to]);
  return performance.now() - begun;
}

async function timePack(to: string): Promise<number> {
  const begun = performance.now();
  const paths = (await listFiles(source)).map(({ path }) => path);
  await writeZip(await packedFiles(source, paths), to);
  return performance.now() - begun;
}

async function timeZip(to: string): Promise<number> {
  if (!has('zip')) return Number.NaN;
  const begun = performance.now();
  await execute('zip', ['-q', '-r', to, '.', '-x', '.git/*'], { cwd: source });
  return performance.now() - begun;
}

function has(program: string): boolean {
  return ['/usr/bin', '/bin', '/usr/local/bin'].some((directory) => existsSync(join(directory, program)));
}

/** Runs one action to its end; throws unless it succeeds. */
async function run(provider: AnyProvider | undefined, change: Partial<StartedAction<unknown>>): Promise<void> {
  if (provider === undefined) throw new Error('this provider is gone');
  const execution = randomUUID();
  let wake = (): void => {};
  const action: StartedAction<unknown> = {
    token: `${execution}/Stage/Act/1`,
    execution,
    actionExecution: randomUUID(),
    pipeline: 'bench',
    stage: 'Stage',
    attempt: 1,
    declaration: { name: 'Act', actionTypeId: provider.type, runOrder: 1 } as ActionDeclaration,
    repository: { id: 1, owner: 'acme', name: 'web', installationId: 1 },
    inputs: [],
    outputs: [],
    origin: { headSha: sha, branch: 'main' },
    trust: 'repository',
    secrets: {},
    log: { write: () => {} },
    changed: () => wake(),
    ...change,
    configuration: provider.configuration.parse(change.configuration),
  } as StartedAction<unknown>;
  const ended = new Promise<void>((resolve) => (wake = resolve));
  let report: ActionReport = await provider.start(action);
  if (report.kind === 'running') {
    await ended;
    report = (await provider.poll?.({ ...action, externalId: report.externalId })) ?? report;
  }
  if (report.kind !== 'succeeded') throw new Error(JSON.stringify(report));
}

if (!has('unzip')) {
  console.log(
    JSON.stringify({ bench: 'source', skipped: 'unzip is not installed, and it is what this is measured by' }),
  );
} else {
  await measure(0);
  const measured: Round[] = [];
  for (let round = 1; round <= rounds; round += 1) measured.push(await measure(round));
  const median = (of: (round: Round) => number): number => percentile(measured.map(of), 0.5);
  const ratio = (of: (round: Round) => number): number =>
    percentile(
      measured.map((round) => (100 * (round.source + round.handOver)) / of(round)),
      0.5,
    ) / 100;
  const result = {
    bench: 'source',
    rounds,
    files,
    megabytes,
    isolation: isolation.level,
    fetchAndStore: median((round) => round.source),
    handOver: median((round) => round.handOver),
    fetchToCommand: median((round) => round.source + round.handOver),
    unzip: median((round) => round.unzip),
    unzipPacked: median((round) => round.unzipPacked),
    ratio: ratio((round) => round.unzip),
    ratioToPacked: ratio((round) => round.unzipPacked),
    pack: median((round) => round.pack),
    zip: median((round) => round.zip),
  };
  console.log(JSON.stringify(result));
}
await server.close();
await rm(root, { recursive: true, force: true });
