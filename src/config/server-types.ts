import type { Problem } from '../pipeline/problem.ts';

/** `penstock.server.yml`: what the operator says. Nothing here can be widened by a repository (SEC-R8). */
export interface ServerConfig {
  /** `all`: every repository that the App is installed on. */
  readonly repositories: 'all' | readonly RepositoryPattern[];
  readonly bindings: readonly Binding[];
  readonly github: GitHubSettings;
  readonly aws: AwsSettings;
  readonly embedded: EmbeddedSettings;
  readonly secrets: readonly SecretRule[];
  readonly awsSecrets: readonly AwsSecretsRule[];
  readonly approvals: ApprovalLimits;
  readonly api: ApiSettings;
  readonly events: readonly EventSink[];
  readonly notices: readonly NoticeSink[];
}

/** How fast each server writes to GitHub, for each installation of the App: at once, then a second. */
export interface GitHubSettings {
  readonly writesAtOnce: number;
  readonly writesPerSecond: number;
}

/** The CodePipeline API beside the GitHub App. */
export interface ApiSettings {
  /** null: `penstock serve` does not serve it. 0: any free port. */
  readonly port: number | null;
  readonly host: string;
  /** Where callers reach it, without a slash at the end; null: `http://host:port`. */
  readonly url: string | null;
  /** As they stand in ARNs and events; nobody looks them up. */
  readonly account: string;
  readonly region: string;
  /** How long after a continuation the next job is offered (CP-J-9). */
  readonly continuationDelaySeconds: number;
}

/** Where state changes are told. */
export interface EventSink {
  readonly name: string;
  readonly target:
    | {
        readonly kind: 'https';
        readonly url: string;
        readonly key: { readonly fromEnv: string } | { readonly fromFile: string };
        /** Also an address that is not public, and `http:`. */
        readonly allowPrivate: boolean;
      }
    | { readonly kind: 'sqs'; readonly queueUrl: string; readonly region: string };
  readonly repositories: 'all' | readonly RepositoryPattern[];
}

/** Where it is told that an approval with a `NotificationArn` waits. */
export interface NoticeSink extends EventSink {
  /** ARNs of the topics in whose place this receiver is told; `all`: every one. */
  readonly topics: 'all' | readonly string[];
}

/** `owner/name`, or `owner/*` with name null. Compared without regard to case, as GitHub does. */
export interface RepositoryPattern {
  readonly owner: string;
  readonly name: string | null;
}

/** Which AWS pipeline a repository's `engine: aws` pipeline stands for, and with which role it is driven. */
export interface Binding {
  readonly repository: { readonly owner: string; readonly name: string };
  readonly pipeline: string;
  readonly aws: {
    readonly account: string;
    readonly region: string;
    readonly pipelineName: string;
    readonly roleArn: string;
    /** `generated`: Penstock makes one per repository and prints it in `penstock iam-policy`. */
    readonly externalId: string;
  };
}

export interface AwsSettings {
  /** What looks and starts take of one account, over all servers that share the database. */
  readonly callsPerSecond: number;
  readonly queues: readonly EventQueueSettings[];
}

/** A queue of SQS that EventBridge fills. */
export interface EventQueueSettings {
  readonly url: string;
  readonly region: string;
  /** Without one, Penstock's own identity receives. */
  readonly roleArn?: string;
  readonly externalId?: string;
}

export type IsolationChoice = 'auto' | 'bubblewrap' | 'unshare' | 'process';

export interface EmbeddedSettings {
  readonly isolation: IsolationChoice;
  readonly network: 'proxy' | 'none';
  /** Hosts that builds may reach through the proxy; empty: every public address. */
  readonly allowHosts: readonly string[];
  readonly maxConcurrentActions: number;
  readonly limits: BuildLimits;
  readonly aws: readonly AwsGrant[];
}

/** What one step of a build may take: a shell with all the processes that it starts. */
export interface BuildLimits {
  /** Of all processes together; null: three quarters of what the machine or the container has. */
  readonly memoryBytes: number | null;
  readonly processes: number;
  /** Files and directories below the directories that it may write to. */
  readonly files: number;
  readonly diskBytes: number;
  readonly fileBytes: number;
  readonly logBytes: number;
  /** Where neither the action nor the project says; null: 60 for a CodeBuild action, 55 for a Commands action. */
  readonly defaultMinutes: number | null;
  readonly maximumMinutes: number;
}

/** What rules and Lambda actions of these repositories' embedded pipelines may ask of AWS, and with which role. */
export interface AwsGrant {
  readonly repositories: readonly { readonly owner: string; readonly name: string }[];
  readonly region: string;
  readonly roleArn: string;
  /** `generated`: one per repository, as for bindings. */
  readonly externalId: string;
  /** Names; `*` stands for any run of characters. */
  readonly alarms: readonly string[];
  readonly functions: readonly string[];
  /** Where functions reach the CodePipeline API of this server; there when `functions` are. */
  readonly answersAt?: string;
}

/** A secret that pipelines of these repositories may ask for by name. Values are read by `readSecrets`. */
export interface SecretRule {
  readonly name: string;
  readonly source: { readonly fromEnv: string } | { readonly fromFile: string };
  readonly repositories: readonly RepositoryPattern[];
}

/** What builds of these repositories may read in AWS: exact names, or beginnings that end in `*`. */
export interface AwsSecretsRule {
  readonly repositories: readonly RepositoryPattern[];
  readonly region: string;
  /** Of Parameter Store. */
  readonly parameters: readonly string[];
  /** Of Secrets Manager. */
  readonly secrets: readonly string[];
}

/** What a repository's gates may loosen at most; everything is forbidden unless the operator allows it. */
export interface ApprovalLimits {
  readonly allowAuthor: boolean;
  readonly allowLastPusher: boolean;
  readonly allowCommitters: boolean;
}

export type ServerConfigRead =
  { readonly ok: true; readonly config: ServerConfig } | { readonly ok: false; readonly problems: readonly Problem[] };
