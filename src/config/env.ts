import { resolve } from 'node:path';
import { readPrivateKey, webhookSecretProblem } from './credentials.ts';
import { logLevels } from './settings.ts';
import type { LogLevel, Settings } from './settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export type EnvironmentRead =
  | { readonly ok: true; readonly settings: Settings }
  /** unconfigured: none of the App's three credentials is set; the person has not registered an App yet. */
  | { readonly ok: false; readonly problems: readonly string[]; readonly unconfigured: boolean };

/**
 * The only reader of the environment. Each problem names the variable, what is wrong and where to get a right value.
 * There is no default for a secret (SEC-E-01). An empty variable counts as one that is not set.
 */
export function readEnvironment(env: Environment): EnvironmentRead {
  const problems: string[] = [];
  const read: Read = { get: (name) => env[name]?.trim() || undefined, problem: (text) => problems.push(text) };
  const settings: Settings = {
    appId: appId(read),
    ...privateKey(read),
    webhookSecrets: webhookSecrets(read),
    ...databaseUrl(read),
    home: resolve(read.get('PENSTOCK_HOME') ?? '.penstock'),
    configFile: resolve(read.get('PENSTOCK_CONFIG') ?? 'penstock.server.yml'),
    configFileNamed: read.get('PENSTOCK_CONFIG') !== undefined,
    host: read.get('HOST') ?? '127.0.0.1',
    port: wholeNumber(read, 'PORT', { default: 3000, least: 0, most: 65_535 }),
    ...publicUrl(read),
    githubUrl: githubUrl(read),
    logLevel: logLevel(read),
    workerConcurrency: wholeNumber(read, 'WORKER_CONCURRENCY', { default: 8, least: 1, most: 64 }),
  };
  if (problems.length === 0) return { ok: true, settings };
  const credentials = ['APP_ID', 'PRIVATE_KEY', 'PRIVATE_KEY_PATH', 'WEBHOOK_SECRET'];
  return { ok: false, problems, unconfigured: credentials.every((name) => read.get(name) === undefined) };
}

/** What may be shown at start and by `penstock doctor`: no secret, and of the database only where it is. */
export function describeSettings(settings: Settings): readonly string[] {
  const database = settings.databaseUrl ? describeDatabase(settings.databaseUrl) : `embedded, in ${settings.home}`;
  return [
    `GitHub: ${settings.githubUrl}, App ${settings.appId}`,
    `Webhook secrets: ${settings.webhookSecrets.length}`,
    `Database: ${database}`,
    `Listening on: ${settings.host}:${settings.port}${settings.publicUrl ? `, reached as ${settings.publicUrl}` : ''}`,
  ];
}

interface Read {
  readonly get: (name: string) => string | undefined;
  readonly problem: (text: string) => void;
}

const appPage = "your App's page under GitHub Settings > Developer settings > GitHub Apps";

function appId(read: Read): number {
  const text = read.get('APP_ID');
  if (text === undefined) {
    read.problem(`APP_ID is not set. Set it to the number shown as "App ID" on ${appPage}.`);
  } else if (!/^[1-9]\d{0,14}$/.test(text)) {
    read.problem(`APP_ID is not a number. Set it to the number shown as "App ID" on ${appPage}.`);
  }
  return Number(text);
}

function privateKey(read: Read): Pick<Settings, 'privateKey' | 'privateKeyPath'> {
  const result = readPrivateKey(read.get('PRIVATE_KEY'), read.get('PRIVATE_KEY_PATH'));
  if (result.ok) return result.key;
  read.problem(result.problem);
  return { privateKey: '' };
}

function webhookSecrets(read: Read): readonly [string, ...string[]] {
  const current = read.get('WEBHOOK_SECRET');
  const old = read.get('WEBHOOK_SECRET_OLD');
  const problem = webhookSecretProblem('WEBHOOK_SECRET', current);
  if (problem) read.problem(problem);
  const oldProblem = old === undefined ? null : webhookSecretProblem('WEBHOOK_SECRET_OLD', old);
  if (oldProblem) read.problem(oldProblem);
  return [current ?? '', ...(old === undefined || old === current ? [] : [old])];
}

function databaseUrl(read: Read): Pick<Settings, 'databaseUrl'> {
  const text = read.get('DATABASE_URL');
  if (text === undefined) return {};
  const url = URL.parse(text);
  if (!url || !['postgres:', 'postgresql:'].includes(url.protocol)) {
    read.problem(
      'DATABASE_URL is not the address of a Postgres. Write postgres://user:password@host:5432/database, or leave it out for the embedded database.',
    );
  }
  return { databaseUrl: text };
}

function publicUrl(read: Read): Pick<Settings, 'publicUrl'> {
  const text = read.get('PUBLIC_URL');
  if (text === undefined) return {};
  const url = URL.parse(text);
  if (!isPlainHttp(url)) {
    read.problem(
      'PUBLIC_URL is not an address. Set it to where people reach this server, such as https://penstock.example.org.',
    );
  }
  return { publicUrl: text.replace(/\/+$/, '') };
}

function githubUrl(read: Read): string {
  const text = read.get('GITHUB_URL') ?? 'https://api.github.com';
  const url = URL.parse(text);
  const wanted = 'Leave it out for github.com, or set it to https://HOST/api/v3 for GitHub Enterprise Server';
  if (!isPlainHttp(url)) read.problem(`GITHUB_URL is not the address of a GitHub API. ${wanted}.`);
  else if (url?.protocol === 'http:' && !isLoopback(url.hostname)) {
    read.problem(
      `GITHUB_URL begins with http:, so tokens would travel in the clear. ${wanted}; http: is for 127.0.0.1 only.`,
    );
  } else if (url?.hostname === 'github.com' || url?.hostname === 'www.github.com') {
    read.problem(`GITHUB_URL is GitHub's website, not its API. ${wanted}.`);
  }
  return text.replace(/\/+$/, '');
}

function isPlainHttp(url: URL | null): boolean {
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) return false;
  return url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

function logLevel(read: Read): LogLevel {
  const text = read.get('LOG_LEVEL') ?? 'info';
  const level = logLevels.find((known) => known === text);
  if (!level) read.problem(`LOG_LEVEL cannot be "${text.slice(0, 40)}". Set it to one of ${logLevels.join(', ')}.`);
  return level ?? 'info';
}

interface Bounds {
  readonly default: number;
  readonly least: number;
  readonly most: number;
}

function wholeNumber(read: Read, name: string, bounds: Bounds): number {
  const text = read.get(name);
  if (text === undefined) return bounds.default;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= bounds.least && value <= bounds.most) return value;
  read.problem(
    `${name} cannot be "${text.slice(0, 40)}". Set it to a whole number from ${bounds.least} to ${bounds.most}, or leave it out for ${bounds.default}.`,
  );
  return bounds.default;
}

function describeDatabase(text: string): string {
  const url = new URL(text);
  return `Postgres at ${url.hostname}${url.port && `:${url.port}`}${url.pathname}`;
}
