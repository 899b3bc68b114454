import type { Isolation } from '../buildspec/isolation.ts';
import { startEgress, type Egress } from '../buildspec/egress.ts';
import { loadConfiguration } from '../config/load.ts';
import { secretsOf, type Secret } from '../config/secrets.ts';
import type { ServerConfig } from '../config/server-types.ts';
import { UserError } from '../errors.ts';
import { findExecution } from '../db/executions.ts';
import type { OpenDatabase } from '../db/open.ts';
import { createLogBook } from '../engine/embedded/log-book.ts';
import type { EffectRunner } from '../engine/embedded/run-effect.ts';
import type { GitHub } from '../github/github.ts';
import type { ActionDeclaration } from '../pipeline/definition.ts';
import { allotLocation, openArtifactStore } from '../providers/artifact-store.ts';
import { createAwsSecretReader, type AwsSecretReader } from '../providers/aws-secrets.ts';
import type { BucketOf } from '../providers/bucket-names.ts';
import { formatProblem, type Problem } from '../pipeline/problem.ts';
import type { ProjectLookup } from '../providers/build-project.ts';
import type { CallPipeline } from '../providers/code-pipeline.ts';
import type { AnyProvider } from '../providers/provider.ts';
import { grantedCalls } from './granted-calls.ts';
import { createProviders, findProvider } from '../providers/registry.ts';
import type { SecretSource } from '../providers/secret-values.ts';
import type { Logger } from 'pino';
import { awsSecretSource } from './aws-secrets.ts';
import { toldHere } from './told.ts';

/** What running actions on this machine is made from. */
export interface EffectsOptions {
  readonly home: string;
  readonly server: ServerConfig;
  readonly secrets: readonly Secret[];
  readonly database: OpenDatabase;
  readonly isolation: Isolation;
  /** Without it no repository can be fetched, and no `projects:` are known: a door to the engine alone. */
  readonly github?: Pick<GitHub, 'fetchAccess' | 'readFile'>;
  readonly now: () => Date;
  readonly log: Logger;
  readonly egress: Egress | undefined;
  readonly bucketOf?: BucketOf;
  readonly callPipeline?: CallPipeline;
  /** How secrets are read in AWS, for tests; the SDK otherwise. */
  /** In place of those in AWS. */
  readonly secretSource?: SecretSource;
  readonly awsSecrets?: AwsSecretReader;
  /** Where people read the repositories, without a slash at the end. */
  readonly webUrl?: string;
  /** The operator's proxy and certificates, for our own git. */
  readonly gitEnvironment?: Readonly<Record<string, string>>;
}

/** The proxy that builds reach the network through, when they are to have one and can be kept to it. */
export async function openEgress(
  { embedded }: ServerConfig,
  isolation: Isolation,
  log: Logger,
): Promise<Egress | undefined> {
  if (embedded.network !== 'proxy' || !isolation.contained) return undefined;
  return startEgress({
    allowHosts: embedded.allowHosts,
    refused: (host, why) => log.info({ host, why }, 'a build was refused an address'),
  });
}

export function networkInWords({ embedded }: ServerConfig, egress: Egress | undefined): string {
  if (egress !== undefined) return egress.describe();
  return embedded.network === 'none' ? 'Builds have no network.' : 'Builds have the network of this machine.';
}

export function effectRunner(options: EffectsOptions): EffectRunner {
  const { home, server, secrets, database, isolation, egress, now } = options;
  const aws = grantedCalls({ server, home, now });
  const providers = createProviders({
    home,
    isolation,
    fetchAccess: (repository) => options.github?.fetchAccess(repository) ?? Promise.reject(withoutGitHub()),
    artifacts: openArtifactStore(home),
    maxConcurrentActions: server.embedded.maxConcurrentActions,
    times: server.embedded.limits,
    network: egress ?? (server.embedded.network === 'none' ? 'none' : 'host'),
    project: projectsOf(options),
    gitEnvironment: options.gitEnvironment ?? {},
    secretSource:
      options.secretSource ?? awsSecretSource(server.awsSecrets, options.awsSecrets ?? createAwsSecretReader()),
    webUrl: options.webUrl,
    ...(options.bucketOf ? { bucketOf: options.bucketOf } : {}),
    ...(options.callPipeline ? { callPipeline: options.callPipeline } : {}),
  });
  return {
    db: database.db,
    log: options.log,
    now,
    told: (execution, action, failed) => toldHere(home, execution, action, failed),
    ...(aws ? { aws } : {}),
    findProvider: (declaration) => allowed(options, declaration, findProvider(providers, declaration.actionTypeId)),
    logs: createLogBook(home, server.embedded.limits.logBytes),
    allotArtifact: (definition, artifact, seed) =>
      allotLocation(definition.artifactStore?.location ?? 'penstock-artifacts', definition.name, artifact, seed),
    secretsFor: ({ owner, name }) =>
      Object.fromEntries(secretsOf(secrets, owner, name).map((secret) => [secret.name, secret.value])),
  };
}

/** `projects:` of the configuration that governs the execution. */
function projectsOf({ database, github }: EffectsOptions): ProjectLookup {
  return async (name, { repository, execution }) => {
    const record = await findExecution(database.db, execution);
    // A pipeline that was made through the CodePipeline API goes by no commit's configuration.
    if (!record || !github || record.context.configSha === '') return null;
    const loaded = await loadConfiguration(github, repository, record.context.configSha);
    if (loaded.kind === 'broken') throw unreadable(loaded.problems);
    return loaded.kind === 'ok' ? (loaded.config.projects[name] ?? null) : null;
  };
}

/** Only a local run begins with such a file; without its projects a build would be another one. */
function unreadable(problems: readonly Problem[]): UserError {
  const [first] = problems.map(formatProblem);
  return new UserError(`What its project means cannot be read. ${first ?? ''}`);
}

function withoutGitHub(): UserError {
  return new UserError('This server knows no GitHub App, so it cannot fetch a repository. Use an S3 source action.');
}

const runsCommands = new Set(['Commands', 'CodeBuild']);

/** Commands run on the last rung of the ladder only when the operator said so (docs/security.md). */
function allowed(
  { isolation, server }: EffectsOptions,
  { actionTypeId }: ActionDeclaration,
  provider: AnyProvider | undefined,
): AnyProvider | undefined {
  const may = isolation.contained || server.embedded.isolation === 'process';
  if (!provider || may || !runsCommands.has(actionTypeId.provider)) return provider;
  const message =
    'This server cannot keep commands apart from itself: neither bubblewrap nor unshare works here. ' +
    'Install bubblewrap, or set embedded.isolation: process in penstock.server.yml to run them all the same.';
  return {
    ...provider,
    start: () => Promise.resolve({ kind: 'failed', error: { code: 'ConfigurationError', message } }),
  };
}
