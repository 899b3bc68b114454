import type { Buildspec } from '../buildspec/buildspec.ts';
import type { Finding } from '../buildspec/finding.ts';
import type { NetworkAccess } from '../buildspec/isolation.ts';
import { runPhases, type PhasesResult } from '../buildspec/run-phases.ts';
import { describeError, UserError } from '../errors.ts';
import type { WorkContext } from './background.ts';
import { restoreCache, saveCache } from './build-cache.ts';
import { buildArea, type BuildArea } from './build-area.ts';
import { storeBuildOutputs } from './build-artifacts.ts';
import { agentVariables, buildValues } from './build-environment.ts';
import { evaluateKeys } from './cache-keys.ts';
import { createBuildHost } from './build-host.ts';
import { say } from './build-log.ts';
import { nextBuildNumber } from './build-number.ts';
import type { BuildConfiguration, BuildDeps, ProjectSettings } from './build-project.ts';
import { recordBuild, reportBuild, type KnownBuild } from './build-report.ts';
import { createTimeline, type Timeline } from './build-timeline.ts';
import { minutesFor, withNetwork } from './command-deps.ts';
import { saveFindings } from './findings-file.ts';
import { findBuildspec, type BuildspecFound } from './find-buildspec.ts';
import { maskedLog } from './masked-log.ts';
import type { ActionLog, StartedAction } from './provider.ts';
import type { EndReport } from './reports.ts';

type Action = StartedAction<BuildConfiguration>;

const defaultProject: ProjectSettings = { environment: [] };
const defaultTimeoutMinutes = 60;

/** One build from source to artifacts, through the phases of CP 9.4. */
export async function runBuild(deps: BuildDeps, action: Action, context: WorkContext): Promise<EndReport> {
  const build = await beginBuild(deps, action, context);
  try {
    const area = await buildArea(deps, action);
    try {
      return await withNetwork(deps, action.trust, (network) => buildIn(deps, action, { ...build, area, network }));
    } finally {
      await area.remove();
    }
  } catch (error) {
    recordBroken(action, build, error);
    throw error;
  }
}

interface BegunBuild {
  readonly context: WorkContext;
  readonly startedAt: Date;
  readonly settings: ProjectSettings;
  readonly timeline: Timeline;
  /** What the records of this build have in common. */
  readonly facts: Pick<KnownBuild, 'home' | 'number' | 'minutes'>;
}

async function beginBuild(deps: BuildDeps, action: Action, context: WorkContext): Promise<BegunBuild> {
  const startedAt = new Date();
  const named = action.configuration.ProjectName;
  const number = nextBuildNumber(deps.home, action.repository.id, named);
  const project = await deps.project(named, action);
  if (project === null)
    say(
      action.log,
      `No project ${named} under projects: in .github/penstock.yml: ${action.configuration.BuildspecOverride === undefined ? 'buildspec.yml' : 'the BuildspecOverride of the action'}, ${deps.times?.defaultMinutes ?? defaultTimeoutMinutes} minutes.`,
    );
  const settings = project ?? defaultProject;
  const { minutes, note } = minutesFor(askedTime(settings, action), defaultTimeoutMinutes, deps.times);
  if (note !== undefined) say(action.log, note);
  const facts = { home: deps.home, number, minutes };
  const timeline = createTimeline(context.startedAt, ({ phases, current }) => {
    recordBuild(action, { ...facts, ...nothing, phases, current, status: 'IN_PROGRESS', secrets: secretsOf(action) });
  });
  timeline.end('SUBMITTED', context.startedAt);
  timeline.end('QUEUED', startedAt);
  timeline.end('PROVISIONING', new Date());
  timeline.enter('DOWNLOAD_SOURCE');
  return { context, startedAt, settings, timeline, facts };
}

/** The shorter one of what the project and the action say. */
function askedTime({ timeoutInMinutes }: ProjectSettings, { declaration }: Action): number | undefined {
  const asked = [timeoutInMinutes, declaration.timeoutInMinutes].filter((minutes) => minutes !== undefined);
  return asked.length === 0 ? undefined : Math.min(...asked);
}

const nothing = { reports: [], exported: [] } as const;

function secretsOf(action: Action): readonly string[] {
  return Object.values(action.secrets);
}

/** What keeps a build from going on ends the phase that it was in; what the action reports is told by the error. */
function recordBroken(action: Action, { timeline, facts }: BegunBuild, error: unknown): void {
  const phaseType = timeline.current?.phaseType ?? 'FINALIZING';
  const isMendable = error instanceof UserError;
  const message = isMendable ? error.message : describeError(error);
  const context = { statusCode: 'CLIENT_ERROR', message } as const;
  const status = isMendable ? 'FAILED' : 'FAULT';
  sayPhaseEnd(action.log, phaseType, context);
  timeline.end(phaseType, new Date(), { status, context });
  recordBuild(action, { ...facts, ...nothing, phases: timeline.phases, status, secrets: secretsOf(action) });
}

interface Build extends BegunBuild {
  readonly area: BuildArea;
  readonly network: NetworkAccess;
}

async function buildIn(deps: BuildDeps, action: Action, build: Build): Promise<EndReport> {
  const { area, settings } = build;
  const found = await findBuildspec(area.primary, action.configuration.BuildspecOverride ?? settings.buildspec);
  return found.ok
    ? runBuildspec(deps, action, { ...build, buildspec: found.buildspec })
    : refuseBuildspec(action, { ...build, found });
}

