import { z } from 'zod';
import type { Problem } from '../pipeline/problem.ts';
import { defaultBuildLimits, limitsOf } from './limits-schema.ts';
import { check } from './schema-problems.ts';
import { regionIn } from './aws-schema.ts';
import type { WrittenAwsSecrets, WrittenBinding, WrittenGrant, WrittenQueue } from './aws-schema.ts';
import { serverSchema, type WrittenSecret } from './server-schema.ts';
import type { WrittenApi, WrittenNotices, WrittenSink } from './api-schema.ts';
import type {
  ApiSettings,
  AwsGrant,
  AwsSecretsRule,
  Binding,
  EventQueueSettings,
  EventSink,
  NoticeSink,
  RepositoryPattern,
  SecretRule,
  ServerConfig,
  ServerConfigRead,
} from './server-types.ts';
import { readYaml } from './yaml-file.ts';
import type { Locate } from './yaml-file.ts';

/** Without a file: every repository that the App is installed on, embedded builds in the best isolation there is. */
export const defaultServerConfig: ServerConfig = {
  repositories: 'all',
  bindings: [],
  // GitHub's guidance is about 80 a minute; a burst is allowed, because a pipeline ends with many at once.
  github: { writesAtOnce: 20, writesPerSecond: 1 },
  aws: { callsPerSecond: 5, queues: [] },
  embedded: {
    isolation: 'auto',
    network: 'proxy',
    allowHosts: [],
    maxConcurrentActions: 4,
    limits: defaultBuildLimits,
    aws: [],
  },
  secrets: [],
  awsSecrets: [],
  approvals: { allowAuthor: false, allowLastPusher: false, allowCommitters: false },
  api: {
    port: null,
    host: '127.0.0.1',
    url: null,
    account: '000000000000',
    region: 'us-east-1',
    continuationDelaySeconds: 5,
  },
  events: [],
  notices: [],
};

/** Reads penstock.server.yml. Never throws; every problem has its line, column and mend. */
export function readServerConfig(text: string, file = 'penstock.server.yml'): ServerConfigRead {
  const yaml = readYaml(text, file);
  if (!yaml.ok) return yaml;
  const checked = check(serverSchema, { file, ...yaml, value: yaml.value ?? {} });
  if (!checked.ok) return checked;
  const {
    repositories,
    bindings = [],
    github,
    aws,
    embedded,
    secrets = {},
    awsSecrets = [],
    approvals,
    api,
    events = {},
    notices = {},
  } = checked.value;
  const problems = repeatedBindings(bindings, file, yaml.locate);
  if (problems.length > 0) return { ok: false, problems };
  const config: ServerConfig = {
    repositories: repositories?.map(patternOf) ?? 'all',
    bindings: bindings.map(bindingOf),
    github: { ...defaultServerConfig.github, ...written(github) },
    aws: {
      callsPerSecond: aws?.callsPerSecond ?? defaultServerConfig.aws.callsPerSecond,
      queues: aws?.queues?.map(queueOf) ?? [],
    },
    embedded: {
      ...defaultServerConfig.embedded,
      ...written({ ...embedded, aws: embedded?.aws?.map(grantOf), limits: limitsOf(embedded?.limits) }),
    },
    secrets: Object.entries(secrets).map(([name, secret]) => secretOf(name, secret)),
    awsSecrets: awsSecrets.map(awsSecretsOf),
    approvals: { ...defaultServerConfig.approvals, ...written(approvals) },
    api: apiOf(api),
    events: Object.entries(events).map(([name, sink]) => sinkOf(name, sink)),
    notices: noticesOf(notices),
  };
  return { ok: true, config };
}

export function serverConfigJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(serverSchema, { io: 'input' }), title: 'Penstock: what the operator says' };
}

/** What a repository may ask of AWS; nothing unless the operator says so (SEC-T-05). */
export function grantsFor(config: ServerConfig, owner: string, name: string): readonly AwsGrant[] {
  return config.embedded.aws.filter(({ repositories }) =>
    repositories.some((repository) => same(repository.owner, owner) && same(repository.name, name)),
  );
}

/** GitHub compares names without case, and so do we. */
export function covers(pattern: RepositoryPattern, owner: string, name: string): boolean {
  return same(pattern.owner, owner) && (pattern.name === null || same(pattern.name, name));
}

