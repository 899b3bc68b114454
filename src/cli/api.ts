import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { isLoopback } from '../codepipeline-api/serve-door.ts';
import { loadServerConfig } from '../config/load-server.ts';
import { readSecrets } from '../config/secrets.ts';
import { UserError } from '../errors.ts';
import { startApiServer } from '../main/api-server.ts';
import { openReceivers } from '../main/receivers.ts';
import { formatProblem } from '../pipeline/problem.ts';
import { settingsWithoutApp } from './app-environment.ts';
import { ArgumentError } from './arguments.ts';
import type { CliIo } from './command.ts';
import { untilEnded } from './until-ended.ts';

/** Serves the CodePipeline API until a signal, or until the database is lost. */
export async function runApi(args: readonly string[], io: CliIo): Promise<number> {
  const { host, port, anonymous } = readArguments(args);
  const settings = settingsWithoutApp(io.env);
  // Its worker tells GitHub nothing, so it must not take the jobs of a server that does.
  if (settings.databaseUrl !== undefined) {
    throw new UserError(
      'penstock api works on the embedded database of its own PENSTOCK_HOME. Unset DATABASE_URL, and set PENSTOCK_HOME to another directory than that of penstock serve.',
    );
  }
  const server = await loadServerConfig(settings);
  if (!server.ok) throw new UserError(server.problems.map(formatProblem).join('\n'));
  const secrets = await readSecrets(server.config.secrets, io.env);
  if (!secrets.ok) throw new UserError(secrets.problems.join('\n'));
  const running = await startApiServer({
    home: settings.home,
    server: server.config,
    secrets: secrets.secrets,
    receivers: await openReceivers(server.config, io.env),
    host,
    port,
    anonymous,
    concurrency: settings.workerConcurrency,
    path: io.env['PATH'] ?? '',
    log: pino({ level: settings.logLevel }, pino.destination(2)),
  });
  if (anonymous) io.out('Without signatures: everybody on this machine may do everything.');
  io.out(`listening on ${running.url}`);
  const why = await untilEnded(running.database, io.interrupted);
  if (why !== undefined) io.err(`The database cannot be used any more (${why}). Start penstock api again.`);
  await running.stop();
  return why === undefined ? 0 : 1;
}

function readArguments(args: readonly string[]): { host: string; port: number; anonymous: boolean } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
      anonymous: { type: 'boolean', default: false },
    },
  });
  const { host, anonymous, port = '' } = values;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new ArgumentError('--port has to be a number from 0 to 65535; 0 takes any free one.');
  }
  if (anonymous && !isLoopback(host)) {
    throw new ArgumentError(
      `--anonymous works on a loopback address only, not on ${host}. Make a key with penstock api-key create.`,
    );
  }
  return { host, port: Number(port), anonymous };
}
