/** What is remembered of a build, in the words of CodeBuild's `Build` (CP 9.4). Times are ISO 8601. */
export interface BuildRecord {
  readonly id: string;
  readonly projectName: string;
  readonly initiator: string;
  readonly buildStatus: BuildStatus;
  readonly startTime: string;
  readonly endTime: string;
  readonly resolvedSourceVersion: string;
  readonly timeoutInMinutes: number;
  readonly phases: readonly PhaseRecord[];
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
  | 'FINALIZING'
  | 'COMPLETED';

export interface PhaseRecord {
  readonly phaseType: PhaseType;
  readonly phaseStatus: BuildStatus;
  readonly startTime: string;
  readonly endTime: string;
  readonly contexts: readonly PhaseContext[];
  /** More than 1 when on-failure: RETRY ran it again. */
  readonly attempts: number;
}

export interface PhaseContext {
  readonly statusCode: 'COMMAND_EXECUTION_ERROR' | 'CLIENT_ERROR' | 'YAML_FILE_ERROR' | 'ACCESS_DENIED' | 'TIMED_OUT';
  readonly message: string;
}
