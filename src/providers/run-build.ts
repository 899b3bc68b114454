import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Buildspec } from '../buildspec/buildspec.ts';
import type { BuildRecord, PhaseRecord } from '../buildspec/build-record.ts';
import { runPhases, type PhasesResult } from '../buildspec/run-phases.ts';
import type { WorkContext } from './background.ts';
import { restoreCache, saveCache } from './build-cache.ts';
import { buildArea, type BuildArea } from './build-area.ts';
import { storeBuildOutputs } from './build-artifacts.ts';
import { agentVariables, buildValues } from './build-environment.ts';
import { createBuildHost } from './build-host.ts';
import { say } from './build-log.ts';
import { buildId, type BuildConfiguration, type BuildDeps, type ProjectSettings } from './build-project.ts';
import { saveFindings } from './findings-file.ts';
import { findBuildspec } from './find-buildspec.ts';
import { maskText } from './mask.ts';
import { maskedLog } from './masked-log.ts';
import type { ActionLog, StartedAction } from './provider.ts';
import { failed, type EndReport } from './reports.ts';

type Action = StartedAction<BuildConfiguration>;

const defaultProject: ProjectSettings = { timeoutInMinutes: 60, environment: [] };

/** One build from source to artifacts. What fails in a phase is told by the first phase that failed (CP-B-9). */
export async function runBuild(deps: BuildDeps, action: Action, context: WorkContext): Promise<EndReport> {
  const startedAt = new Date();
  const named = action.configuration.ProjectName;
  const project = await deps.project(named, action);
  if (project === null)
    say(action.log, `No project ${named} under projects: in .github/penstock.yml: buildspec.yml, 60 minutes.`);
  const area = await buildArea(deps, action);
  try {
    const settings = project ?? defaultProject;
    const found = await findBuildspec(area.primary, action.configuration.BuildspecOverride ?? settings.buildspec);
    if (!found.ok) {
      for (const line of found.lines) say(action.log, line);
      return {
        ...failed('JobFailed', `Build terminated with state: FAILED. ${found.message}`),
        externalId: buildId(action),
      };
    }
    return await buildIn(deps, action, { context, area, startedAt, settings, buildspec: found.buildspec });
  } finally {
    await area.remove();
  }
}

interface Build {
  readonly context: WorkContext;
  readonly area: BuildArea;
  readonly startedAt: Date;
  readonly settings: ProjectSettings;
  readonly buildspec: Buildspec;
}

async function buildIn(deps: BuildDeps, action: Action, build: Build): Promise<EndReport> {
  const { area, buildspec, settings, startedAt } = build;
  const values = await buildValues(deps, action, settings, buildspec);
  const secrets = [...Object.values(action.secrets), ...values.secrets];
  const log = maskedLog(action.log, values.secrets);
  say(log, deps.isolation.describe());
  for (const note of buildspec.notes) say(log, note);
  const minutes = Math.min(settings.timeoutInMinutes, action.declaration.timeoutInMinutes ?? Infinity);
  const env = {
    ...values.variables,
    ...agentVariables(action, { startedAt, primary: area.primary, others: area.others }),
  };
  const host = createBuildHost({
    deps,
    action,
    area,
    env,
    log,
    shell: buildspec.env.shell,
    deadline: startedAt.getTime() + minutes * 60_000,
    context: build.context,
  });
  try {
    const caching = buildspec.cache && { artifacts: deps.artifacts, action, area, cache: buildspec.cache, log };
    if (caching !== undefined) await restoreCache(caching);
    const ran = await runPhases(buildspec, host);
    const uploaded = ran.end === 'done' ? await upload(deps, action, build, log) : undefined;
    const phases = uploaded === undefined ? ran.phases : [...ran.phases, uploaded];
    const record = recordOf(action, { build, minutes, ran, phases, secrets });
    if (caching !== undefined && record.buildStatus === 'SUCCEEDED') await saveCache(caching);
    await saveRecord(deps.home, action, record);
    await saveFindings({
      home: deps.home,
      action,
      primary: area.primary,
      groups: buildspec.reports,
      secrets,
    });
    log.finish();
    return reportOf(record, secrets);
  } finally {
    host.dispose();
  }
}

