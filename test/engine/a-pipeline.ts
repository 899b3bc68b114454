import type {
  ActionDeclaration,
  Condition,
  ConditionResult,
  PipelineDefinition,
  RuleDeclaration,
  StageDeclaration,
} from '../../src/pipeline/definition.ts';

type ActionSketch = Partial<ActionDeclaration> & { readonly provider?: string };

type RuleSketch = Partial<RuleDeclaration> & { readonly provider: string };

/** A condition in a few words: `aCondition('FAIL', { Fresh: { provider: 'VariableCheck', configuration: {…} } })`. */
export function aCondition(result: ConditionResult, rules: Readonly<Record<string, RuleSketch>>): Condition {
  return {
    result,
    rules: Object.entries(rules).map(([name, { provider, ...rest }]) => ({
      name,
      ruleTypeId: { category: 'Rule', owner: 'AWS', provider, version: '1' },
      configuration: {},
      commands: [],
      inputArtifacts: [],
      ...rest,
    })),
  };
}

/** The definition with conditions or anything else of one stage replaced. */
export function withStage(
  definition: PipelineDefinition,
  name: string,
  change: Partial<StageDeclaration>,
): PipelineDefinition {
  const stages = definition.stages.map((stage) => (stage.name === name ? { ...stage, ...change } : stage));
  return { ...definition, stages };
}

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
