/** A buildspec as read (CP 9.1), with defaults filled in. Built by `readBuildspec` only. */
export interface Buildspec {
  /** 0.1: every command has a shell of its own, so that nothing carries over. */
  readonly version: '0.1' | '0.2';
  readonly env: BuildEnvironment;
  /** Those that are written, in the order in which they run (CP-B-1). */
  readonly phases: readonly Phase[];
  readonly reports: readonly ReportGroup[];
  readonly artifacts?: ArtifactSet;
  /** By identifier, which is the name of the output artifact (CP-B-16). */
  readonly secondaryArtifacts: ReadonlyMap<string, ArtifactSet>;
  readonly cache?: CacheSettings;
  /** What is written but has no effect on this machine, in words for the log. */
  readonly notes: readonly string[];
}

export interface BuildEnvironment {
  readonly shell: '/bin/sh' | '/bin/bash';
  readonly variables: Readonly<Record<string, string>>;
  /** Variable to parameter name. */
  readonly parameterStore: Readonly<Record<string, string>>;
  /** Variable to `secret-id[:json-key[:version-stage[:version-id]]]`. */
  readonly secretsManager: Readonly<Record<string, string>>;
  readonly exportedVariables: readonly string[];
}

export const phaseNames = ['install', 'pre_build', 'build', 'post_build'] as const;
export type PhaseName = (typeof phaseNames)[number];

export interface Phase {
  readonly name: PhaseName;
  readonly onFailure: OnFailure;
  readonly commands: readonly string[];
  readonly finally: readonly string[];
}

/** `default`: what CP-B-2 says for the phase. `pattern` is an extended regular expression for the output. */
export type OnFailure =
  | { readonly kind: 'default' | 'abort' | 'continue' }
  | { readonly kind: 'retry'; readonly count: number; readonly pattern?: string };

export const reportFormats = [
  'CUCUMBERJSON',
  'JUNITXML',
  'NUNITXML',
  'NUNIT3XML',
  'TESTNGXML',
  'VISUALSTUDIOTRX',
  'CLOVERXML',
  'COBERTURAXML',
  'JACOCOXML',
  'SIMPLECOV',
] as const;
export type ReportFormat = (typeof reportFormats)[number];

export interface ReportGroup {
  readonly name: string;
  readonly files: readonly string[];
  readonly baseDirectory: string;
  readonly format: ReportFormat;
}

export interface ArtifactSet {
  readonly files: readonly string[];
  /** Relative to the source; empty for the source itself. */
  readonly baseDirectory: string;
  readonly discardPaths: boolean;
  readonly excludePaths: readonly string[];
  /** Links below the source stay links; otherwise they become what they lead to. */
  readonly enableSymlinks: boolean;
}

export interface CacheSettings {
  readonly paths: readonly string[];
  readonly key?: string;
  readonly fallbackKeys: readonly string[];
  /** `both` when nothing is written. */
  readonly action: 'restore' | 'save' | 'both';
}
