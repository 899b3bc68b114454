import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { serve, type ServerType } from '@hono/node-server';
import type { Hono } from 'hono';
import { app } from './app.ts';
import { detectIsolation, type Isolation } from './buildspec/isolation.ts';
import { commandLimits } from './buildspec/limits.ts';
import type { BuildLimits } from './config/server-types.ts';
import type { Settings } from './config/settings.ts';
import { registerEventSinks } from './db/event-outbox.ts';
import { migrate } from './db/migrate.ts';
import { openDatabase, type OpenDatabase } from './db/open.ts';
import { endLeasesOfHost } from './db/orphaned-jobs.ts';
import type { Deps } from './deps.ts';
import { createProbot } from './github/probot.ts';
import { intakeServerOptions } from './intake.ts';
import { repositoriesOf, startApiDoor } from './main/api-door.ts';
import { assemble, type Ground, type Parts, type ServerOptions } from './main/assemble.ts';
import { networkInWords, openEgress } from './main/effects.ts';
import { startEventQueues } from './main/event-queues.ts';
import { openHost } from './main/host.ts';
import { startHousekeeping } from './main/housekeeping.ts';
import { jobHandlers } from './main/jobs.ts';
import { noReceivers } from './main/receivers.ts';
import { startSweepTicker } from './main/sweep-ticker.ts';
import { openArtifactStore } from './providers/artifact-store.ts';
import { recoverHome } from './providers/housekeeping.ts';
import { runWorker, type Worker } from './worker.ts';

export interface RunningServer {
  /** `http://host:port` as it listens. */
  readonly url: string;
  /** Of the CodePipeline API, when penstock.server.yml switches it on. */
  readonly apiUrl?: string;
  readonly deps: Deps;
  readonly worker: Worker;
  readonly database: OpenDatabase;
  readonly isolation: Isolation;
  /** What builds reach, in a sentence. */
  readonly network: string;
  readonly limits: BuildLimits;
  /** Accepts nothing more, lets running jobs end within the deadline, closes everything. */
  stop(deadlineMs?: number): Promise<void>;
}

/** Puts Penstock together and starts it. Order of start: host, database, schema, engine, HTTP, worker. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { settings, log } = options;
  const host = await openHost(settings.home);
  const undo: (() => Promise<void>)[] = [() => host.release()];
  try {
    const database = options.database ?? (await openDatabase(databaseTarget(settings)));
    undo.unshift(() => database.close());
    await migrate(database.db);
    await endLeasesOfHost(database.db, host.id);
    await registerEventSinks(database.db, [...(options.receivers?.events.keys() ?? [])]);
    const isolation = await detectIsolation({
      wanted: options.server.embedded.isolation,
      scratch: join(settings.home, 'sandbox'),
      path: options.path,
      limits: commandLimits(options.server.embedded.limits),
      hidden: [settings.home, ...(settings.privateKeyPath === undefined ? [] : [settings.privateKeyPath])],
    });
    const leftovers = await recoverHome(settings.home, options.now?.() ?? new Date());
    if (leftovers > 0) log.warn({ leftovers }, 'commands of an earlier process were still running and were ended');
    const egress = await openEgress(options.server, isolation, log);
    undo.unshift(() => egress?.close() ?? Promise.resolve());
    const ground = { host, database, isolation, egress };
    const parts = assemble(options, ground);
    const listening = await listen(parts.web, settings);
    undo.unshift(() => stopListening(listening.server));
    const url = `http://${settings.host}:${listening.port}`;
    parts.address.url = settings.publicUrl ?? url;
    const api = await openApi(options, parts, database);
    if (api) undo.unshift(() => api.stop());
    const worker = startWorker(options, ground, parts);
    const stopCleaning = startHousekeeping({
      db: database.db,
      home: settings.home,
      artifacts: openArtifactStore(settings.home),
      now: parts.deps.now,
      log,
    });
    parts.queues.push(...startEventQueues(options.server.aws.queues, { ...parts.events, log }));
    const stopTicker = options.sweeping === false ? () => {} : startSweepTicker(database.db, log);
    let stopped: Promise<void> | undefined;
    const stop = async (deadlineMs: number): Promise<void> => {
      stopTicker();
      stopCleaning();
      parts.stopping.abort();
      await api?.stop();
      await Promise.all([stopListening(listening.server), ...parts.queues.map((queue) => queue.stop())]);
      await worker.drain(deadlineMs);
      await egress?.close();
      await database.close();
      await host.release();
    };
    return {
      url,
      ...(api ? { apiUrl: api.url } : {}),
      deps: parts.deps,
      worker,
      database,
      isolation,
      network: networkInWords(options.server, egress),
      limits: options.server.embedded.limits,
      stop: (deadlineMs = 20_000) => (stopped ??= stop(deadlineMs)),
    };
  } catch (error) {
    for (const step of undo) await step().catch(() => {});
    throw error;
  }
}

/** The CodePipeline API over the same database and engine, when the operator switched it on. */
async function openApi({ settings, server, log }: ServerOptions, { deps, embedded }: Parts, { db }: OpenDatabase) {
  const { port } = server.api;
  if (port === null) return undefined;
  const api = { ...server.api, port };
  const { now } = deps;
  return startApiDoor({ home: settings.home, db, engine: embedded, now, log, api, repositories: repositoriesOf(deps) });
}

function databaseTarget({ databaseUrl, home }: Settings): Parameters<typeof openDatabase>[0] {
  return databaseUrl === undefined
    ? { kind: 'embedded', directory: join(home, 'database') }
    : { kind: 'postgres', url: databaseUrl };
}

function startWorker(options: ServerOptions, ground: Ground, parts: Parts): Worker {
  const { settings, log } = options;
  const [secret] = settings.webhookSecrets;
  const { appId, privateKey, githubUrl } = settings;
  const probot = createProbot({ appId, privateKey, secret, baseUrl: githubUrl, pace: options.server.github, log });
  app(parts.deps)(probot);
  return runWorker({
    db: ground.database.db,
    listen: (channel, onNotify) => ground.database.listen(channel, onNotify),
    handlers: jobHandlers(parts.deps, probot, parts.runner, {
      api: options.server.api,
      receivers: options.receivers ?? noReceivers,
    }),
    worker: `${ground.host.id}/${process.pid}/${randomUUID()}`,
    host: ground.host.id,
    concurrency: settings.workerConcurrency,
    log,
  });
}

function listen(web: Hono, settings: Settings): Promise<{ server: ServerType; port: number }> {
  return new Promise((resolve, reject) => {
    const server = serve(
      { fetch: web.fetch, hostname: settings.host, port: settings.port, serverOptions: intakeServerOptions },
      (info) => resolve({ server, port: info.port }),
    );
    server.once('error', reject);
  });
}

async function stopListening(server: ServerType): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  if ('closeIdleConnections' in server) server.closeIdleConnections();
  const late = setTimeout(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
  }, 2_000);
  await closed;
  clearTimeout(late);
}
