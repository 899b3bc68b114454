import type { Buildspec } from '../buildspec/buildspec.ts';
import type { Finding } from '../buildspec/finding.ts';
import { runPhases, type PhasesResult } from '../buildspec/run-phases.ts';
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
import { recordBuild, reportBuild } from './build-report.ts';
import { createTimeline, type Timeline } from './build-timeline.ts';
import { saveFindings } from './findings-file.ts';
import { findBuildspec, type BuildspecFound } from './find-buildspec.ts';
import { maskedLog } from './masked-log.ts';
import type { ActionLog, StartedAction } from './provider.ts';
import type { EndReport } from './reports.ts';

type Action = StartedAction<BuildConfiguration>;

const defaultProject: ProjectSettings = { timeoutInMinutes: 60, environment: [] };

/** One build from source to artifacts, through the phases of CP 9.4. */
export async function runBuild(deps: BuildDeps, action: Action, context: WorkContext): Promise<EndReport> {
  const startedAt = new Date();
  const timeline = createTimeline(context.startedAt);
  timeline.end('SUBMITTED', context.startedAt);
  timeline.end('QUEUED', startedAt);
  const named = action.configuration.ProjectName;
  const number = nextBuildNumber(deps.home, action.repository.id, named);
  const project = await deps.project(named, action);
  if (project === null)
    say(action.log, `No project ${named} under projects: in .github/penstock.yml: buildspec.yml, 60 minutes.`);
  const settings = project ?? defaultProject;
  const minutes = Math.min(settings.timeoutInMinutes, action.declaration.timeoutInMinutes ?? Infinity);
  timeline.end('PROVISIONING', new Date());
  const area = await buildArea(deps, action);
  try {
    const found = await findBuildspec(area.primary, action.configuration.BuildspecOverride ?? settings.buildspec);
    const build = { context, area, startedAt, settings, minutes, number, timeline };
    if (!found.ok) return await refuseBuildspec(deps, action, { ...build, found });
    sayPhaseEnd(action.log, 'DOWNLOAD_SOURCE');
    timeline.end('DOWNLOAD_SOURCE', new Date());
    return await buildIn(deps, action, { ...build, buildspec: found.buildspec });
  } finally {
    await area.remove();
  }
}

interface BegunBuild {
  readonly context: WorkContext;
  readonly area: BuildArea;
  readonly startedAt: Date;
  readonly settings: ProjectSettings;
  readonly minutes: number;
  readonly number: number;
  readonly timeline: Timeline;
}

interface Refused extends BegunBuild {
  readonly found: Extract<BuildspecFound, { ok: false }>;
}

async function refuseBuildspec(
  deps: BuildDeps,
  action: Action,
  { area, found, minutes, number, timeline }: Refused,
): Promise<EndReport> {
  for (const line of found.lines) say(action.log, line);
  const context = { statusCode: 'YAML_FILE_ERROR', message: found.message } as const;
  sayPhaseEnd(action.log, 'DOWNLOAD_SOURCE', context);
  timeline.end('DOWNLOAD_SOURCE', new Date(), { status: 'FAILED', context });
  timeline.end('FINALIZING', new Date());
  const secrets = Object.values(action.secrets);
  const known = found.problems.map(({ file: path, line, column, message, mend }): Finding => {
    return { path, line, column, level: 'failure', title: 'Buildspec', message: `${message} ${mend}`.trim() };
  });
  await saveFindings({ home: deps.home, action, primary: area.primary, groups: [], secrets, known });
  const nothing = { reports: [], exported: [], phases: timeline.phases, status: 'FAILED' } as const;
  return reportBuild(await recordBuild(action, { home: deps.home, number, minutes, secrets, ...nothing }), secrets);
}

interface Build extends BegunBuild {
  readonly buildspec: Buildspec;
}

async function buildIn(deps: BuildDeps, action: Action, build: Build): Promise<EndReport> {
  const { area, buildspec, settings, startedAt, minutes, number, timeline } = build;
  const { home } = deps;
  const values = await buildValues(deps, action, settings, buildspec);
  const secrets = [...Object.values(action.secrets), ...values.secrets];
  const log = maskedLog(action.log, values.secrets);
  say(log, deps.isolation.describe());
  for (const note of [...buildspec.notes, ...notesOnInputs(area)]) say(log, note);
  const facts = { startedAt, number, primary: area.primary, others: area.others, webUrl: deps.webUrl };
  const env = { ...values.variables, ...agentVariables(action, facts) };
  const deadline = startedAt.getTime() + minutes * 60_000;
  const { context } = build;
  const host = createBuildHost({ deps, action, area, env, log, shell: buildspec.env.shell, deadline, context });
  const cache = buildspec.cache && (await evaluateKeys(buildspec.cache, area.primary, host.expand));
  const caching = cache && { artifacts: deps.artifacts, action, area, cache, log };
  if (caching !== undefined) await restoreCache(caching);
  const ran = await runPhases(buildspec, host);
  timeline.add(ran.phases);
  if (ran.end === 'done') await upload(deps, action, build, log);
  const status = statusOf(ran, timeline);
  if (caching !== undefined && status === 'SUCCEEDED') await saveCache(caching);
  await saveFindings({ home, action, primary: area.primary, groups: buildspec.reports, secrets });
  timeline.end('FINALIZING', new Date());
  const exported = buildspec.env.exportedVariables.map((name) => [name, ran.exported[name] ?? ''] as const);
  const reports = buildspec.reports.map(({ name }) => name);
  const finished = { home, number, minutes, phases: timeline.phases, status, reports, exported, secrets };
  const record = await recordBuild(action, finished);
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
  { area, buildspec, timeline }: Build,
  log: ActionLog,
): Promise<void> {
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
