import { pino } from 'pino';
import { otherLimitsInWords } from '../config/limits-schema.ts';
import { loadServerConfig, serverConfigSource } from '../config/load-server.ts';
import { describeSettings, readEnvironment } from '../config/env.ts';
import { readSecrets } from '../config/secrets.ts';
import type { Settings } from '../config/settings.ts';
import { UserError } from '../errors.ts';
import { loggedError, redactPaths } from '../github/redact.ts';
import { startServer, type RunningServer } from '../main.ts';
import { loadPage, recentPages } from '../main/page-source.ts';
import { openReceivers } from '../main/receivers.ts';
import { formatProblem } from '../pipeline/problem.ts';
import { githubWebUrl } from '../web/app-manifest.ts';
import { serveControl } from '../web/control.ts';
import { linkExpiry, linkKeys, signLink } from '../web/links.ts';
import { settingsError, withSavedApp } from './app-environment.ts';
import { checkAudit } from '../db/audit.ts';
import { deadJobs, reviveDeadJob } from '../db/dead-jobs.ts';
import { readAudit } from './audit.ts';
import type { CliIo } from './command.ts';
import { noArguments } from './arguments.ts';
import { serveSetup } from './serve-setup.ts';
import { untilEnded } from './until-ended.ts';

/** Runs until a signal, or until the database is lost. Without an App it first serves the way to register one. */
export async function runServe(args: readonly string[], io: CliIo): Promise<number> {
  noArguments(args);
  const first = readEnvironment(withSavedApp(io.env));
  if (!first.ok && first.unconfigured && (await serveSetup(io)) === 'interrupted') return 0;
  const read = readEnvironment(withSavedApp(io.env));
  if (!read.ok) throw settingsError(read);
  return await runConfigured(read.settings, io);
}

async function runConfigured(settings: Settings, io: CliIo): Promise<number> {
  const startedAt = new Date();
  const running = await startFrom(settings, io.env);
  const { db } = running.database;
  const source = { db, githubWebUrl: githubWebUrl(settings.githubUrl) };
  const stopControl = await serveControl(settings.home, {
    loadExecution: (id) => loadPage(source, id),
    recentExecutions: (limit) => recentPages(source, limit),
    linkTo: (id) => linkTo(settings.publicUrl ?? running.url, settings.webhookSecrets, id),
    startedAt,
    audit: (wanted) => readAudit(db, wanted),
    auditChains: () => checkAudit(db),
    deadJobs: () => deadJobs(db),
    reviveJob: (id) => reviveDeadJob(db, id),
  });
  for (const line of describeSettings(settings)) io.out(line);
  io.out(`Server configuration: ${serverConfigSource(settings)}`);
  io.out(`Isolation: ${running.isolation.describe()}`);
  io.out(`Builds: ${running.network} ${otherLimitsInWords(running.limits)}`);
  if (stopControl === undefined)
    io.out(`Another Penstock answers in ${settings.home}: \`penstock logs\` will ask that one.`);
  if (running.apiUrl !== undefined) io.out(`CodePipeline API: listening on ${running.apiUrl}`);
  io.out(`Penstock is up: ${running.url}`);
  const why = await untilEnded(running.database, io.interrupted);
  if (why !== undefined) io.err(`The database cannot be used any more (${why}). Start Penstock again.`);
  await stopControl?.();
  await running.stop();
  return why === undefined ? 0 : 1;
}

async function startFrom(settings: Settings, env: CliIo['env']): Promise<RunningServer> {
  const server = await loadServerConfig(settings);
  if (!server.ok) throw new UserError(server.problems.map(formatProblem).join('\n'));
  const secrets = await readSecrets(server.config.secrets, env);
  if (!secrets.ok) throw new UserError(secrets.problems.join('\n'));
  const log = pino({ level: settings.logLevel, redact: [...redactPaths], serializers: { err: loggedError } });
  return startServer({
    settings,
    server: server.config,
    secrets: secrets.secrets,
    receivers: await openReceivers(server.config, env),
    log,
    path: env['PATH'] ?? '',
    gitEnvironment: proxyOf(env),
  });
}

function linkTo(site: string, secrets: Settings['webhookSecrets'], id: string): string {
  return site + signLink(linkKeys(secrets)[0], `/executions/${id}`, linkExpiry(new Date()));
}

const proxyNames = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'https_proxy', 'http_proxy', 'no_proxy', 'GIT_SSL_CAINFO'];

function proxyOf(env: CliIo['env']): Readonly<Record<string, string>> {
  return Object.fromEntries(proxyNames.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}