/** Whether the operator serves this repository. */
export function serves(config: ServerConfig, owner: string, name: string): boolean {
  return config.repositories === 'all' || config.repositories.some((pattern) => covers(pattern, owner, name));
}

/** Null: this repository may not drive an AWS pipeline under that name (SEC-T-05). */
export function bindingFor(config: ServerConfig, owner: string, name: string, pipeline: string): Binding | null {
  const bound = config.bindings.find(
    ({ repository, ...binding }) =>
      same(repository.owner, owner) && same(repository.name, name) && binding.pipeline === pipeline,
  );
  return bound ?? null;
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function patternOf(text: string): RepositoryPattern {
  const [owner = '', name = ''] = text.split('/');
  return { owner, name: name === '*' ? null : name };
}

function bindingOf({ repository, pipeline, aws }: WrittenBinding): Binding {
  return { repository: repositoryOf(repository), pipeline, aws: { ...aws, externalId: aws.externalId ?? 'generated' } };
}

function grantOf({ repositories, externalId, alarms, functions, answersAt, ...role }: WrittenGrant): AwsGrant {
  return {
    ...role,
    repositories: repositories.map(repositoryOf),
    externalId: externalId ?? 'generated',
    alarms: alarms ?? [],
    functions: functions ?? [],
    ...(answersAt === undefined ? {} : { answersAt: answersAt.replace(/\/+$/, '') }),
  };
}

function repositoryOf(text: string): Binding['repository'] {
  const [owner = '', name = ''] = text.split('/');
  return { owner, name };
}

function apiOf(given: WrittenApi | undefined): ApiSettings {
  const { url, ...rest } = { ...defaultServerConfig.api, ...written(given) };
  return { ...rest, url: url?.replace(/\/+$/, '') ?? null };
}

function sinkOf(name: string, { https, sqs, repositories }: WrittenSink): EventSink {
  return {
    name,
    repositories: repositories?.map(patternOf) ?? 'all',
    target: https
      ? { kind: 'https', url: https.url, key: sourceOf(https.key), allowPrivate: https.allowPrivate === true }
      : { kind: 'sqs', queueUrl: sqs?.queueUrl ?? '', region: sqs?.region ?? '' },
  };
}

function noticesOf(notices: WrittenNotices): NoticeSink[] {
  return Object.entries(notices).map(([name, { topics, ...sink }]) => ({
    ...sinkOf(name, sink),
    topics: topics ?? 'all',
  }));
}

/** The schema lets one of both be given. */
function sourceOf({ fromEnv, fromFile }: Pick<WrittenSecret, 'fromEnv' | 'fromFile'>): SecretRule['source'] {
  return fromEnv !== undefined ? { fromEnv } : { fromFile: fromFile ?? '' };
}

function queueOf({ url, region, roleArn, externalId }: WrittenQueue): EventQueueSettings {
  const place = { url, region: region ?? regionIn(url) ?? '' };
  return {
    ...place,
    ...(roleArn === undefined ? {} : { roleArn }),
    ...(externalId === undefined ? {} : { externalId }),
  };
}

function secretOf(name: string, secret: WrittenSecret): SecretRule {
  return { name, source: sourceOf(secret), repositories: secret.repositories.map(patternOf) };
}

function awsSecretsOf({ repositories, region, parameters = [], secrets = [] }: WrittenAwsSecrets): AwsSecretsRule {
  return { repositories: repositories.map(patternOf), region, parameters, secrets };
}

function repeatedBindings(bindings: readonly WrittenBinding[], file: string, locate: Locate): Problem[] {
  const seen = new Set<string>();
  return bindings.flatMap(({ repository, pipeline }, index): Problem[] => {
    const key = `${repository.toLowerCase()} ${pipeline}`;
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    const message = `${repository} has two bindings for the pipeline ${pipeline}.`;
    const position = locate(['bindings', index]);
    return [{ severity: 'error', file, ...position, path: `bindings[${index}]`, message, mend: 'Remove one of them.' }];
  });
}

type Written<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function written<T extends object>(value: T | undefined): Written<T> {
  return Object.fromEntries(Object.entries(value ?? {}).filter(([, entry]) => entry !== undefined)) as Written<T>;
}