interface Refused extends Build {
  readonly found: Extract<BuildspecFound, { ok: false }>;
}

async function refuseBuildspec(action: Action, { area, found, facts, timeline }: Refused): Promise<EndReport> {
  for (const line of found.lines) say(action.log, line);
  const context = { statusCode: 'YAML_FILE_ERROR', message: found.message } as const;
  sayPhaseEnd(action.log, 'DOWNLOAD_SOURCE', context);
  timeline.end('DOWNLOAD_SOURCE', new Date(), { status: 'FAILED', context });
  timeline.end('FINALIZING', new Date());
  const secrets = secretsOf(action);
  const known = found.problems.map(({ file: path, line, column, message, mend }): Finding => {
    return { path, line, column, level: 'failure', title: 'Buildspec', message: `${message} ${mend}`.trim() };
  });
  await saveFindings({ home: facts.home, action, primary: area.primary, groups: [], secrets, known });
  const { phases } = timeline;
  return reportBuild(recordBuild(action, { ...facts, ...nothing, phases, status: 'FAILED', secrets }), secrets);
}

interface ReadBuild extends Build {
  readonly buildspec: Buildspec;
}

async function runBuildspec(deps: BuildDeps, action: Action, build: ReadBuild): Promise<EndReport> {
  const { area, network, buildspec, settings, startedAt, facts, timeline, context } = build;
  const values = await buildValues(deps, action, settings, buildspec);
  const secrets = [...secretsOf(action), ...values.secrets];
  const log = maskedLog(action.log, values.secrets);
  say(log, deps.isolation.describe());
  for (const note of [...buildspec.notes, ...notesOnInputs(area)]) say(log, note);
  const { number, minutes } = facts;
  const known = { startedAt, number, primary: area.primary, others: area.others, webUrl: deps.webUrl };
  // Of those of the agent only the region can be set by anybody else; CODEBUILD_ names are refused.
  const env = { ...agentVariables(action, known), ...values.variables };
  const deadline = startedAt.getTime() + minutes * 60_000;
  const { shell } = buildspec.env;
  const host = createBuildHost({ deps, action, area, network, env, log, shell, deadline, context, timeline });
  const cache = buildspec.cache && (await evaluateKeys(buildspec.cache, area.primary, host.expand));
  const caching = cache && { artifacts: deps.artifacts, action, area, cache, log };
  if (caching !== undefined) await restoreCache(caching);
  sayPhaseEnd(log, 'DOWNLOAD_SOURCE');
  timeline.end('DOWNLOAD_SOURCE', new Date());
  const ran = await runPhases(buildspec, host);
  if (ran.end === 'done') await upload(deps, action, build, log);
  timeline.enter('FINALIZING');
  const status = statusOf(ran, timeline);
  if (caching !== undefined && status === 'SUCCEEDED') await saveCache(caching);
  await saveFindings({ home: facts.home, action, primary: area.primary, groups: buildspec.reports, secrets });
  timeline.end('FINALIZING', new Date());
  const exported = buildspec.env.exportedVariables.map((name) => [name, ran.exported[name] ?? ''] as const);
  const reports = buildspec.reports.map(({ name }) => name);
  const record = recordBuild(action, { ...facts, phases: timeline.phases, status, reports, exported, secrets });
  log.finish();
  return reportBuild(record, secrets);
}

function statusOf(ran: PhasesResult, { phases }: Timeline): PhasesResult['status'] {
  const succeeded = phases.every(({ phaseStatus }) => phaseStatus === 'SUCCEEDED');
  return ran.end === 'cut' || succeeded ? ran.status : 'FAILED';
}

/** Shells drop variables whose names they cannot write (CP-B-15). */
function notesOnInputs({ others }: BuildArea): readonly string[] {
  return [...others.keys()]
    .filter((name) => !/^\w+$/.test(name))
    .map((name) => `Shells cannot read CODEBUILD_SRC_DIR_${name}: name the artifact with letters, digits and _ only.`);
}

async function upload(
  deps: BuildDeps,
  action: Action,
  { area, buildspec, timeline }: ReadBuild,
  log: ActionLog,
): Promise<void> {
  timeline.enter('UPLOAD_ARTIFACTS');
  say(log, 'Entering phase UPLOAD_ARTIFACTS');
  const problem = await storeBuildOutputs(deps.artifacts, buildspec, {
    outputs: action.outputs,
    primary: area.primary,
    scratch: area.root,
    log,
  });
  const context = problem === undefined ? undefined : ({ statusCode: 'CLIENT_ERROR', message: problem } as const);
  sayPhaseEnd(log, 'UPLOAD_ARTIFACTS', context);
  timeline.end('UPLOAD_ARTIFACTS', new Date(), context && { status: 'FAILED', context });
}

function sayPhaseEnd(
  log: ActionLog,
  phase: string,
  context?: { readonly statusCode: string; readonly message: string },
): void {
  say(log, `Phase complete: ${phase} State: ${context === undefined ? 'SUCCEEDED' : 'FAILED'}`);
  say(log, `Phase context status code: ${context?.statusCode ?? ''} Message: ${context?.message ?? ''}`);
}
