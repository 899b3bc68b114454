import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { serve, type ServerType } from '@hono/node-server';
import { Hono } from 'hono';
import type { Logger } from 'pino';
import { app } from './app.ts';
import type { Egress } from './buildspec/egress.ts';
import { detectIsolation, type Isolation } from './buildspec/isolation.ts';
import { commandLimits } from './buildspec/limits.ts';
import { privateKeyOf } from './config/credentials.ts';
import type { Secret } from './config/secrets.ts';
import { serves } from './config/server.ts';
import type { BuildLimits, ServerConfig } from './config/server-types.ts';
import type { Settings } from './config/settings.ts';
import { migrate } from './db/migrate.ts';
import { databaseAnswers } from './db/ping.ts';
import { openDatabase, type OpenDatabase } from './db/open.ts';
import { executionFigures } from './db/executions.ts';
import { queueFigures } from './db/dead-jobs.ts';
import { registerEventSinks } from './db/event-outbox.ts';
import { endLeasesOfHost } from './db/orphaned-jobs.ts';
import type { Deps } from './deps.ts';
import { createEmbeddedEngine, type EmbeddedEngine } from './engine/embedded/embedded-engine.ts';
import type { EffectRunner } from './engine/embedded/run-effect.ts';
import { createGitHub } from './github/octokit-github.ts';
import { createProbot } from './github/probot.ts';
import { repositoriesOf, startApiDoor } from './main/api-door.ts';
import { callPipelines } from './main/call-pipeline.ts';
import { effectRunner, networkInWords, openEgress } from './main/effects.ts';
import { startHousekeeping } from './main/housekeeping.ts';
import { grantedTypes } from './main/granted-calls.ts';
import { openHost, type Host } from './main/host.ts';
import { createIntake, intakeServerOptions } from './intake.ts';
import { awsEvents } from './main/aws-events.ts';
import { readAws } from './main/aws-readings.ts';
import { eventsKeyOf, targetsOf } from './main/aws-targets.ts';
import { createEngines, type AwsSide } from './main/engines.ts';
import { startEventQueues } from './main/event-queues.ts';
import type { EventDeps } from './main/take-event.ts';
import type { EventQueue } from './engine/aws/event-queue.ts';
import { jobHandlers } from './main/jobs.ts';
import { logPath } from './providers/action-log.ts';
import { maskText } from './providers/mask.ts';
import { artifactFile, loadPage } from './main/page-source.ts';
import { githubWebUrl } from './web/app-manifest.ts';
import { openArtifactStore } from './providers/artifact-store.ts';
import { ownBuckets } from './providers/bucket-names.ts';
import { recoverHome } from './providers/housekeeping.ts';
import { noticeNotifier } from './main/notices.ts';
import { noReceivers, type Receivers } from './main/receivers.ts';
import { linesRead, rankedTail, toldAnywhere } from './main/told.ts';
import { startSweepTicker } from './main/sweep-ticker.ts';
import { linkExpiry, linkKeys, signLink } from './web/links.ts';
import { createMetrics } from './web/metrics.ts';
import { pages } from './web/pages.ts';
import { runWorker, type Worker } from './worker.ts';

/** What a running server is made from; src/cli/serve.ts reads it from the environment and penstock.server.yml. */
export interface ServerOptions {
  readonly settings: Settings;
  readonly server: ServerConfig;
  readonly secrets: readonly Secret[];
  readonly log: Logger;
  readonly now?: () => Date;
  /** A database that is open already; it is closed with the server all the same. */
  readonly database?: OpenDatabase;
  /** False only in tests that sweep by hand. */
  readonly sweeping?: boolean;
  /** Of `events:` and `notices:` in penstock.server.yml. */
  readonly receivers?: Receivers;
  /** How AWS is reached, for tests; the SDK otherwise. */
  readonly aws?: AwsSide;
  /** The operator's proxy and certificates, for our own git. */
  readonly gitEnvironment?: Readonly<Record<string, string>>;
  /** Where node, npm, git and the sandbox tools are looked for: a PATH. */
  readonly path: string;
}

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

interface Ground {
  readonly host: Host;
  readonly database: OpenDatabase;
  readonly isolation: Isolation;
  readonly egress: Egress | undefined;
}

interface Parts {
  readonly deps: Deps;
  readonly embedded: EmbeddedEngine;
  readonly runner: EffectRunner;
  readonly web: Hono;
  readonly stopping: AbortController;
  readonly events: EventDeps;
  /** Filled when the server starts. */
  readonly queues: EventQueue[];
  /** Known once the port is. */
  readonly address: { url: string };
}

