import { describe, expect, it } from 'vitest';
import { readDeclarationValue } from '../../src/pipeline/read-definition.ts';
import { declarationOf, type PipelineSpec } from './pipelines.ts';

const usual = { Source: ['App'], Build: ['Unit'], Deploy: ['Ship'] };
const rule = (provider: string, configuration: object, more: object = {}) => ({
  name: 'Check',
  ruleTypeId: { category: 'Rule', owner: 'AWS', provider, version: '1' },
  configuration,
  ...more,
});
const check = rule('VariableCheck', { Variable: 'a', Value: 'b', Operator: 'EQ' });
const condition = (result: string | undefined, ...rules: object[]) => ({
  conditions: [{ ...(result && { result }), rules }],
});
const trigger = (gitConfiguration: object) => ({ providerType: 'CodeStarSourceConnection', gitConfiguration });

type Row = [string, PipelineSpec, object, string, string, string];

/** [name, pipeline, overrides of the declaration, path, exception, message] */
const rows: Row[] = [
  [
    'CP-D-4 one stage',
    { stages: { Source: ['App'] } },
    {},
    'stages',
    'InvalidStructureException',
    'Pipeline has only 1 stage(s). There should be a minimum of 2 stages in a pipeline',
  ],
  [
    'CP-D-4 fifty-one stages',
    { stages: Object.fromEntries([['Source', ['App']], ...numbered(50).map((n) => [`S${n}`, ['A!']])]) },
    {},
    'stages',
    'InvalidStructureException',
    'Pipeline has 51 stages. There should be a maximum of 50 stages in a pipeline',
  ],
  [
    'CP-D-4 too many actions in a stage',
    { stages: { Source: ['App'], Gate: numbered(101).map((n) => `A${n}!`) } },
    {},
    'stages[1].actions',
    'InvalidStageDeclarationException',
    'Stage Gate has 101 actions. There should be a maximum of 100',
  ],
  [
    'CP-D-4 too many actions in a pipeline',
    {
      stages: Object.fromEntries([
        ['Source', ['App']],
        ...numbered(11).map((n) => [`S${n}`, numbered(91).map((m) => `A${m}!`)]),
      ]),
    },
    {},
    'stages',
    'InvalidStructureException',
    'Pipeline has 1002 actions. There should be a maximum of 1000 actions in a pipeline',
  ],
  [
    'CP-D-5 another action in the first stage',
    { stages: { Source: ['App', 'Gate!'], Build: ['Unit'] } },
    {},
    'stages[0].actions[1].actionTypeId.category',
    'InvalidStructureException',
    'Pipeline should start with a stage that only contains source actions',
  ],
  [
    'CP-D-5 only sources',
    {
      stages: { Source: ['App'], More: ['Lib'] },
      actions: { 'More/Lib': { ...source('Lib'), commands: [], inputArtifacts: [] } },
    },
    {},
    'stages',
    'InvalidStructureException',
    'Pipeline should contain at least one action that is not a source action',
  ],
  [
    'CP-D-6 a stage name twice',
    { stages: usual },
    { stages: [...(declarationOf({ stages: usual })['stages'] as object[]), gate('Build')] },
    'stages[3].name',
    'InvalidStructureException',
    "Stage name 'Build' is used more than once in the pipeline",
  ],
  [
    'CP-D-6 a stage name that no object can have',
    { stages: usual },
    { stages: [...(declarationOf({ stages: usual })['stages'] as object[]), gate('__proto__')] },
    'stages[3].name',
    'InvalidStructureException',
    "Stage name '__proto__' cannot be used",
  ],
  [
    'CP-D-6 an action name twice',
    { stages: { Source: ['App'], Build: ['Unit', 'Unit'] } },
    {},
    'stages[1].actions[1].name',
    'InvalidStageDeclarationException',
    "Action name 'Unit' is used more than once in stage 'Build'",
  ],
  [
    'CP-D-7 an output twice',
    { stages: usual, actions: { 'Build/Unit': { outputArtifacts: [{ name: 'App' }] } } },
    {},
    'stages[1].actions[0].outputArtifacts[0].name',
    'InvalidActionDeclarationException',
    "Output artifact 'App' of action 'Unit' is already the output of action 'App'",
  ],
  [
    'CP-D-8 an input of a later stage',
    {
      stages: usual,
      actions: {
        'Build/Unit': { inputArtifacts: [{ name: 'Late' }] },
        'Deploy/Ship': { outputArtifacts: [{ name: 'Late' }] },
      },
    },
    {},
    'stages[1].actions[0].inputArtifacts[0].name',
    'InvalidActionDeclarationException',
    "Input artifact 'Late' of action 'Unit' is made by action 'Ship', which does not run before it",
  ],
  [
    'CP-D-8 an input of the same group',
    {
      stages: { Source: ['App'], Build: ['Unit', 'Pack'] },
      actions: {
        'Build/Unit': { inputArtifacts: [{ name: 'Out' }] },
        'Build/Pack': { outputArtifacts: [{ name: 'Out' }] },
      },
    },
    {},
    'stages[1].actions[0].inputArtifacts[0].name',
    'InvalidActionDeclarationException',
    "Input artifact 'Out' of action 'Unit' is made by action 'Pack', which does not run before it",
  ],
  [
    'CP-D-8 an input of nobody',
    { stages: usual, actions: { 'Build/Unit': { inputArtifacts: [{ name: 'None' }] } } },
    {},
    'stages[1].actions[0].inputArtifacts[0].name',
    'InvalidActionDeclarationException',
    "Input artifact 'None' of action 'Unit' is not the output of any action",
  ],
  [
    'CP-D-10 too few inputs',
    { stages: usual, actions: { 'Build/Unit': { inputArtifacts: [] } } },
    {},
    'stages[1].actions[0].inputArtifacts',
    'InvalidActionDeclarationException',
    'Action Unit declares 0 input artifacts which is less than the minimum count (1)',
  ],
  [
    'CP-D-10 too many outputs',
    { stages: usual, actions: { 'Build/Unit': { outputArtifacts: [{ name: 'A' }, { name: 'B' }] } } },
    {},
    'stages[1].actions[0].outputArtifacts',
    'InvalidActionDeclarationException',
    'Action Unit declares 2 output artifacts which is more than the maximum count (1)',
  ],
  [
    'CP-D-11 a required key',
    { stages: usual, actions: { 'Source/App': { configuration: { FullRepositoryId: 'a/b', BranchName: 'main' } } } },
    {},
    'stages[0].actions[0].configuration',
    'InvalidActionDeclarationException',
    "Action configuration for action 'App' is missing required configuration 'ConnectionArn'",
  ],
  [
    'CP-D-11 an unknown key',
    { stages: usual, actions: { 'Build/Unit': { configuration: { Unknown: 'x' } } } },
    {},
    'stages[1].actions[0].configuration.Unknown',
    'InvalidActionDeclarationException',
    "Action configuration for action 'Unit' contains unknown configuration 'Unknown'",
  ],
  [
    'CP-D-12 an unknown action type',
    {
      stages: usual,
      actions: { 'Build/Unit': { actionTypeId: { category: 'Build', owner: 'AWS', provider: 'P', version: '1' } } },
    },
    {},
    'stages[1].actions[0].actionTypeId',
    'InvalidActionDeclarationException',
    "ActionType (Category: 'Build', Provider: 'P', Owner: 'AWS', Version: '1') in action 'Unit' is not available in region 'US_EAST_1'",
  ],
  [
    'CP-D-13 a namespace twice',
    { stages: usual, actions: { 'Build/Unit': { namespace: 'N' }, 'Deploy/Ship': { namespace: 'N' } } },
    {},
    'stages[2].actions[0].namespace',
    'InvalidActionDeclarationException',
    'Namespaces must be unique across the pipeline definition. The following occur more than once in the pipeline. StageName=[Deploy], ActionName=[Ship], Namespace=[N]',
  ],
  [
    'CP-D-13 a namespace named as an artifact',
    { stages: usual, actions: { 'Build/Unit': { namespace: 'App' } } },
    {},
    'stages[1].actions[0].namespace',
    'InvalidActionDeclarationException',
    "Namespace 'App' of action 'Unit' is also the name of an artifact",
  ],
  [
    'CP-V-2 a reserved namespace',
    { stages: usual, actions: { 'Build/Unit': { namespace: 'codepipeline' } } },
    {},
    'stages[1].actions[0].namespace',
    'InvalidActionDeclarationException',
    "Namespace 'codepipeline' of action 'Unit' is reserved",
  ],
  [
    'CP-D-14 CP-V-3 a namespace of the same group',
    {
      stages: { Source: ['App'], Build: ['Unit', 'Pack'] },
      actions: { 'Build/Unit': { namespace: 'U' }, 'Build/Pack': { configuration: { VpcId: '#{U.X}' } } },
    },
    {},
    'stages[1].actions[1].configuration.VpcId',
    'InvalidActionDeclarationException',
    'Valid format for a pipeline execution variable reference is a namespace and a key separated by a period (.). The following pipeline execution variables are referencing a namespace that does not exist.\nStageName=[Build], ActionName=[Pack], ActionConfigurationKey=[VpcId], VariableReferenceText=[#{U.X}]',
  ],
  [
    'CP-D-15 a pipeline variable in a source action',
    {
      stages: usual,
      variables: [{ name: 'B' }],
      actions: {
        'Source/App': { configuration: { ConnectionArn: 'a', FullRepositoryId: 'a/b', BranchName: '#{variables.B}' } },
      },
    },
    {},
    'stages[0].actions[0].configuration.BranchName',
    'InvalidActionDeclarationException',
    'Variables at the pipeline level cannot be used in source actions.\nStageName=[Source], ActionName=[App], ActionConfigurationKey=[BranchName], VariableReferenceText=[#{variables.B}]',
  ],
  [
    'CP-D-16 variables in V1',
    { stages: { Source: ['App'], Gate: ['Ok!'] }, variables: [{ name: 'B' }] },
    { pipelineType: 'V1' },
    'variables',
    'InvalidStructureException',
    'Pipeline variable can only be used with V2 pipelines',
  ],
  [
    'CP-D-16 a variable twice',
    { stages: usual, variables: [{ name: 'B' }, { name: 'B' }] },
    {},
    'variables[1].name',
    'InvalidStructureException',
    'Variable names must be unique. The following variable name is already in use: B',
  ],
  [
    'CP-D-17 a trigger for no source action',
    { stages: usual, triggers: [trigger({ sourceActionName: 'Nobody', push: [{ branches: { includes: ['a'] } }] })] },
    {},
    'triggers[0].gitConfiguration.sourceActionName',
    'InvalidStructureException',
    'Triggers for connection must reference a CodeStarSourceConnection action. Note that when you specify a trigger, you cant specify more than one trigger per source action.',
  ],
  [
    'CP-D-18 CP-D-32 tags and branches in one filter',
    {
      stages: usual,
      triggers: [
        trigger({ sourceActionName: 'App', push: [{ tags: { includes: ['v*'] }, branches: { includes: ['a'] } }] }),
      ],
    },
    {},
    'triggers[0].gitConfiguration.push[0]',
    'InvalidStructureException',
    'The trigger configuration for the source action is not valid. Make sure to choose valid filter combinations.',
  ],
  [
    'CP-D-18 a broken pattern',
    { stages: usual, triggers: [trigger({ sourceActionName: 'App', push: [{ branches: { includes: ['{a'] } }] })] },
    {},
    'triggers[0].gitConfiguration.push[0].branches.includes[0]',
    'InvalidActionDeclarationException',
    "The pattern '{a' is not valid: the brace { is never closed",
  ],
  [
    'CP-D-19 Commands without commands',
    { stages: usual, actions: { 'Build/Unit': { commands: [] } } },
    {},
    'stages[1].actions[0]',
    'InvalidActionDeclarationException',
    'Action Unit must have a non-empty commands field',
  ],
  [
    'CP-D-21 no ARN',
    {
      stages: { Source: ['App'], Gate: ['Ok!'] },
      actions: { 'Gate/Ok': { configuration: { NotificationArn: 'topic' } } },
    },
    {},
    'stages[1].actions[0].configuration.NotificationArn',
    'InvalidActionDeclarationException',
    "NotificationArn 'topic' of action 'Ok' is not a well-formed ARN",
  ],
  [
    'CP-D-21 no topic',
    {
      stages: { Source: ['App'], Gate: ['Ok!'] },
      actions: { 'Gate/Ok': { configuration: { NotificationArn: 'arn:aws:sqs:eu-west-1:111122223333:q' } } },
    },
    {},
    'stages[1].actions[0].configuration.NotificationArn',
    'InvalidActionDeclarationException',
    "NotificationArn 'arn:aws:sqs:eu-west-1:111122223333:q' of action 'Ok' is not of the sns service",
  ],
  [
    'CP-D-21 a topic of another region',
    {
      stages: { Source: ['App'], Gate: ['Ok!'] },
      actions: {
        'Source/App': { region: 'eu-west-1' },
        'Gate/Ok': { configuration: { NotificationArn: 'arn:aws:sns:us-east-1:111122223333:t' } },
      },
    },
    {},
    'stages[1].actions[0].configuration.NotificationArn',
    'InvalidActionDeclarationException',
    "NotificationArn 'arn:aws:sns:us-east-1:111122223333:t' of action 'Ok' is not in the region 'eu-west-1' of the pipeline",
  ],
  [
    'CP-D-6 two rules of one name',
    { stages: usual, conditions: { Build: { beforeEntry: condition('FAIL', check, check) } } },
    {},
    'stages[1].beforeEntry.conditions[0].rules[1].name',
    'InvalidStageDeclarationException',
    "Rule name 'Check' is used more than once in beforeEntry of stage 'Build'",
  ],
  [
    'CP-D-8 a rule reads what nobody made before',
    {
      stages: usual,
      conditions: { Build: { onSuccess: condition('FAIL', { ...check, inputArtifacts: [{ name: 'Ap' }] }) } },
    },
    {},
    'stages[1].onSuccess.conditions[0].rules[0].inputArtifacts[0].name',
    'InvalidStageDeclarationException',
    "Input artifact 'Ap' of rule 'Check' is not the output of an action that ran before",
  ],
  [
    'CP-D-18 one filter twice in a list',
    {
      stages: usual,
      triggers: [
        {
          providerType: 'CodeStarSourceConnection',
          gitConfiguration: {
            sourceActionName: 'App',
            push: [{ branches: { includes: ['main'] } }, { branches: { includes: ['main'] } }],
          },
        },
      ],
    },
    {},
    'triggers[0].gitConfiguration.push[1]',
    'InvalidStructureException',
    'The trigger configuration for the source action is not valid. Make sure to choose valid filter combinations.',
  ],
  [
    'CP-D-22 a mode of V2 in V1',
    { stages: { Source: ['App'], Gate: ['Ok!'] }, mode: 'QUEUED' },
    { pipelineType: 'V1' },
    'executionMode',
    'InvalidStructureException',
    'Execution mode QUEUED can only be used with V2 pipelines',
  ],
  [
    'CP-D-22 a provider of V2 in V1',
    { stages: { Source: ['App'], Build: ['Unit'] } },
    { pipelineType: 'V1' },
    'stages[1].actions[0].actionTypeId',
    'InvalidStructureException',
    'Action provider Commands can only be used with V2 pipelines',
  ],
  [
    'CP-C-4 an entry condition that rolls back',
    { stages: usual, conditions: { Build: { beforeEntry: condition('ROLLBACK', check) } } },
    {},
    'stages[1].beforeEntry.conditions[0].result',
    'InvalidStageDeclarationException',
    "Stage 'Build': beforeEntry cannot have the result ROLLBACK",
  ],
  [
    'CP-C-4 onFailure that skips',
    { stages: usual, conditions: { Build: { onFailure: { result: 'SKIP' } } } },
    {},
    'stages[1].onFailure.result',
    'InvalidStageDeclarationException',
    "Stage 'Build': onFailure cannot have the result SKIP",
  ],
  [
    'CP-C-5 SKIP with a window',
    {
      stages: usual,
      conditions: { Build: { beforeEntry: condition('SKIP', rule('DeploymentWindow', { Cron: '* * * * * ?' })) } },
    },
    {},
    'stages[1].beforeEntry.conditions[0].rules[0]',
    'InvalidStageDeclarationException',
    "Rule 'Check' of stage 'Build': SKIP works only with LambdaInvoke and VariableCheck",
  ],
  [
    'CP-C-4 an unknown rule provider',
    { stages: usual, conditions: { Build: { beforeEntry: condition('FAIL', rule('Oracle', {})) } } },
    {},
    'stages[1].beforeEntry.conditions[0].rules[0].ruleTypeId',
    'InvalidStageDeclarationException',
    "Rule 'Check' names the provider 'Oracle', which does not exist",
  ],
  [
    'CP-D-11 a window without a cron that can be read',
    {
      stages: usual,
      conditions: { Build: { beforeEntry: condition('FAIL', rule('DeploymentWindow', { Cron: 'daily' })) } },
    },
    {},
    'stages[1].beforeEntry.conditions[0].rules[0].configuration.Cron',
    'InvalidStageDeclarationException',
    "Rule 'Check': the cron 'daily' has 1 fields instead of 6 or 7",
  ],
  [
    'CP-X-50 a retry mode without a retry',
    {
      stages: usual,
      conditions: { Build: { onFailure: { result: 'ROLLBACK', retryConfiguration: { retryMode: 'ALL_ACTIONS' } } } },
    },
    {},
    'stages[1].onFailure.retryConfiguration',
    'InvalidStageDeclarationException',
    "Stage 'Build': retryConfiguration has no effect without the result RETRY",
  ],
  [
    'a region without a store',
    { stages: usual, actions: { 'Source/App': { region: 'us-east-1' }, 'Build/Unit': { region: 'eu-west-1' } } },
    {},
    'stages[1].actions[0].region',
    'InvalidActionDeclarationException',
    "Action 'Unit' runs in region 'eu-west-1', for which the pipeline has no artifact store",
  ],
  [
    'a timeout for what is no approval',
    { stages: usual, actions: { 'Build/Unit': { timeoutInMinutes: 5 } } },
    {},
    'stages[1].actions[0].timeoutInMinutes',
    'InvalidActionDeclarationException',
    'Action Unit: only a manual approval may set timeoutInMinutes',
  ],
];

