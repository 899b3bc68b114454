/**
 * What is remembered of a build, in the words of CodeBuild's `Build` (CP 9.4). Times are ISO 8601. It is written
 * whenever a phase is entered, and for the last time when everything is over.
 */
export interface BuildRecord {
  readonly id: string;
  readonly arn: string;
  readonly buildNumber: number;
  readonly projectName: string;
  readonly initiator: string;
  readonly buildStatus: BuildStatus | 'IN_PROGRESS';
  readonly buildComplete: boolean;
  readonly currentPhase: PhaseType | 'COMPLETED';
  readonly startTime: string;
  readonly endTime?: string;
  /** The object that held the primary source. */
  readonly sourceVersion?: string;
  readonly resolvedSourceVersion?: string;
  readonly timeoutInMinutes: number;
  readonly environment: { readonly type: 'LINUX_CONTAINER'; readonly image: string };
  /** File of the log, relative to the home. */
  readonly logs: { readonly location: string };
  readonly artifacts: readonly { readonly artifactIdentifier: string; readonly location: string }[];
  /** Names of the report groups. */
  readonly reports: readonly string[];
  readonly phases: readonly RecordedPhase[];
  readonly exportedEnvironmentVariables: readonly { readonly name: string; readonly value: string }[];
}

export type BuildStatus = 'SUCCEEDED' | 'FAILED' | 'FAULT' | 'TIMED_OUT' | 'STOPPED';

export type PhaseType =
  | 'SUBMITTED'
  | 'QUEUED'
  | 'PROVISIONING'
  | 'DOWNLOAD_SOURCE'
  | 'INSTALL'
  | 'PRE_BUILD'
  | 'BUILD'
  | 'POST_BUILD'
  | 'UPLOAD_ARTIFACTS'
  | 'FINALIZING';

export interface PhaseRecord {
  readonly phaseType: PhaseType;
  readonly phaseStatus: BuildStatus;
  readonly startTime: string;
  readonly endTime: string;
  readonly contexts: readonly PhaseContext[];
  /** More than 1 when on-failure: RETRY ran it again. */
  readonly attempts: number;
}

/** The last phase has a beginning only. */
export type RecordedPhase = (PhaseRecord & { readonly durationInSeconds: number }) | LastPhase;

interface LastPhase {
  readonly phaseType: PhaseType | 'COMPLETED';
  readonly phaseStatus?: never;
  readonly startTime: string;
}

export interface PhaseContext {
  readonly statusCode: 'COMMAND_EXECUTION_ERROR' | 'CLIENT_ERROR' | 'YAML_FILE_ERROR' | 'ACCESS_DENIED' | 'TIMED_OUT';
  readonly message: string;
}

export function recordedPhases(phases: readonly PhaseRecord[], last: LastPhase): readonly RecordedPhase[] {
  const timed = phases.map((phase) => ({
    ...phase,
    durationInSeconds: secondsBetween(phase.startTime, phase.endTime),
  }));
  return [...timed, last];
}

function secondsBetween(from: string, to: string): number {
  return Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000));
}
