export interface LightChange {
  readonly config?: string;
  /** Actions of the stage Test besides `unit`, by name: their commands. */
  readonly beside?: Readonly<Record<string, readonly string[]>>;
  /** A last stage, with this one action of AWS's. */
  readonly last?: { readonly category: string; readonly provider: string; readonly configuration?: object };
}

/** A small repository whose pipelines take next to no time: `sh` only. Files by path. */
export function lightRepository(owner: string, change: LightChange = {}): Record<string, string> {
  return {
    '.github/penstock.yml': change.config ?? lightConfig,
    'ci/web.pipeline.json': JSON.stringify({ pipeline: lightPipeline(owner, change) }, null, 2),
    'run.sh': 'echo "all good"\n',
    'site/index.html': '<p>hello</p>\n',
  };
}

export const lightConfig = `pipelines:
  web:
    definition: ci/web.pipeline.json
    on:
      push: [{ branches: { includes: [main] } }]
      pullRequest: [{ events: [OPEN, UPDATED], branches: { includes: [main] }, filePaths: { excludes: ["docs/**"] } }]
`;

function lightPipeline(owner: string, { beside = {}, last }: LightChange): unknown {
  const aws = { owner: 'AWS', version: '1' };
  return {
    name: 'web',
    roleArn: 'arn:aws:iam::111122223333:role/pipeline',
    artifactStore: { type: 'S3', location: 'artifacts' },
    pipelineType: 'V2',
    variables: [{ name: 'LEVEL', defaultValue: 'quick' }],
    stages: [
      {
        name: 'Source',
        actions: [
          {
            name: 'Checkout',
            actionTypeId: { category: 'Source', provider: 'CodeStarSourceConnection', ...aws },
            configuration: {
              ConnectionArn:
                'arn:aws:codeconnections:eu-west-1:111122223333:connection/6f1c8a52-7a0e-4a3e-9d0f-1c2b3a4d5e6f',
              FullRepositoryId: `${owner}/web`,
              BranchName: 'main',
            },
            outputArtifacts: [{ name: 'Src' }],
          },
        ],
      },
      {
        name: 'Test',
        actions: [
          {
            name: 'unit',
            actionTypeId: { category: 'Compute', provider: 'Commands', ...aws },
            commands: ['sh run.sh', 'echo level #{variables.LEVEL}'],
            inputArtifacts: [{ name: 'Src' }],
            outputArtifacts: [{ name: 'Site', files: ['site/**/*'] }],
          },
          ...Object.entries(beside).map(([name, commands]) => ({
            name,
            actionTypeId: { category: 'Compute', provider: 'Commands', ...aws },
            commands,
            inputArtifacts: [{ name: 'Src' }],
          })),
        ],
      },
      {
        name: 'Release',
        actions: [
          { name: 'Approve', actionTypeId: { category: 'Approval', provider: 'Manual', ...aws } },
          {
            name: 'Publish',
            runOrder: 2,
            actionTypeId: { category: 'Deploy', provider: 'S3', ...aws },
            configuration: { BucketName: `${owner}-site`, Extract: 'true' },
            inputArtifacts: [{ name: 'Site' }],
          },
        ],
      },
      ...(last ? [lastStage(last)] : []),
    ],
  };
}

function lastStage({ category, provider, configuration = {} }: NonNullable<LightChange['last']>): unknown {
  const actionTypeId = { category, provider, owner: 'AWS', version: '1' };
  return { name: 'Last', actions: [{ name: 'Out', actionTypeId, configuration, inputArtifacts: [{ name: 'Src' }] }] };
}
