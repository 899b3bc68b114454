import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { recordedPhases, type BuildRecord, type BuildStatus, type PhaseRecord } from '../buildspec/build-record.ts';
import { logPath } from './action-log.ts';
import { buildArn, buildImage } from './build-environment.ts';
import { buildRecordPath } from './build-phases.ts';
import type { CurrentPhase } from './build-timeline.ts';
import { buildId, primaryInput, type BuildConfiguration } from './build-project.ts';
import { maskText } from './mask.ts';
import type { StartedAction } from './provider.ts';
import { failed, type EndReport } from './reports.ts';

type Action = StartedAction<BuildConfiguration>;

/** What is known of a build while it runs or at its end. */
export interface KnownBuild {
  readonly home: string;
  readonly number: number;
  readonly minutes: number;
  readonly phases: readonly PhaseRecord[];
  /** The phase that runs; absent at the end. */
  readonly current?: CurrentPhase | undefined;
  readonly status: BuildStatus | 'IN_PROGRESS';
  /** Names of the report groups of its buildspec. */
  readonly reports: readonly string[];
  /** Exported variables in the order of the buildspec; those that are not set are empty (CP-B-6). */
  readonly exported: readonly (readonly [name: string, value: string])[];
  readonly secrets: readonly string[];
}

/** Who reads it sees the old record or the new one. It is small, and written about ten times. */
export function recordBuild(action: Action, build: KnownBuild): BuildRecord {
  const record = recordOf(action, build);
  const file = buildRecordPath(build.home, action.execution, action.actionExecution);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, JSON.stringify(record, null, 1), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return record;
}

function recordOf(action: Action, build: KnownBuild): BuildRecord {
  const now = new Date().toISOString();
  const last = build.current ?? ({ phaseType: 'COMPLETED', startTime: now } as const);
  const isOver = build.current === undefined;
  const mask = (text: string): string => maskText(text, build.secrets);
  const uploaded = build.phases.some(
    ({ phaseType, phaseStatus }) => phaseType === 'UPLOAD_ARTIFACTS' && phaseStatus === 'SUCCEEDED',
  );
  const source = primaryInput(action);
  return {
    id: buildId(action),
    arn: buildArn(action),
    buildNumber: build.number,
    projectName: action.configuration.ProjectName,
    initiator: `codepipeline/${action.pipeline}`,
    buildStatus: build.status,
    buildComplete: isOver,
    currentPhase: last.phaseType,
    startTime: build.phases[0]?.startTime ?? now,
    ...(isOver ? { endTime: now } : {}),
    ...(source === undefined ? {} : { sourceVersion: `arn:aws:s3:::${source.location.bucket}/${source.location.key}` }),
    ...(action.origin.headSha === '' ? {} : { resolvedSourceVersion: action.origin.headSha }),
    timeoutInMinutes: build.minutes,
    environment: { type: 'LINUX_CONTAINER', image: buildImage },
    logs: { location: relative(build.home, logPath(build.home, action.execution, action.actionExecution)) },
    artifacts: uploaded
      ? action.outputs.map(({ name, location: { bucket, key } }) => ({
          artifactIdentifier: name,
          location: `arn:aws:s3:::${bucket}/${key}`,
        }))
      : [],
    reports: build.reports,
    phases: recordedPhases(
      build.phases.map((phase) => ({
        ...phase,
        contexts: phase.contexts.map((context) => ({ ...context, message: mask(context.message) })),
      })),
      last,
    ),
    exportedEnvironmentVariables: build.exported.map(([name, value]) => ({ name, value: mask(value) })),
  };
}

/** What fails in a phase is told by the first phase that failed (CP-B-9). */
export function reportBuild(record: BuildRecord, secrets: readonly string[]): EndReport {
  const externalId = record.id;
  const phases = record.phases.filter((phase) => phase.phaseStatus !== undefined);
  if (record.buildStatus === 'SUCCEEDED') {
    const outputVariables = Object.fromEntries(
      record.exportedEnvironmentVariables.map(({ name, value }) => [name, value]),
    );
    const repeated = phases
      .filter((phase) => phase.attempts > 1)
      .map((phase) => `${phase.phaseType} passed on attempt ${phase.attempts}`);
    return { kind: 'succeeded', outputVariables, externalId, summary: repeated.join(', ') || 'Build succeeded' };
  }
  const first = phases.find((phase) => phase.phaseStatus !== 'SUCCEEDED');
  const [context] = first?.contexts ?? [];
  const said = context?.statusCode === 'YAML_FILE_ERROR' ? `YAML_FILE_ERROR: ${context.message}` : context?.message;
  const reason = first === undefined ? '' : ` ${first.phaseType}: ${said ?? ''}`;
  return {
    ...failed('JobFailed', maskText(`Build terminated with state: ${record.buildStatus}.${reason}`, secrets)),
    externalId,
  };
}
