import { randomUUID } from 'node:crypto';
import type { PipelineDeclaration } from '@aws-sdk/client-codepipeline';

type Stages = Readonly<Record<string, Readonly<Record<string, Partial<Action>>>>>;
type Action = NonNullable<NonNullable<PipelineDeclaration['stages']>[number]['actions']>[number];

/** A declaration in a few words: the first stage is an S3 source, an action without a type is a CodeBuild build. */
export function declare(stages: Stages, rest: Partial<PipelineDeclaration> = {}): PipelineDeclaration {
  const source = {
    name: 'Fetch',
    actionTypeId: { category: 'Source', owner: 'AWS', provider: 'S3', version: '1' },
    configuration: { S3Bucket: 'sources', S3ObjectKey: 'app.zip', PollForSourceChanges: 'false' },
    outputArtifacts: [{ name: 'App' }],
  } as const;
  return {
    name: `p-${randomUUID().slice(0, 8)}`,
    roleArn: 'arn:aws:iam::111122223333:role/pipeline',
    artifactStore: { type: 'S3', location: 'artifacts' },
    pipelineType: 'V2',
    stages: [
      { name: 'Source', actions: [source] },
      ...Object.entries(stages).map(([name, actions]) => ({
        name,
        actions: Object.entries(actions).map(([action, sketch]) => ({ name: action, ...build, ...sketch })),
      })),
    ],
    ...rest,
  } as PipelineDeclaration;
}

const build = {
  actionTypeId: { category: 'Build', owner: 'AWS', provider: 'CodeBuild', version: '1' },
  configuration: { ProjectName: 'unit' },
  inputArtifacts: [{ name: 'App' }],
} as const;

export const approval: Partial<Action> = {
  actionTypeId: { category: 'Approval', owner: 'AWS', provider: 'Manual', version: '1' },
  configuration: {},
  inputArtifacts: [],
};