describe('CP 1.4: structural rules, with the text of the service', () => {
  it.each(rows)('%s', (_name, spec, override, path, exception, message) => {
    const declared = { ...declarationOf(spec), ...override };
    const read = readDeclarationValue(declared, () => ({ line: 1, column: 1 }), 'p', { inline: true });
    expect(read.ok ? read.warnings : read.problems).toContainEqual(
      expect.objectContaining({ severity: 'error', path, exception, message }),
    );
  });

  it('every error names a mend', () => {
    for (const [, spec, override] of rows) {
      const declared = { ...declarationOf(spec), ...override };
      const read = readDeclarationValue(declared, () => ({ line: 1, column: 1 }), 'p', { inline: true });
      for (const problem of read.ok ? [] : read.problems) expect(problem.mend, problem.message).toMatch(/\.$/);
    }
  });

  it.each([
    ['CP-D-24 no branches', { triggers: [trigger({ sourceActionName: 'App', pullRequest: [{ events: ['OPEN'] }] })] }],
    [
      'CP-X-50 retry with conditions',
      { conditions: { Build: { onFailure: { result: 'RETRY', ...condition('RETRY', check) } } } },
    ],
    [
      'CP-V-6 an undeclared variable',
      {
        variables: [{ name: 'A', defaultValue: 'a' }],
        actions: { 'Build/Unit': { commands: ['echo #{variables.B}'] } },
      },
    ],
    ['CP-D-14 no reference', { actions: { 'Build/Unit': { configuration: { VpcId: '#{vpc}' } } } }],
    ['CP-D-9 a long value', { actions: { 'Build/Unit': { configuration: { VpcId: 'v'.repeat(1001) } } } }],
  ])('%s is a warning only', (name, more) => {
    const declared = declarationOf({ stages: usual, ...more });
    const read = readDeclarationValue(declared, () => ({ line: 1, column: 1 }), 'p', { inline: true });
    expect(read.ok && read.warnings.map((problem) => problem.rule)).toEqual([name.split(' ')[0]]);
  });

  it('CP-D-23: what only AWS knows is not looked up', () => {
    const actionTypeId = { category: 'Build', owner: 'AWS', provider: 'CodeBuild', version: '1' };
    const actions = { 'Build/Unit': { actionTypeId, configuration: { ProjectName: 'nobody-has-it' }, commands: [] } };
    const declared = declarationOf({ stages: usual, actions });
    expect(readDeclarationValue(declared, () => ({ line: 1, column: 1 }), 'p', { inline: true })).toMatchObject({
      ok: true,
      warnings: [],
    });
  });

  it('CP-V-2: without pipeline variables an action may be called `variables`', () => {
    const actions = { 'Build/Unit': { namespace: 'variables' }, 'Deploy/Ship': { commands: ['echo #{variables.X}'] } };
    const declared = declarationOf({ stages: usual, actions });
    expect(readDeclarationValue(declared, () => ({ line: 1, column: 1 }), 'p', { inline: true })).toMatchObject({
      ok: true,
      warnings: [],
    });
  });
});

function numbered(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function gate(name: string): object {
  const actionTypeId = { category: 'Approval', owner: 'AWS', provider: 'Manual', version: '1' };
  return { name, actions: [{ name: 'Ok', actionTypeId }] };
}

function source(name: string): object {
  const actionTypeId = { category: 'Source', owner: 'AWS', provider: 'CodeCommit', version: '1' };
  const configuration = { RepositoryName: 'r', BranchName: 'main' };
  return { actionTypeId, configuration, outputArtifacts: [{ name }] };
}
