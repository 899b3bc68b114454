import type { ActionType } from './action-types.ts';

const deploy = {
  category: 'Deploy',
  owner: 'AWS',
  inputs: [1, 1],
  outputs: [0, 0],
  tier: 'delegated',
  timeoutMinutes: 60,
} as const satisfies Partial<ActionType>;

const days = 24 * 60;

const images = [1, 2, 3, 4].flatMap((n) => [`Image${n}ArtifactName`, `Image${n}ContainerName`]);

/** CP 5.3. */
export const deployTypes: readonly ActionType[] = [
  {
    ...deploy,
    provider: 'S3',
    required: ['BucketName', 'Extract'],
    optional: ['ObjectKey', 'KMSEncryptionKeyARN', 'CannedACL', 'CacheControl'],
    tier: 'native',
    timeoutMinutes: 90,
  },
  {
    ...deploy,
    provider: 'CodeDeploy',
    required: ['ApplicationName', 'DeploymentGroupName'],
    optional: [],
    timeoutMinutes: 5 * days,
  },
  {
    ...deploy,
    provider: 'ECS',
    required: ['ClusterName', 'ServiceName'],
    optional: ['FileName', 'DeploymentTimeout'],
  },
  {
    ...deploy,
    provider: 'CodeDeployToECS',
    inputs: [1, 5],
    required: ['ApplicationName', 'DeploymentGroupName', 'TaskDefinitionTemplateArtifact', 'AppSpecTemplateArtifact'],
    optional: ['TaskDefinitionTemplatePath', 'AppSpecTemplatePath', ...images],
    timeoutMinutes: 5 * days,
  },
  {
    ...deploy,
    provider: 'CloudFormation',
    inputs: [0, 10],
    outputs: [0, 1],
    required: ['ActionMode', 'StackName'],
    optional: [
      'ChangeSetName',
      'TemplatePath',
      'RoleArn',
      'Capabilities',
      'TemplateConfiguration',
      'ParameterOverrides',
      'OutputFileName',
    ],
    timeoutMinutes: 3 * days,
  },
  {
    ...deploy,
    provider: 'CloudFormationStackSet',
    inputs: [1, 3],
    required: ['StackSetName', 'TemplatePath'],
    optional: [],
    open: true,
    timeoutMinutes: 3 * days,
  },
  {
    ...deploy,
    provider: 'CloudFormationStackInstances',
    inputs: [0, 3],
    required: ['StackSetName', 'Regions'],
    optional: [],
    open: true,
    timeoutMinutes: 3 * days,
  },
  {
    ...deploy,
    provider: 'Lambda',
    required: ['FunctionName'],
    optional: ['FunctionAlias', 'PublishedTargetVersion', 'DeployStrategy', 'Alarms'],
    v2Only: true,
  },
  {
    ...deploy,
    provider: 'EC2',
    required: ['InstanceTagKey', 'InstanceType'],
    optional: [
      'InstanceTagValue',
      'TargetDirectory',
      'PreScript',
      'PostScript',
      'DeploySpec',
      'MaxBatch',
      'MaxError',
      'TargetGroupNameList',
    ],
    v2Only: true,
  },
  { ...deploy, provider: 'EKS', required: [], optional: [], open: true },
  {
    ...deploy,
    provider: 'ElasticBeanstalk',
    required: ['ApplicationName', 'EnvironmentName'],
    optional: [],
    open: true,
  },
  {
    ...deploy,
    provider: 'AppConfig',
    required: ['Application', 'Environment', 'ConfigurationProfile', 'InputArtifactConfigurationPath'],
    optional: ['DeploymentStrategy'],
    open: true,
  },
  { ...deploy, provider: 'ServiceCatalog', required: [], optional: [], open: true },
  { ...deploy, provider: 'OpsWorks', required: [], optional: [], open: true },
  {
    ...deploy,
    owner: 'ThirdParty',
    provider: 'AlexaSkillsKit',
    inputs: [1, 2],
    required: [],
    optional: [],
    open: true,
  },
];
