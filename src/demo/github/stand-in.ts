/**
 * A GitHub to try things on: stateful, over real HTTP on 127.0.0.1, with real git repositories and signed webhooks.
 * It answers as GitHub's published descriptions say and refuses what GitHub refuses. Its methods act as people do;
 * each resolves when GitHub's side is done, and `settled` when the webhooks that follow have been answered.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir } from 'node:fs/promises';
import { appKeys, defaultEvents, defaultPermissions, type AppRecord } from './app-record.ts';
import { checkControl, type CheckControl } from './control/checks.ts';
import { installationControl, type InstallationControl } from './control/installations.ts';
import { mergeQueueControl, type MergeQueueControl } from './control/merge-queue.ts';
import { peopleControl, type PeopleControl } from './control/people.ts';
import { pullRequestControl, type PullRequestControl } from './control/pull-requests.ts';
import { pushControl, type PushControl } from './control/pushes.ts';
import { repositoryControl, type RepositoryControl } from './control/repositories.ts';
import { talkControl, type TalkControl } from './control/talk.ts';
import { faultBook, type Faults } from './faults.ts';
import { answerGit, gitRequest } from './git-http.ts';
import { answerRest, compileRoutes, type Door, type Exchange } from './http.ts';
import { answerManifestPage, isManifestPage, manifestRoutes, type Codes } from './manifest.ts';
import { appRoutes } from './routes/apps.ts';
import { checkRunRoutes } from './routes/check-runs.ts';
import { checkSuiteRoutes } from './routes/check-suites.ts';
import { commentRoutes } from './routes/comments.ts';
import { commitRoutes } from './routes/commits.ts';
import { hookRoutes } from './routes/hook.ts';
import { peopleRoutes } from './routes/people.ts';
import { pullRoutes } from './routes/pulls.ts';
import { repositoryRoutes } from './routes/repositories.ts';
import type { Site } from './site.ts';
import { emptyState } from './state.ts';
import { webhookSender, type Delivery } from './webhooks.ts';

export interface StandInOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  readonly appId?: number;
  readonly appSlug?: string;
  readonly webhookSecret: string;
  /** Without one, deliveries fail and stand in the log. */
  readonly webhookUrl?: string;
  /** Where the git repositories go. The caller removes it. */
  readonly directory: string;
  /** JWTs are judged by the machine's clock all the same: their makers have no other. */
  readonly now?: () => Date;
}

/** A mutating request of the App that took effect. Minting tokens is not counted. */
export type Write = Pick<Exchange, 'operation' | 'method' | 'path' | 'request' | 'status' | 'at'>;

export interface StandIn
  extends
    PeopleControl,
    RepositoryControl,
    InstallationControl,
    PushControl,
    PullRequestControl,
    TalkControl,
    CheckControl,
    MergeQueueControl {
  /** http://127.0.0.1:PORT: the REST API at its root, git at /OWNER/NAME.git. */
  readonly url: string;
  readonly appId: number;
  /** This and the secret change when an App is registered from a manifest. */
  readonly appSlug: string;
  /** PEM */
  readonly privateKey: string;
  readonly webhookSecret: string;
  readonly faults: Faults;
  setWebhook(url: string | null): void;
  writes(): readonly Write[];
  /** Oldest first, each with its payload. */
  deliveries(): readonly Delivery[];
  redeliver(delivery: number): void;
  /** No webhook is on its way. What follows from an answer, later, is not waited for. */
  settled(): Promise<void>;
  /** Every request to the REST API with its answer. Returns how to stop listening. */
  onExchange(listener: (exchange: Exchange) => void): () => void;
  stop(): Promise<void>;
}

export async function startStandIn(options: StandInOptions): Promise<StandIn> {
  const now = options.now ?? (() => new Date());
  const [app] = await Promise.all([appOf(options, now), mkdir(options.directory, { recursive: true })]);
  const server = createServer();
  const url = await listen(server, options.port ?? 0);
  const faults = faultBook();
  const webhooks = webhookSender(app, faults, now);
  const site: Site = { url, directory: options.directory, app, state: emptyState(), webhooks, faults, now };
  const listeners = new Set<(exchange: Exchange) => void>();
  const writes: Write[] = [];
  const codes: Codes = new Map();
  const door: Door = { site, routes: allRoutes(codes), tell };
  function tell(exchange: Exchange): void {
    if (isWrite(exchange)) writes.push(exchange);
    for (const listener of listeners) listener(exchange);
  }
  server.on('request', (request, response) => void answer(door, codes, request, response));
  return {
    ...controls(site),
    url,
    appId: app.id,
    get appSlug() {
      return app.slug;
    },
    privateKey: app.privateKey,
    get webhookSecret() {
      return app.webhookSecret;
    },
    faults: faults.knobs,
    setWebhook: (target) => void (app.webhookUrl = target),
    writes: () => writes,
    deliveries: () => webhooks.log(),
    redeliver(id) {
      if (!webhooks.redeliver(id)) throw new Error(`no delivery ${id}`);
    },
    settled: () => webhooks.settled(),
    onExchange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async stop() {
      await webhooks.stop();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function appOf(options: StandInOptions, now: () => Date): Promise<AppRecord> {
  const slug = options.appSlug ?? 'penstock';
  return {
    id: options.appId ?? 1,
    slug,
    name: slug,
    webhookSecret: options.webhookSecret,
    ...(await appKeys()),
    permissions: defaultPermissions,
    events: defaultEvents,
    webhookUrl: options.webhookUrl ?? null,
    createdAt: now(),
  };
}

async function listen(server: Server, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function allRoutes(codes: Codes): Door['routes'] {
  return compileRoutes([
    ...appRoutes,
    ...hookRoutes,
    ...checkRunRoutes,
    ...checkSuiteRoutes,
    ...commentRoutes,
    ...commitRoutes,
    ...peopleRoutes,
    ...pullRoutes,
    ...repositoryRoutes,
    ...manifestRoutes(codes),
  ]);
}

function controls(site: Site) {
  return {
    ...peopleControl(site),
    ...repositoryControl(site),
    ...installationControl(site),
    ...pushControl(site),
    ...pullRequestControl(site),
    ...talkControl(site),
    ...checkControl(site),
    ...mergeQueueControl(site),
  };
}

function isWrite({ method, path, tookEffect }: Exchange): boolean {
  return method !== 'GET' && tookEffect && !path.endsWith('/access_tokens');
}

async function answer(door: Door, codes: Codes, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url ?? '/';
  try {
    const git = gitRequest(url, request.method ?? 'GET');
    if (git !== null) await answerGit(door.site, git, request, response);
    else if (isManifestPage(url)) await answerManifestPage(codes, request, response);
    else await answerRest(door, request, response);
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (!response.headersSent) response.writeHead(500, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ message: `the stand-in itself failed: ${message}` }));
  }
}