function assemble(options: ServerOptions, ground: Ground): Parts {
  const { settings, server, log } = options;
  const now = options.now ?? (() => new Date());
  const { db } = ground.database;
  const github = createGitHub({
    appId: settings.appId,
    privateKey: privateKeyOf(settings),
    baseUrl: settings.githubUrl,
    log,
    now,
  });
  const address = { url: settings.publicUrl ?? '' };
  const stopping = new AbortController();
  const keys = linkKeys(settings.webhookSecrets);
  const { region } = server.api;
  const embedded = createEmbeddedEngine({ db, host: ground.host.id, now, alsoRuns: grantedTypes(server), region });
  const masked = options.secrets.map((secret) => secret.value);
  const mask = (text: string): string => maskText(text, masked);
  const queues: EventQueue[] = [];
  const metrics = createMetrics(async () => ({
    jobs: await queueFigures(db),
    executions: await executionFigures(db),
    ...(server.bindings.length > 0 ? { aws: await readAws(db, server, queues) } : {}),
  }));
  const meter = metrics.aws;
  const reach = options.aws ? { aws: options.aws } : {};
  const { engine, aws } = createEngines({ db, log, now, server, home: settings.home, embedded, mask, meter, ...reach });
  const told = toldAnywhere(db, settings.home);
  const deps: Deps = {
    db,
    github,
    engine,
    aws,
    log,
    now,
    appId: settings.appId,
    get publicUrl() {
      return address.url;
    },
    detailsUrl: ({ id }) => `${address.url}${signLink(keys[0], `/executions/${id}`, linkExpiry(now()))}`,
    isolation: ground.isolation.describe(),
    logTail: async (execution, action, lines) => {
      const onAws = await aws.logTail(execution, action, linesRead);
      if (!onAws) return told.tail(execution, action, lines);
      const { url, unasked: note } = onAws;
      // As one text: a secret may go over several lines.
      const whole = mask(onAws.lines.join('\n')).split('\n');
      const tail = onAws.lines.length === 0 ? { lines: [], cut: 0 } : rankedTail(whole, lines);
      return { ...tail, ...(url === undefined ? {} : { url }), ...(note === undefined ? {} : { note }) };
    },
    findings: (execution, action) => told.findings(execution, action),
    serves: (owner, name) => serves(server, owner, name),
    approvals: server.approvals,
  };
  const web = new Hono();
  web.route('/', createIntake({ db, secrets: settings.webhookSecrets, log, now }));
  const { boundTo } = targetsOf(server, settings.home);
  const events = { db, log, meter, boundTo, serves: deps.serves };
  web.route('/', awsEvents({ ...events, key: () => eventsKeyOf(settings.home) }));
  const artifacts = openArtifactStore(settings.home);
  const webUrl = githubWebUrl(settings.githubUrl);
  const source = { db, githubWebUrl: webUrl, artifacts, findings: deps.findings };
  web.route(
    '/',
    pages({
      isReady: () => databaseAnswers(db),
      metrics,
      loadExecution: (id) => loadPage(source, id),
      logFile: (execution, action) => logPath(settings.home, execution, action),
      artifactFile: (actionExecution, name) => artifactFile(source, artifacts, { actionExecution, name }),
      linkKeys: keys,
      now,
      stopping: stopping.signal,
    }),
  );
  const runner = runnerOf(options, ground, { deps, embedded, webUrl });
  return { deps, embedded, runner, web, stopping, events, queues, address };
}

function runnerOf(
  options: ServerOptions,
  ground: Ground,
  { deps, embedded, webUrl }: Pick<Parts, 'deps' | 'embedded'> & { readonly webUrl: string },
): EffectRunner {
  const { db, github, now } = deps;
  const repositories = repositoriesOf(deps);
  const callPipeline = callPipelines(() => ({ ...options.server.api, db, engine: embedded, now, repositories }));
  const { home } = options.settings;
  const calls = { bucketOf: ownBuckets, callPipeline };
  const effects = effectRunner({ ...options, ...ground, home, github, now, webUrl, ...calls });
  const { notices } = options.receivers ?? noReceivers;
  return { ...effects, detailsUrl: deps.detailsUrl, notifier: noticeNotifier({ db, log: options.log, now, notices }) };
}

function startWorker(options: ServerOptions, ground: Ground, parts: Parts): Worker {
  const { settings, log } = options;
  const [secret] = settings.webhookSecrets;
  const { appId, privateKey, githubUrl } = settings;
  const probot = createProbot({ appId, privateKey, secret, baseUrl: githubUrl, log });
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
