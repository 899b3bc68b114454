/** What the environment says, checked. Holds secrets: never log it whole; `describeSettings` says what may be shown. */
export interface Settings {
  readonly appId: number;
  /** PEM text. */
  readonly privateKey: string;
  /** Where the key was read from, when it was a file: a rotated key is read again from there. */
  readonly privateKeyPath?: string;
  /** One, or two while a secret is rotated: the current one first. */
  readonly webhookSecrets: readonly [string, ...string[]];
  /** Absent: the embedded database in `home`. */
  readonly databaseUrl?: string;
  /** Absolute. */
  readonly home: string;
  /** Absolute path of penstock.server.yml; it need not exist. */
  readonly configFile: string;
  /** The file was named by PENSTOCK_CONFIG, so it must exist. */
  readonly configFileNamed: boolean;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Where people and GitHub reach this server, without a slash at the end. Absent: `http://host:port`. */
  readonly publicUrl?: string;
  /** GitHub's API, without a slash at the end. The only host that GitHub calls and git fetches go to. */
  readonly githubUrl: string;
  readonly logLevel: LogLevel;
  readonly workerConcurrency: number;
}

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
