import type {
  ActionDeclaration as AwsAction,
  ArtifactStore,
  Condition as AwsCondition,
  PipelineDeclaration,
  RuleDeclaration as AwsRule,
  StageDeclaration as AwsStage,
} from '@aws-sdk/client-codepipeline';
import type {
  ActionDeclaration,
  ArtifactStoreDeclaration,
  Condition,
  PipelineDefinition,
  RuleDeclaration,
  StageDeclaration,
  TriggerDeclaration,
} from '../../pipeline/definition.ts';

/**
 * The declaration that CodePipeline holds, with our defaults filled in. It is not checked: AWS accepted it, and what we
 * do not know in it yet must not keep a pipeline from being shown.
 */
export function readDeclaration(declared: PipelineDeclaration): PipelineDefinition {
  const { artifactStore, artifactStores } = declared;
  return {
    name: declared.name ?? '',
    roleArn: declared.roleArn ?? '',
    version: declared.version ?? 1,
    pipelineType: declared.pipelineType ?? 'V1',
    executionMode: declared.executionMode ?? 'SUPERSEDED',
    ...(artifactStore ? { artifactStore: readStore(artifactStore) } : {}),
    ...(artifactStores ? { artifactStores: mapValues(artifactStores, readStore) } : {}),
    variables: (declared.variables ?? []).map(({ name = '', defaultValue, description }) => ({
      name,
      ...given({ defaultValue, description }),
    })),
    triggers: (declared.triggers ?? []).flatMap(({ gitConfiguration }): TriggerDeclaration[] =>
      gitConfiguration
        ? [
            {
              providerType: 'CodeStarSourceConnection',
              // Patterns, events and names are the same words on both sides; absent fields are undefined there.
              gitConfiguration: withoutUndefined(gitConfiguration) as TriggerDeclaration['gitConfiguration'],
            },
          ]
        : [],
    ),
    stages: (declared.stages ?? []).map(readStage),
  };
}

function readStage(stage: AwsStage): StageDeclaration {
  const { beforeEntry, onSuccess, onFailure } = stage;
  return {
    name: stage.name ?? '',
    blockers: (stage.blockers ?? []).map(({ name = '' }) => ({ name, type: 'Schedule' })),
    actions: (stage.actions ?? []).map(readAction),
    ...(beforeEntry ? { beforeEntry: { conditions: (beforeEntry.conditions ?? []).map(readCondition) } } : {}),
    ...(onSuccess ? { onSuccess: { conditions: (onSuccess.conditions ?? []).map(readCondition) } } : {}),
    ...(onFailure
      ? {
          onFailure: {
            ...given({ result: onFailure.result }),
            ...(onFailure.retryConfiguration
              ? { retryConfiguration: given({ retryMode: onFailure.retryConfiguration.retryMode }) }
              : {}),
            ...(onFailure.conditions ? { conditions: onFailure.conditions.map(readCondition) } : {}),
          },
        }
      : {}),
  };
}

function readAction(action: AwsAction): ActionDeclaration {
  const { category = 'Invoke', owner = 'AWS', provider = '', version = '1' } = action.actionTypeId ?? {};
  const { roleArn, region, namespace, timeoutInMinutes } = action;
  return {
    name: action.name ?? '',
    actionTypeId: { category, owner, provider, version },
    runOrder: action.runOrder ?? 1,
    configuration: action.configuration ?? {},
    commands: action.commands ?? [],
    environmentVariables: (action.environmentVariables ?? []).map(({ name = '', value = '', type = 'PLAINTEXT' }) => ({
      name,
      value,
      type,
    })),
    outputVariables: action.outputVariables ?? [],
    inputArtifacts: named(action.inputArtifacts),
    outputArtifacts: (action.outputArtifacts ?? []).map(({ name = '', files }) => ({ name, ...given({ files }) })),
    ...given({ roleArn, region, namespace, timeoutInMinutes }),
  };
}

function readCondition({ result, rules }: AwsCondition): Condition {
  return { ...given({ result }), rules: (rules ?? []).map(readRule) };
}

function readRule(rule: AwsRule): RuleDeclaration {
  const { roleArn, region, timeoutInMinutes } = rule;
  return {
    name: rule.name ?? '',
    ruleTypeId: {
      category: 'Rule',
      owner: 'AWS',
      provider: rule.ruleTypeId?.provider ?? '',
      version: rule.ruleTypeId?.version ?? '1',
    },
    configuration: rule.configuration ?? {},
    commands: rule.commands ?? [],
    inputArtifacts: named(rule.inputArtifacts),
    ...given({ roleArn, region, timeoutInMinutes }),
  };
}

function readStore({ location = '', encryptionKey }: ArtifactStore): ArtifactStoreDeclaration {
  const key = encryptionKey?.id === undefined ? {} : { encryptionKey: { id: encryptionKey.id, type: 'KMS' as const } };
  return { type: 'S3', location, ...key };
}

function named(artifacts: readonly { name?: string | undefined }[] | undefined): { name: string }[] {
  return (artifacts ?? []).map(({ name = '' }) => ({ name }));
}

function mapValues<A, B>(record: Record<string, A>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the fields that are undefined. */
export function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>;
}

function withoutUndefined(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}
