import type { ActionType } from './action-types.ts';

const source = {
  category: 'Source',
  owner: 'AWS',
  inputs: [0, 0],
  outputs: [1, 1],
  timeoutMinutes: 60,
} as const satisfies Partial<ActionType>;

/** CP 5.1. */
export const sourceTypes: readonly ActionType[] = [
  {
    ...source,
    provider: 'CodeStarSourceConnection',
    required: ['ConnectionArn', 'FullRepositoryId', 'BranchName'],
    optional: ['OutputArtifactFormat', 'DetectChanges'],
    tier: 'native',
  },
  {
    ...source,
    owner: 'ThirdParty',
    provider: 'GitHub',
    required: ['Owner', 'Repo', 'Branch', 'OAuthToken'],
    optional: ['PollForSourceChanges'],
    tier: 'delegated',
  },
  {
    ...source,
    provider: 'S3',
    required: ['S3Bucket', 'S3ObjectKey'],
    optional: ['AllowOverrideForS3ObjectKey', 'PollForSourceChanges'],
    tier: 'native',
  },
  { ...source, provider: 'ECR', required: ['RepositoryName'], optional: ['ImageTag'], tier: 'delegated' },
  {
    ...source,
    provider: 'CodeCommit',
    required: ['RepositoryName', 'BranchName'],
    optional: ['PollForSourceChanges', 'OutputArtifactFormat'],
    tier: 'delegated',
  },
];
