import { Hono } from 'hono';
import type { Logger } from 'pino';
import type { Egress } from '../buildspec/egress.ts';
import type { Isolation } from '../buildspec/isolation.ts';
import { privateKeyOf } from '../config/credentials.ts';
import type { Secret } from '../config/secrets.ts';
import type { ServerConfig } from '../config/server-types.ts';
import { serves } from '../config/server.ts';
import type { Settings } from '../config/settings.ts';
import { queueFigures } from '../db/dead-jobs.ts';
import { executionFigures } from '../db/executions.ts';
import type { OpenDatabase } from '../db/open.ts';
import { databaseAnswers } from '../db/ping.ts';
import type { Deps } from '../deps.ts';
import type { EventQueue } from '../engine/aws/event-queue.ts';
import { createEmbeddedEngine, type EmbeddedEngine } from '../engine/embedded/embedded-engine.ts';
import type { EffectRunner } from '../engine/embedded/run-effect.ts';
import { createGitHub } from '../github/octokit-github.ts';
import { createIntake } from '../intake.ts';
import { logPath } from '../providers/action-log.ts';
import { openArtifactStore } from '../providers/artifact-store.ts';
import { ownBuckets } from '../providers/bucket-names.ts';
import { maskText } from '../providers/mask.ts';
import { githubWebUrl } from '../web/app-manifest.ts';
import { linkExpiry, linkKeys, signLink } from '../web/links.ts';
import { createMetrics } from '../web/metrics.ts';
import { pages } from '../web/pages.ts';
import { repositoriesOf } from './api-door.ts';
import { awsEvents } from './aws-events.ts';
import { readAws } from './aws-readings.ts';
import { eventsKeyOf, targetsOf } from './aws-targets.ts';
import { callPipelines } from './call-pipeline.ts';
import { effectRunner } from './effects.ts';
import { createEngines, type AwsSide } from './engines.ts';
import { grantedTypes } from './granted-calls.ts';
import type { Host } from './host.ts';
import { noticeNotifier } from './notices.ts';
import { artifactFile, loadPage } from './page-source.ts';
import { noReceivers, type Receivers } from './receivers.ts';
import type { EventDeps } from './take-event.ts';
import { linesRead, rankedTail, toldAnywhere } from './told.ts';

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

/** What stands before anything is put together. */
export interface Ground {
  readonly host: Host;
  readonly database: OpenDatabase;
  readonly isolation: Isolation;
  readonly egress: Egress | undefined;
}

export interface Parts {
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

/** Puts the parts together. Nothing runs and nothing is listened to yet. */
export function assemble(options: ServerOptions, ground: Ground): Parts {
  const { settings, server, log } = options;
  const now = options.now ?? (() => new Date());
  const { db } = ground.database;
  const github = createGitHub({
    appId: settings.appId,
    privateKey: privateKeyOf(settings),
    baseUrl: settings.githubUrl,
    pace: server.github,
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
