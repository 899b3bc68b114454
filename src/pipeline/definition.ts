/**
 * A pipeline's declaration in CodePipeline's own words, with every default filled in (CP-D-1).
 * Built by `readDefinition` (src/pipeline/read-definition.ts) only; nothing downstream sees an optional that has a default.
 */

export type ExecutionMode = 'SUPERSEDED' | 'QUEUED' | 'PARALLEL';
export type ActionCategory = 'Source' | 'Build' | 'Deploy' | 'Test' | 'Invoke' | 'Approval' | 'Compute';
export type ActionOwner = 'AWS' | 'ThirdParty' | 'Custom';

export interface ActionTypeId {
  readonly category: ActionCategory;
  readonly owner: ActionOwner;
  readonly provider: string;
  readonly version: string;
}

export interface ActionDeclaration {
  readonly name: string;
  readonly actionTypeId: ActionTypeId;
  readonly runOrder: number;
  readonly configuration: Readonly<Record<string, string>>;
  readonly commands: readonly string[];
  readonly environmentVariables: readonly EnvironmentVariable[];
  readonly outputVariables: readonly string[];
  readonly inputArtifacts: readonly { readonly name: string }[];
  readonly outputArtifacts: readonly OutputArtifact[];
  readonly roleArn?: string;
  readonly region?: string;
  readonly namespace?: string;
  readonly timeoutInMinutes?: number;
}

export interface EnvironmentVariable {
  readonly name: string;
  readonly value: string;
  readonly type: 'PLAINTEXT' | 'SECRETS_MANAGER';
}

export interface OutputArtifact {
  readonly name: string;
  readonly files?: readonly string[];
}

export type ConditionResult = 'ROLLBACK' | 'FAIL' | 'RETRY' | 'SKIP';
export type RetryMode = 'FAILED_ACTIONS' | 'ALL_ACTIONS';

export interface RuleDeclaration {
  readonly name: string;
  readonly ruleTypeId: {
    readonly category: 'Rule';
    readonly owner: 'AWS';
    readonly provider: string;
    readonly version: string;
  };
  readonly configuration: Readonly<Record<string, string>>;
  readonly commands: readonly string[];
  readonly inputArtifacts: readonly { readonly name: string }[];
  readonly roleArn?: string;
  readonly region?: string;
  readonly timeoutInMinutes?: number;
}

export interface Condition {
  readonly result?: ConditionResult;
  readonly rules: readonly RuleDeclaration[];
}

export interface OnFailure {
  readonly result?: ConditionResult;
  readonly retryConfiguration?: { readonly retryMode?: RetryMode };
  readonly conditions?: readonly Condition[];
}

export interface StageDeclaration {
  readonly name: string;
  readonly blockers: readonly { readonly name: string; readonly type: 'Schedule' }[];
  readonly actions: readonly ActionDeclaration[];
  readonly beforeEntry?: { readonly conditions: readonly Condition[] };
  readonly onSuccess?: { readonly conditions: readonly Condition[] };
  readonly onFailure?: OnFailure;
}

export interface VariableDeclaration {
  readonly name: string;
  readonly defaultValue?: string;
  readonly description?: string;
}

/** Patterns in CodePipeline's glob dialect (src/pipeline/glob.ts). Exclude beats include (CP-D-31). */
export interface Patterns {
  readonly includes?: readonly string[];
  readonly excludes?: readonly string[];
}

export interface PushFilter {
  readonly tags?: Patterns;
  readonly branches?: Patterns;
  readonly filePaths?: Patterns;
}

export type PullRequestEventName = 'OPEN' | 'UPDATED' | 'CLOSED';

export interface PullRequestFilter {
  readonly events?: readonly PullRequestEventName[];
  readonly branches?: Patterns;
  readonly filePaths?: Patterns;
}

/** The filters of one trigger: OR between the entries, AND between the fields of one entry (CP-D-30). */
export interface TriggerFilters {
  readonly push?: readonly PushFilter[];
  readonly pullRequest?: readonly PullRequestFilter[];
}

export interface TriggerDeclaration {
  readonly providerType: 'CodeStarSourceConnection';
  readonly gitConfiguration: TriggerFilters & { readonly sourceActionName: string };
}

export interface ArtifactStoreDeclaration {
  readonly type: 'S3';
  readonly location: string;
  readonly encryptionKey?: { readonly id: string; readonly type: 'KMS' };
}

export interface PipelineDefinition {
  readonly name: string;
  readonly roleArn: string;
  readonly version: number;
  readonly pipelineType: 'V1' | 'V2';
  readonly executionMode: ExecutionMode;
  readonly artifactStore?: ArtifactStoreDeclaration;
  readonly artifactStores?: Readonly<Record<string, ArtifactStoreDeclaration>>;
  readonly variables: readonly VariableDeclaration[];
  readonly triggers: readonly TriggerDeclaration[];
  readonly stages: readonly StageDeclaration[];
}
