import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { detectIsolation, type Isolation } from '../buildspec/isolation.ts';
import { defaultServerConfig } from '../config/server.ts';
import { migrate } from '../db/migrate.ts';
import { openDatabase, type OpenDatabase } from '../db/open.ts';
import { liveExecutions, loadExecutions } from '../db/executions.ts';
import { endLeasesOfHost } from '../db/orphaned-jobs.ts';
import { installRepositories } from '../db/repositories.ts';
import { createEmbeddedEngine } from '../engine/embedded/embedded-engine.ts';
import { UserError } from '../errors.ts';
import type { Engine } from '../engine/engine.ts';
import type { GitHub } from '../github/github.ts';
import { openArtifactStore } from '../providers/artifact-store.ts';
import { expireHome, recoverHome } from '../providers/housekeeping.ts';
import type { SecretSource } from '../providers/secret-values.ts';
import { runWorker } from '../worker.ts';
import { engineHandlers } from './api-server.ts';
import { effectRunner, openEgress } from './effects.ts';
import { openHost, type Host } from './host.ts';
import type { Environment } from './local-git.ts';
import { localSource } from './local-source.ts';

export interface LocalEngineOptions {
  readonly home: string;
  /** The working tree that every source action takes. */
  readonly source: string;
  /** Its PATH is where the tools of builds are looked for. */
  readonly env: Environment;
  /** By name; masked wherever something is printed. */
  readonly secrets: readonly { readonly name: string; readonly value: string }[];
  /** Whose old artifacts are removed. */
  readonly artifactBucket: string;
  readonly log: Logger;
}

const keptDays = 7;

/** The embedded engine for one working tree: no GitHub, no HTTP, one process. */
export interface LocalEngine {
  readonly engine: Engine;
  readonly database: OpenDatabase;
  readonly isolation: Isolation;
  readonly home: string;
  stop(): Promise<void>;
}

/** The repository that stands for the working tree in the database. */
export const localRepository = { id: 1, owner: 'local', name: 'source', installationId: 1 } as const;

export async function startLocalEngine(options: LocalEngineOptions): Promise<LocalEngine> {
  const host = await takeHome(options.home);
  try {
    return await startIn(host, options);
  } catch (error) {
    await host.release();
    throw error;
  }
}

/** Here is no server whose operator could grant it: whoever runs this gives it. */
function askForSecret({ store, id }: Parameters<SecretSource>[0]): Promise<never> {
  const what = store === 'SECRETS_MANAGER' ? 'secret' : 'parameter';
  return Promise.reject(
    new UserError(
      `The build asks for the ${what} ${id}. Give it with --secret ${id}=VARIABLE, where VARIABLE is an environment ` +
        `variable that holds it, or as a line ${id}=value of a --secret-file.`,
    ),
  );
}

async function takeHome(home: string): Promise<Host> {
  const host = await openHost(home).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`Another penstock run is going on here. ${error.message}`);
  });
  // The default home lies in the project: its repository is not to see it.
  await writeFile(join(home, '.gitignore'), '*\n');
  return host;
}

async function startIn(host: Host, options: LocalEngineOptions): Promise<LocalEngine> {
  const { home, source, env, log } = options;
  const database = await openDatabase({ kind: 'embedded', directory: join(home, 'database') });
  await migrate(database.db);
  await recoverHome(home, new Date());
  await installRepositories(database.db, [localRepository]);
  const engine = createEmbeddedEngine({
    db: database.db,
    host: host.id,
    now: () => new Date(),
    // Whatever the source is, the working tree stands for it.
    alsoRuns: ({ category }) => category === 'Source',
  });
  await endEarlier(database, engine);
  await endLeasesOfHost(database.db, host.id);
  const isolation = await detectIsolation({ scratch: join(home, 'sandbox'), path: env['PATH'] ?? '' });
  // One's own code on one's own machine: the last rung of the ladder is allowed.
  const embedded = {
    ...defaultServerConfig.embedded,
    ...(isolation.contained ? {} : { isolation: 'process' as const }),
  };
  const server = { ...defaultServerConfig, embedded };
  const egress = await openEgress(server, isolation, log);
  const base = effectRunner({
    home,
    server,
    secrets: options.secrets.map((secret) => ({
      ...secret,
      repositories: [{ owner: localRepository.owner, name: null }],
    })),
    database,
    isolation,
    now: () => new Date(),
    log,
    egress,
    github: filesOf(source),
    secretSource: askForSecret,
  });
  const artifacts = openArtifactStore(home);
  const kept = { logDays: keptDays, artifactDays: keptDays, cacheDays: 4 * keptDays, versionDays: keptDays };
  await expireHome(home, artifacts, { ...kept, artifactBuckets: [options.artifactBucket] }, new Date());
  const runner = {
    ...base,
    findProvider: (declaration: Parameters<typeof base.findProvider>[0]) =>
      declaration.actionTypeId.category === 'Source'
        ? localSource(artifacts, { directory: source, home, env })
        : base.findProvider(declaration),
  };
  const worker = runWorker({
    db: database.db,
    listen: (channel, onNotify) => database.listen(channel, onNotify),
    handlers: engineHandlers(runner, (execution) => engine.refresh(execution)),
    worker: `${host.id}/${process.pid}/${randomUUID()}`,
    host: host.id,
    concurrency: 8,
    log,
  });
  const stop = async (): Promise<void> => {
    // What was stopped is ended by a job: first every job, then the worker.
    await Promise.race([worker.idle(), sleep(5_000, undefined, { ref: false })]);
    await worker.drain(2_000);
    await egress?.close();
    await database.close();
    await host.release();
  };
  return { engine, database, isolation, home, stop };
}

/** What an earlier run left behind when it was interrupted is not taken up again. */
async function endEarlier({ db }: OpenDatabase, engine: Engine): Promise<void> {
  const by = { kind: 'penstock', why: 'a new local run begins' } as const;
  for (const { execution } of await loadExecutions(db, await liveExecutions(db))) {
    const because = { kind: 'closed', merged: false } as const;
    await engine.obey({ kind: 'withdraw', lane: execution.lane, execution: execution.id, because }, by);
  }
}

/** Configuration is read from the tree itself. */
function filesOf(source: string): Pick<GitHub, 'fetchAccess' | 'readFile'> {
  return {
    fetchAccess: () => Promise.reject(new Error('a local run fetches nothing')),
    readFile: (_repository, path) => readFile(join(source, path), 'utf8').catch(() => null),
  };
}
