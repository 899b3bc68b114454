import type { ActionDeclaration, PipelineDefinition, StageDeclaration } from '../../src/pipeline/definition.ts';

type ActionSketch = Partial<ActionDeclaration> & { readonly provider?: string };

/** A definition in a few words: `{ Source: { Checkout: 'CodeStarSourceConnection' }, Build: { Unit: 'Commands' } }`. */
export function aPipeline(
  stages: Readonly<Record<string, Readonly<Record<string, string | ActionSketch>>>>,
): PipelineDefinition {
  return {
    name: 'web',
    roleArn: 'arn:aws:iam::111122223333:role/pipeline',
    version: 1,
    pipelineType: 'V2',
    executionMode: 'SUPERSEDED',
    artifactStore: { type: 'S3', location: 'artifacts' },
    variables: [],
    triggers: [],
    stages: Object.entries(stages).map(([name, actions]) => aStage(name, actions)),
  };
}

function aStage(name: string, actions: Readonly<Record<string, string | ActionSketch>>): StageDeclaration {
  return {
    name,
    blockers: [],
    actions: Object.entries(actions).map(([action, sketch]) =>
      anAction(action, typeof sketch === 'string' ? { provider: sketch } : sketch),
    ),
  };
}

function anAction(name: string, { provider = 'Fast', ...rest }: ActionSketch): ActionDeclaration {
  const category = provider === 'Manual' ? 'Approval' : provider === 'CodeStarSourceConnection' ? 'Source' : 'Compute';
  return {
    name,
    actionTypeId: { category, owner: 'AWS', provider, version: '1' },
    runOrder: 1,
    configuration: {},
    commands: [],
    environmentVariables: [],
    outputVariables: [],
    inputArtifacts: [],
    outputArtifacts: [],
    ...rest,
  };
}
