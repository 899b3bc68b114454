import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { detectIsolation } from '../buildspec/isolation.ts';
import { commandLimits } from '../buildspec/limits.ts';
import { readEnvironment } from '../config/env.ts';
import { otherLimitsInWords } from '../config/limits-schema.ts';
import { defaultServerConfig } from '../config/server.ts';
import { loadServerConfig, serverConfigSource } from '../config/load-server.ts';
import { queueFigures } from '../db/dead-jobs.ts';
import { describeError } from '../errors.ts';
import { formatProblem } from '../pipeline/problem.ts';
import { homeOf, settingsWithoutApp, withSavedApp } from './app-environment.ts';
import type { CliIo } from './command.ts';
import { askControl } from './control-client.ts';
import { lookAtAws } from './doctor-aws.ts';
import { openTarget } from './look.ts';

/** One thing that was looked at. `mend` stands where it is not well. */
export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly found: string;
  readonly mend?: string;
}

const run = promisify(execFile);

/** Looks at what Penstock needs, changes nothing, and answers 1 when something has to be mended. */
export async function runDoctor(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } });
  const findings = [
    { what: 'Node', ok: true, found: process.version },
    await lookAtGit(),
    ...lookAtSettings(io),
    ...(await lookAtServerConfig(io)),
    await lookAtIsolation(io),
    await lookAtDatabase(io),
  ];
  io.out(values.json ? JSON.stringify(findings, null, 2) : findings.map(inLines).join('\n'));
  return findings.every(({ ok }) => ok) ? 0 : 1;
}

async function lookAtGit(): Promise<Finding> {
  try {
    const { stdout } = await run('git', ['--version']);
    return { what: 'git', ok: true, found: stdout.trim() };
  } catch {
    return { what: 'git', ok: false, found: 'not found', mend: 'Install git: source actions fetch commits with it.' };
  }
}

function lookAtSettings(io: CliIo): readonly Finding[] {
  const read = readEnvironment(withSavedApp(io.env));
  const what = 'Environment';
  if (read.ok) return [{ what, ok: true, found: `App ${read.settings.appId} at ${read.settings.githubUrl}` }];
  if (read.unconfigured) {
    return [{ what, ok: false, found: 'no GitHub App yet', mend: 'Run `npm start` and open the link that it prints.' }];
  }
  return read.problems.map((problem) => ({ what, ok: false, found: 'a problem', mend: problem }));
}

async function lookAtServerConfig(io: CliIo): Promise<readonly Finding[]> {
  const what = 'Server configuration';
  let bound: readonly Finding[] = [];
  const config = await attempt(what, 'Correct the environment first.', async () => {
    const settings = settingsWithoutApp(io.env);
    const read = await loadServerConfig(settings);
    if (!read.ok)
      return { what, ok: false, found: settings.configFile, mend: read.problems.map(formatProblem).join('\n') };
    bound = await lookAtAws(read.config, settings.home);
    const { repositories } = read.config;
    const served =
      repositories === 'all' ? 'every repository of the App' : `${repositories.length} entries of repositories`;
    return { what, ok: true, found: `${serverConfigSource(settings)}: ${served}` };
  });
  return [config, ...bound];
}

async function lookAtIsolation(io: CliIo): Promise<Finding> {
  const what = 'Isolation of builds';
  const scratch = await mkdtemp(join(tmpdir(), 'penstock-doctor-'));
  try {
    return await attempt(what, 'Install bubblewrap.', async () => {
      const settings = settingsWithoutApp(io.env);
      const read = await loadServerConfig(settings);
      const { isolation: wanted, limits } = (read.ok ? read.config : defaultServerConfig).embedded;
      const isolation = await detectIsolation({
        wanted,
        scratch,
        path: io.env['PATH'] ?? '',
        limits: commandLimits(limits),
        hidden: [settings.home],
      });
      const found = `${isolation.describe()} ${otherLimitsInWords(limits)}`;
      if (isolation.contained || wanted === 'process') return { what, ok: true, found };
      const mend =
        'Builds are refused like this. Install bubblewrap, or set embedded.isolation: process in penstock.server.yml.';
      return { what, ok: false, found, mend };
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function lookAtDatabase(io: CliIo): Promise<Finding> {
  const what = 'Database';
  const running = await askControl(homeOf(io.env), '/status').catch(() => ({ kind: 'nobody' as const }));
  if (running.kind === 'answered') return { what, ok: true, found: 'in use by the Penstock that runs, which answers' };
  return attempt(what, 'Correct DATABASE_URL or PENSTOCK_HOME, or start the database.', async () => {
    const settings = settingsWithoutApp(io.env);
    const isEmbedded = settings.databaseUrl === undefined;
    if (isEmbedded && (await stat(join(settings.home, 'database')).catch(() => undefined)) === undefined) {
      return { what, ok: true, found: `embedded; the first start makes it in ${settings.home}` };
    }
    const database = await openTarget(settings);
    try {
      return { what, ok: true, found: `${isEmbedded ? 'embedded' : 'Postgres'}: ${await jobsIn(database.db)}` };
    } finally {
      await database.close();
    }
  });
}

async function jobsIn(db: Parameters<typeof queueFigures>[0]): Promise<string> {
  try {
    const { waiting, dead } = await queueFigures(db);
    return `${waiting} jobs wait, ${dead} were given up`;
  } catch (error) {
    const isEmpty = error instanceof Error && 'code' in error && error.code === '42P01';
    if (isEmpty) return 'reachable and empty; the first start makes the tables';
    throw error;
  }
}

async function attempt(what: string, mend: string, look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    return { what, ok: false, found: describeError(error), mend };
  }
}

function inLines({ what, ok, found, mend }: Finding): string {
  return `${ok ? 'ok  ' : 'MEND'}  ${what}: ${found}${mend === undefined ? '' : `\n      ${mend.replaceAll('\n', '\n      ')}`}`;
}
