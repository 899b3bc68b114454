import { describe, expect, it } from 'vitest';
import { timeoutMinutes } from '../../src/pipeline/action-types.ts';
import { pipeline, declarationOf } from './pipelines.ts';
import { readDeclarationValue } from '../../src/pipeline/read-definition.ts';

/** What CodePipeline says of single action types: how long they may take, and what Invoke and Approval take. */

const hours = 60;
const days = 24 * hours;

describe('CP-1.6, CP-F-16: an action fails by itself after', () => {
  it.each<[category: string, provider: string, minutes: number]>([
    ['Deploy', 'CloudFormation', 3 * days],
    ['Deploy', 'CloudFormationStackSet', 3 * days],
    ['Deploy', 'CodeDeploy', 5 * days],
    ['Deploy', 'CodeDeployToECS', 5 * days],
    ['Deploy', 'S3', 90],
    ['Deploy', 'ECS', 1 * hours],
    ['Build', 'CodeBuild', 36 * hours],
    ['Test', 'CodeBuild', 8 * hours],
    ['Compute', 'Commands', 55],
    ['Invoke', 'Lambda', 24 * hours],
    ['Invoke', 'StepFunctions', 7 * days],
    ['Invoke', 'CodePipeline', 1 * hours],
    ['Invoke', 'InspectorScan', 1 * hours],
    ['Approval', 'Manual', 7 * days],
    ['Source', 'CodeStarSourceConnection', 1 * hours],
    ['Source', 'S3', 1 * hours],
  ])('%s %s: %i minutes', (category, provider, minutes) => {
    const { definition } = pipeline({ stages: { Source: ['App'], Gate: ['Ok!'] } });
    const action = definition.stages[1]!.actions[0]!;
    const actionTypeId = { ...action.actionTypeId, category, provider } as typeof action.actionTypeId;
    expect(timeoutMinutes({ ...action, actionTypeId })).toBe(minutes);
  });
});

interface Invoked {
  readonly configuration: Readonly<Record<string, string>>;
  readonly inputs: readonly [number, number];
  readonly outputs: readonly [number, number];
}

const invoked: readonly [category: string, provider: string, Invoked][] = [
  ['Invoke', 'Lambda', { configuration: { FunctionName: 'f', UserParameters: 'x' }, inputs: [0, 5], outputs: [0, 5] }],
  [
    'Invoke',
    'StepFunctions',
    {
      configuration: { StateMachineArn: 'a', ExecutionNamePrefix: 'p', Input: '{}', InputType: 'Literal' },
      inputs: [0, 1],
      outputs: [0, 1],
    },
  ],
  [
    'Invoke',
    'CodePipeline',
    {
      configuration: { PipelineName: 'p', SourceRevisions: '[]', Variables: '[{"name":"A","value":"b"}]' },
      inputs: [0, 0],
      outputs: [0, 0],
    },
  ],
  [
    'Invoke',
    'InspectorScan',
    {
      configuration: {
        InspectorRunMode: 'SourceCodeScan',
        ECRRepositoryName: 'r',
        ImageTag: 't',
        CriticalThreshold: '1',
        HighThreshold: '1',
        MediumThreshold: '1',
        LowThreshold: '1',
      },
      inputs: [0, 1],
      outputs: [1, 1],
    },
  ],
  ['Approval', 'Manual', { configuration: { CustomData: 'look' }, inputs: [0, 0], outputs: [0, 0] }],
];

describe('CP-5.4: Invoke and Approval', () => {
  it.each(invoked)('%s %s takes its keys and its numbers of artifacts', (category, provider, type) => {
    const fewest = [type.inputs[0], type.outputs[0]] as const;
    const most = [type.inputs[1], type.outputs[1]] as const;
    const configured = (configuration: object, inputs: number, outputs: number) =>
      told(category, provider, { configuration, inputs, outputs });
    const said = (inputs: number, outputs: number) => configured(type.configuration, inputs, outputs);
    expect(said(...fewest)).toEqual([]);
    expect(said(...most)).toEqual([]);
    expect(said(type.inputs[1] + 1, type.outputs[0])).toEqual(['CP-D-10 stages[1].actions[0].inputArtifacts']);
    expect(said(type.inputs[0], type.outputs[1] + 1)).toEqual(['CP-D-10 stages[1].actions[0].outputArtifacts']);
    if (type.outputs[0] > 0) {
      expect(said(type.inputs[0], 0)).toEqual(['CP-D-10 stages[1].actions[0].outputArtifacts']);
    }
    expect(configured({ ...type.configuration, Strange: 'x' }, ...fewest)).toEqual([
      'CP-D-11 stages[1].actions[0].configuration.Strange',
    ]);
    if (category === 'Invoke') {
      const [required = ''] = Object.keys(type.configuration);
      const rest = Object.fromEntries(Object.entries(type.configuration).filter(([key]) => key !== required));
      expect(configured(rest, ...fewest)).toEqual(['CP-D-11 stages[1].actions[0].configuration']);
    }
  });

  it('of an InputType that is none is warned', () => {
    const configuration = { StateMachineArn: 'a', InputType: 'Literl' };
    expect(told('Invoke', 'StepFunctions', { configuration, inputs: 0, outputs: 0 })).toEqual([
      'CP-5.4 stages[1].actions[0].configuration.InputType',
    ]);
  });
});

interface Asked {
  readonly configuration: object;
  readonly inputs: number;
  readonly outputs: number;
}

/** Rules and places, without those of types that only AWS or the operator can run. */
function told(category: string, provider: string, { configuration, inputs, outputs }: Asked): string[] {
  const names = ['App', 'B', 'C', 'D', 'E', 'F'];
  const declared = declarationOf({
    stages: { Source: names, Call: ['Ask'] },
    actions: {
      'Call/Ask': {
        actionTypeId: { category, owner: 'AWS', provider, version: '1' },
        configuration,
        commands: [],
        inputArtifacts: names.slice(0, inputs).map((name) => ({ name })),
        outputArtifacts: names.slice(0, outputs).map((name) => ({ name: `Out${name}` })),
      },
    },
  });
  const read = readDeclarationValue(declared, () => ({ line: 1, column: 1 }), 'p', { inline: true });
  return (read.ok ? read.warnings : read.problems)
    .filter(({ rule }) => rule !== 'CP-P-6')
    .map(({ rule, path }) => `${rule} ${path}`);
}
