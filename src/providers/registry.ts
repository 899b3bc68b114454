import type { Isolation } from '../buildspec/isolation.ts';
import type { ActionTypeId } from '../pipeline/definition.ts';
import type { ArtifactStore } from './artifact-store.ts';
import { createBackground } from './background.ts';
import type { BucketOf } from './bucket-names.ts';
import { codePipeline, type CallPipeline } from './code-pipeline.ts';
import { codeStarSourceConnection, type FetchAccess } from './code-star-source-connection.ts';
import { codeBuild } from './code-build.ts';
import type { ProjectLookup } from './build-project.ts';
import type { BuildNetwork, TimeLimits } from './command-deps.ts';
import { commands } from './commands.ts';
import { manualApproval } from './manual-approval.ts';
import type { AnyProvider } from './provider.ts';
import { s3Deploy } from './s3-deploy.ts';
import { s3Source } from './s3-source.ts';
import type { SecretSource } from './secret-values.ts';

export interface ProviderDeps {
  readonly home: string;
  readonly isolation: Isolation;
  readonly fetchAccess: FetchAccess;
  readonly artifacts: ArtifactStore;
  /** Commands and builds that run at once; the others wait for a place. */
  readonly maxConcurrentActions: number;
  readonly times?: TimeLimits;
  /** For code of the repository itself; `host` when absent. Forks have none. */
  readonly network?: BuildNetwork;
  /** What a CodeBuild ProjectName means; without it every project is buildspec.yml and 60 minutes. */
  readonly project?: ProjectLookup;
  /** Where the buckets that S3 actions name lie; all in one room when absent. */
  readonly bucketOf?: BucketOf;
  /** Secrets and parameters that are not secrets of the server, for example AWS's. */
  readonly secretSource?: SecretSource;
  /** How a pipeline starts another one; without it none can. */
  readonly callPipeline?: CallPipeline;
  /** Where people read the repositories, without a slash at the end: `https://github.com`. */
  readonly webUrl?: string | undefined;
  /** Proxy and certificate variables (HTTPS_PROXY, NO_PROXY, GIT_SSL_CAINFO…) for our own git. */
  readonly gitEnvironment?: Readonly<Record<string, string>>;
}

/** Providers by `category/owner/provider/version`. A new one is one file and one line here. */
export function createProviders(deps: ProviderDeps): ReadonlyMap<string, AnyProvider> {
  const { home, isolation, artifacts, fetchAccess } = deps;
  const background = createBackground(home, deps.maxConcurrentActions);
  const gitEnvironment = deps.gitEnvironment ?? {};
  const machine = {
    home,
    isolation,
    network: deps.network ?? 'host',
    artifacts,
    background,
    ...(deps.secretSource === undefined ? {} : { secretSource: deps.secretSource }),
    ...(deps.times === undefined ? {} : { times: deps.times }),
  };
  const builds = { ...machine, project: deps.project ?? (() => Promise.resolve(null)), webUrl: deps.webUrl };
  const providers: readonly AnyProvider[] = [
    codeStarSourceConnection({ home, path: isolation.path, gitEnvironment, fetchAccess, artifacts, background }),
    s3Source(artifacts, background, deps.bucketOf),
    commands(machine),
    codeBuild(builds, 'Build'),
    codeBuild(builds, 'Test'),
    s3Deploy({ home, artifacts, background, ...(deps.bucketOf ? { bucketOf: deps.bucketOf } : {}) }),
    manualApproval(),
    codePipeline(deps.callPipeline),
  ];
  return new Map(providers.map((provider) => [providerKey(provider.type), provider]));
}

export function providerKey(type: ActionTypeId): string {
  return `${type.category}/${type.owner}/${type.provider}/${type.version}`;
}

export function findProvider(providers: ReadonlyMap<string, AnyProvider>, type: ActionTypeId): AnyProvider | undefined {
  return providers.get(providerKey(type));
}