async function upload(
  deps: BuildDeps,
  action: Action,
  { area, buildspec }: Build,
  log: ActionLog,
): Promise<PhaseRecord> {
  const startTime = new Date().toISOString();
  say(log, 'Entering phase UPLOAD_ARTIFACTS');
  const problem = await storeBuildOutputs(deps.artifacts, buildspec, {
    outputs: action.outputs,
    primary: area.primary,
    scratch: area.root,
    log,
  });
  const phaseStatus = problem === undefined ? 'SUCCEEDED' : 'FAILED';
  say(log, `Phase complete: UPLOAD_ARTIFACTS State: ${phaseStatus}`);
  if (problem !== undefined) say(log, `Phase context status code: CLIENT_ERROR Message: ${problem}`);
  const contexts = problem === undefined ? [] : [{ statusCode: 'CLIENT_ERROR' as const, message: problem }];
  return {
    phaseType: 'UPLOAD_ARTIFACTS',
    phaseStatus,
    startTime,
    endTime: new Date().toISOString(),
    contexts,
    attempts: 1,
  };
}

interface Finished {
  readonly build: Build;
  readonly minutes: number;
  readonly ran: PhasesResult;
  readonly phases: readonly PhaseRecord[];
  readonly secrets: readonly string[];
}

function recordOf(action: Action, { build, minutes, ran, phases, secrets }: Finished): BuildRecord {
  const names = build.buildspec.env.exportedVariables;
  return {
    id: buildId(action),
    projectName: action.configuration.ProjectName,
    initiator: `codepipeline/${action.pipeline}`,
    buildStatus:
      ran.end === 'cut' || phases.every((phase) => phase.phaseStatus === 'SUCCEEDED') ? ran.status : 'FAILED',
    startTime: build.startedAt.toISOString(),
    endTime: new Date().toISOString(),
    resolvedSourceVersion: action.origin.headSha,
    timeoutInMinutes: minutes,
    phases: phases.map((phase) => ({
      ...phase,
      contexts: phase.contexts.map((context) => ({ ...context, message: maskText(context.message, secrets) })),
    })),
    exportedEnvironmentVariables: names.map((name) => ({ name, value: maskText(ran.exported[name] ?? '', secrets) })),
  };
}

function reportOf(record: BuildRecord, secrets: readonly string[]): EndReport {
  const externalId = record.id;
  if (record.buildStatus === 'SUCCEEDED') {
    const outputVariables = Object.fromEntries(
      record.exportedEnvironmentVariables.map(({ name, value }) => [name, value]),
    );
    const repeated = record.phases
      .filter((phase) => phase.attempts > 1)
      .map((phase) => `${phase.phaseType} passed on attempt ${phase.attempts}`);
    return { kind: 'succeeded', outputVariables, externalId, summary: repeated.join(', ') || 'Build succeeded' };
  }
  const first = record.phases.find((phase) => phase.phaseStatus !== 'SUCCEEDED');
  const reason = first === undefined ? '' : ` ${first.phaseType}: ${first.contexts[0]?.message ?? ''}`;
  return {
    ...failed('JobFailed', maskText(`Build terminated with state: ${record.buildStatus}.${reason}`, secrets)),
    externalId,
  };
}

/** `<home>/logs/<execution>/<action execution>.build.json` */
export function buildRecordPath(home: string, execution: string, actionExecution: string): string {
  return join(home, 'logs', execution, `${actionExecution}.build.json`);
}

async function saveRecord(home: string, action: Action, record: BuildRecord): Promise<void> {
  const file = buildRecordPath(home, action.execution, action.actionExecution);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, JSON.stringify(record, null, 1), { mode: 0o600 });
}
