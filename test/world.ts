import type { Secret } from '../src/config/secrets.ts';
import { createHmac, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import pino from 'pino';
import { defaultServerConfig } from '../src/config/server.ts';
import type { ServerConfig } from '../src/config/server-types.ts';
import type { OpenDatabase } from '../src/db/open.ts';
import { startStandIn, type StandIn } from '../src/demo/github/stand-in.ts';
import type { AwsSide } from '../src/main/engines.ts';
import { startServer, type RunningServer } from '../src/main.ts';
import { webhookPath } from '../src/intake.ts';
import { prepareDatabase } from './prepared-home.ts';
import { judgeExchange } from './demo/github/published.ts';

export interface WorldOptions {
  /** From `testDatabase()`; without one the embedded database in the world's own folder, as a user has it. */
  readonly database?: OpenDatabase;
  readonly server?: Partial<ServerConfig>;
  readonly log?: pino.Logger;
  /** Instead of the SDK. */
  readonly aws?: AwsSide;
  /** Values of the server's file, which no check run may show. */
  readonly secrets?: readonly Secret[];
}

/** A stand-in GitHub with the App installed, and the whole product as it is, in this process. */
export interface World {
  readonly github: StandIn;
  readonly home: string;
  readonly server: RunningServer;
  /** Everything that follows from what happened so far has happened: webhooks, jobs, check runs. */
  settled(): Promise<void>;
  /** Of the newest run of that name on the commit: `status/conclusion: title`, or `none`. */
  check(repository: string, sha: string, name: string): string;
  checks(repository: string, sha: string): readonly string[];
  stop(): Promise<void>;
}

export const webhookSecret = 'a-secret-of-the-world-builder-0123456789';

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'penstock-world-'));
  const github = await startStandIn({ webhookSecret, directory: join(directory, 'github'), appId: 1 });
  const broken: string[] = [];
  github.onExchange((exchange) => broken.push(...judgeExchange(exchange)));
  const home = join(directory, 'home');
  if (!options.database) await prepareDatabase(join(home, 'database'));
  const server = await startServer(serverOptions(options, github, home));
  github.setWebhook(`${server.url}${webhookPath}`);
  return {
    github: patientPeople(github, server),
    home,
    server,
    settled: () => settle(github, server),
    check: (repository, sha, name) => describeCheck(github, repository, sha, name),
    checks: (repository, sha) =>
      github
        .checks(repository, sha)
        .map(({ name }) => `${name}: ${describeCheck(github, repository, sha, name)}`)
        .toSorted(),
    stop: async () => {
      await server.stop(5_000);
      await github.stop();
      await rm(directory, { recursive: true, force: true });
      // Every call of ours is held against GitHub's published description.
      if (broken.length > 0)
        throw new Error(`calls that GitHub does not describe:\n${[...new Set(broken)].join('\n')}`);
    },
  };
}

/**
 * GitHub keeps no fractions of seconds, so words in the second in which a head was first seen may be about either head
 * and are refused. People take longer than that to read; tests have to be told.
 */
function patientPeople(github: StandIn, { database }: RunningServer): StandIn {
  const afterThatSecond = async (): Promise<void> => {
    const { rows } = await sql<{ ms: number }>`
      select coalesce(extract(epoch from date_trunc('second', max(seen_at)) + interval '1 second' - clock_timestamp()), 0)
        ::float8 * 1000 as ms from pull_request_heads`.execute(database.db);
    const ms = rows[0]?.ms ?? 0;
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms + 5));
  };
  const patient: Pick<StandIn, 'comment' | 'review'> = {
    comment: async (...words) => {
      await afterThatSecond();
      return github.comment(...words);
    },
    review: async (...words) => {
      await afterThatSecond();
      return github.review(...words);
    },
  };
  return Object.assign(Object.create(github) as StandIn, patient);
}

/** The stand-in has no rate limit: a long story need not wait for its writes. */
const unlimited = { writesAtOnce: 1_000, writesPerSecond: 1_000 };

function serverOptions(options: WorldOptions, github: StandIn, home: string): Parameters<typeof startServer>[0] {
  return {
    settings: {
      appId: github.appId,
      privateKey: github.privateKey,
      webhookSecrets: [webhookSecret],
      home,
      configFile: join(home, 'penstock.server.yml'),
      configFileNamed: false,
      host: '127.0.0.1',
      port: 0,
      githubUrl: github.url,
      logLevel: 'silent',
      workerConcurrency: 8,
    },
    server: { ...defaultServerConfig, github: unlimited, ...options.server },
    secrets: options.secrets ?? [],
    // The harness closes its own database after the file.
    ...(options.database ? { database: { ...options.database, close: () => Promise.resolve() } } : {}),
    ...(options.aws ? { aws: options.aws } : {}),
    log: options.log ?? pino({ level: process.env['WORLD_LOG'] ?? 'silent' }),
    sweeping: false,
    path: process.env['PATH'] ?? '',
  };
}

async function settle(github: StandIn, { worker, database }: RunningServer): Promise<void> {
  for (;;) {
    await github.settled();
    await worker.idle();
    // Reports and polls wait a little on purpose; deadlines wait for days.
    const { rows } = await sql<{ open: number }>`
      select count(*)::int as open from jobs
      where not dead and kind <> 'deadline' and run_at < now() + interval '20 seconds'`.execute(database.db);
    if (rows[0]?.open === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

function describeCheck(github: StandIn, repository: string, sha: string, name: string): string {
  const run = github.checks(repository, sha).find((one) => one.name === name);
  return run ? `${run.status}${run.conclusion === null ? '' : `/${run.conclusion}`}: ${run.title}` : 'none';
}

/** A webhook that the stand-in does not send by itself, signed as GitHub signs. */
export async function deliver(
  world: Pick<World, 'server'>,
  event: string,
  body: string | Buffer<ArrayBuffer>,
  guid: string = randomUUID(),
): Promise<{ readonly guid: string; readonly status: number }> {
  const signature = `sha256=${createHmac('sha256', webhookSecret).update(body).digest('hex')}`;
  const headers = {
    'content-type': 'application/json',
    'x-github-event': event,
    'x-github-delivery': guid,
    'x-hub-signature-256': signature,
  };
  const answer = await fetch(`${world.server.url}${webhookPath}`, { method: 'POST', headers, body });
  return { guid, status: answer.status };
}

/** A repository name that no other test uses. */
export function freshName(stem: string): string {
  return `${stem}-${randomUUID().slice(0, 8)}`;
}
