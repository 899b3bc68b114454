import { describe, expect, it } from 'vitest';
import type { Problem } from '../../src/pipeline/problem.ts';
import { readDefinition } from '../../src/pipeline/read-definition.ts';

/** Mistakes in values that only show when an action runs, told when the declaration is read. */

const source = { ConnectionArn: 'arn', FullRepositoryId: 'a/b', BranchName: 'main' };
const build = { ProjectName: 'unit' };
const bucket = { BucketName: 'site', Extract: 'true' };

interface Edits {
  /** Of the source action. */
  readonly namespace?: string;
  readonly source?: object;
  readonly build?: object;
  readonly bucket?: object;
  readonly entry?: object;
  readonly more?: object;
}

function told(edits: Edits): string[] {
  return problemsOf(edits).map(({ severity, rule, path, message }) => `${severity} ${rule ?? ''} ${path}: ${message}`);
}

function problemsOf(edits: Edits): readonly Problem[] {
  const actionTypeId = (category: string, provider: string) => ({ category, owner: 'AWS', provider, version: '1' });
  const inputArtifacts = [{ name: 'Src' }];
  const stages = [
    {
      name: 'Source',
      actions: [
        {
          name: 'App',
          actionTypeId: actionTypeId('Source', 'CodeStarSourceConnection'),
          configuration: { ...source, ...edits.source },
          outputArtifacts: inputArtifacts,
          ...(edits.namespace === undefined ? {} : { namespace: edits.namespace }),
        },
      ],
    },
    {
      name: 'Build',
      ...(edits.entry && { beforeEntry: { conditions: [{ result: 'FAIL', rules: [edits.entry] }] } }),
      actions: [
        {
          name: 'Unit',
          actionTypeId: actionTypeId('Build', 'CodeBuild'),
          configuration: { ...build, ...edits.build },
          inputArtifacts,
        },
        {
          name: 'Ship',
          actionTypeId: actionTypeId('Deploy', 'S3'),
          configuration: { ...bucket, ...edits.bucket },
          inputArtifacts,
        },
        ...(edits.more ? [{ name: 'More', ...edits.more }] : []),
      ],
    },
  ];
  const roleArn = 'arn:aws:iam::111122223333:role/p';
  const artifactStore = { type: 'S3', location: 'my-bucket' };
  const read = readDefinition(JSON.stringify({ name: 'web', roleArn, artifactStore, stages }), 'p.json');
  return read.ok ? read.warnings : read.problems;
}

const check = (provider: string, configuration: object, version = '1') => ({
  name: 'R',
  ruleTypeId: { category: 'Rule', provider, version },
  configuration,
});
const approval = { category: 'Approval', owner: 'AWS', provider: 'Manual', version: '1' };
const compare = { Variable: 'a', Value: 'b', Operator: 'EQ' };
const rulePath = 'stages[1].beforeEntry.conditions[0].rules[0]';

describe('values of providers and rules', () => {
  it('the sound one has none', () => expect(told({ entry: check('VariableCheck', compare) })).toEqual([]));

  it.each<[string, Edits, string[]]>([
    [
      'CP-P-3: a format that is not there',
      { source: { OutputArtifactFormat: 'ZIP' } },
      [
        "error CP-5.1 stages[0].actions[0].configuration.OutputArtifactFormat: OutputArtifactFormat of action 'App' cannot be 'ZIP'",
      ],
    ],
    [
      'CP-F-12: a clone is no archive, except for builds',
      { source: { OutputArtifactFormat: 'CODEBUILD_CLONE_REF' } },
      [
        "warning CP-F-12 stages[1].actions[1].inputArtifacts[0].name: Artifact 'Src' is a reference to clone, which action 'Ship' cannot unpack",
      ],
    ],
    [
      'Extract is true or false',
      { bucket: { Extract: 'yes' } },
      ["error CP-5.3 stages[1].actions[1].configuration.Extract: Extract of action 'Ship' cannot be 'yes'"],
    ],
    [
      'the primary source is one of the inputs',
      { build: { PrimarySource: 'Other' } },
      [
        "warning CP-5.2 stages[1].actions[0].configuration.PrimarySource: PrimarySource 'Other' is no input artifact of action 'Unit', so the build will fail",
      ],
    ],
    [
      'variables of a build are a JSON list',
      { build: { EnvironmentVariables: '{"CI":"true"}' } },
      [
        "warning CP-5.2 stages[1].actions[0].configuration.EnvironmentVariables: EnvironmentVariables of action 'Unit' is not a JSON list of variables, so the build will fail",
      ],
    ],
    [
      'a kind of variable that is not there',
      { build: { EnvironmentVariables: '[{"name":"A","value":"1"},{"name":"CI","value":"1","type":"TEXT"}]' } },
      [
        "warning CP-5.2 stages[1].actions[0].configuration.EnvironmentVariables: EnvironmentVariables of action 'Unit' has the type 'TEXT', so the build will fail",
      ],
    ],
    [
      'a flag of a build that is none',
      { build: { BatchEnabled: 'no' } },
      ["warning CP-5.2 stages[1].actions[0].configuration.BatchEnabled: BatchEnabled of action 'Unit' cannot be 'no'"],
    ],
    [
      'a command of several lines',
      {
        more: {
          actionTypeId: { category: 'Compute', owner: 'AWS', provider: 'Commands', version: '1' },
          commands: ['make\n', 'cd app\nmake'],
          inputArtifacts: [{ name: 'Src' }],
        },
      },
      [
        "warning CP-5.2 stages[1].actions[2].commands[1]: Action 'More' has a command of several lines, which CodePipeline does not take",
      ],
    ],
    [
      'SEC-D-02: what others wrote, in a command; a commit is no words',
      {
        namespace: 'Source',
        more: {
          actionTypeId: { category: 'Compute', owner: 'AWS', provider: 'Commands', version: '1' },
          commands: ['echo #{Source.CommitId} on #{Source.BranchName}', 'echo "#{Source.CommitMessage}"'],
          inputArtifacts: [{ name: 'Src' }],
        },
      },
      [
        "warning CP-V-1 stages[1].actions[2].commands[0]: Action 'More' has #{Source.BranchName} in a command, and the shell obeys what anybody wrote there",
        "warning CP-V-1 stages[1].actions[2].commands[1]: Action 'More' has #{Source.CommitMessage} in a command, and the shell obeys what anybody wrote there",
      ],
    ],
    [
      'CP-A-7: a summary that is needed or not, in other words',
      { more: { actionTypeId: approval, configuration: { IsSummaryRequired: 'yes' } } },
      [
        "warning CP-A-7 stages[1].actions[2].configuration.IsSummaryRequired: IsSummaryRequired of action 'More' cannot be 'yes'",
      ],
    ],
    [
      'CP-A-7: in capital letters it counts',
      { more: { actionTypeId: approval, configuration: { IsSummaryRequired: 'TRUE' } } },
      [],
    ],
    ['a list with names is', { build: { EnvironmentVariables: '[{"name":"CI","value":"1"}]' } }, []],
    [
      'CP-V-2: the namespace codepipeline has one key',
      { bucket: { ObjectKey: '#{codepipeline.PipelineName}' } },
      [
        'warning CP-V-6 stages[1].actions[1].configuration.ObjectKey: #{codepipeline.PipelineName} names nothing: the namespace codepipeline has only PipelineExecutionId, so the action will fail',
      ],
    ],
    [
      'CP-D-12: a version that is not there',
      { more: { actionTypeId: { category: 'Approval', owner: 'AWS', provider: 'Manual', version: '2' } } },
      [
        "error CP-D-12 stages[1].actions[2].actionTypeId: ActionType (Category: 'Approval', Provider: 'Manual', Owner: 'AWS', Version: '2') in action 'More' is not available in region 'US_EAST_1'",
      ],
    ],
    [
      'CP-C-4: a version of a rule that is not there',
      { entry: check('VariableCheck', compare, '2') },
      [
        `error CP-C-4 ${rulePath}.ruleTypeId.version: Rule 'R' names version '2' of 'VariableCheck', which does not exist`,
      ],
    ],
    [
      'a key that the rule does not know',
      { entry: check('VariableCheck', { ...compare, Operater: 'NE' }) },
      [
        `warning CP-D-11 ${rulePath}.configuration.Operater: Rule configuration for rule 'R' contains unknown configuration 'Operater'`,
      ],
    ],
    [
      'CP-C-8: a pattern that cannot be judged',
      { entry: check('VariableCheck', { ...compare, Value: '(', Operator: 'MATCHES' }) },
      [
        `warning CP-C-8 ${rulePath}.configuration.Value: Rule 'R' cannot be judged by the embedded engine: in the pattern '(' a parenthesis ( is never closed`,
      ],
    ],
    [
      'CP-C-8: a pattern that no set of states can judge',
      { entry: check('VariableCheck', { ...compare, Value: '(?!a).*', Operator: 'MATCHES' }) },
      [
        `warning CP-C-8 ${rulePath}.configuration.Value: Rule 'R' cannot be judged by the embedded engine: in the pattern '(?!a).*' (?! is not supported`,
      ],
    ],
    [
      'a pattern that is known only when it runs',
      {
        entry: check('VariableCheck', {
          ...compare,
          Value: '(#{codepipeline.PipelineExecutionId}',
          Operator: 'MATCHES',
        }),
      },
      [],
    ],
    ['a window without a time zone', { entry: check('DeploymentWindow', { Cron: '0 0 9 ? * MON' }) }, []],
    [
      'a window in a time zone',
      { entry: check('DeploymentWindow', { Cron: '0 0 9 ? * MON', TimeZone: 'Europe/Berlin' }) },
      [],
    ],
    [
      'a window in a time zone that is not there, at no time',
      { entry: check('DeploymentWindow', { Cron: 'daily', TimeZone: 'Europe/Nowhere' }) },
      [
        `error CP-D-11 ${rulePath}.configuration.Cron: Rule 'R': the cron 'daily' has 1 fields instead of 6 or 7`,
        `error CP-D-11 ${rulePath}.configuration.TimeZone: Rule 'R': the time zone 'Europe/Nowhere' is not known`,
      ],
    ],
  ])('%s', (_name, edits, expected) => expect(told(edits)).toEqual(expected));

  it('where a provider stands under another category, the mend names it', () => {
    const actionTypeId = { category: 'Build', owner: 'AWS', provider: 'Manual', version: '1' };
    expect(problemsOf({ more: { actionTypeId } })).toMatchObject([
      { rule: 'CP-D-12', mend: 'Manual stands under category Approval with owner AWS.' },
    ]);
  });
});

describe('CP-5.3: values of deploy actions that only AWS runs', () => {
  const stack = { ActionMode: 'CREATE_UPDATE', StackName: 's', TemplatePath: 'Src::t.yml', RoleArn: 'arn' };
  const changes = { ...stack, ActionMode: 'CHANGE_SET_REPLACE', ChangeSetName: 'c' };
  const blueGreen = {
    ApplicationName: 'a',
    DeploymentGroupName: 'g',
    TaskDefinitionTemplateArtifact: 'Src',
    AppSpecTemplateArtifact: 'Src',
  };

  it.each<[string, object, string[]]>([
    ['CloudFormation', stack, []],
    ['CloudFormation', changes, []],
    ['CloudFormation', { ActionMode: 'DELETE_ONLY', StackName: 's', RoleArn: 'arn' }, []],
    ['CloudFormation', { ActionMode: 'CHANGE_SET_EXECUTE', StackName: 's', ChangeSetName: 'c' }, []],
    [
      'CloudFormation',
      { ...stack, ActionMode: 'CREATE' },
      ["ActionMode: ActionMode of action 'More' cannot be 'CREATE'"],
    ],
    [
      'CloudFormation',
      { ActionMode: 'CHANGE_SET_REPLACE', StackName: 's' },
      ['ChangeSetName', 'TemplatePath', 'RoleArn'].map(
        (key) => `ActionMode: Action 'More' needs ${key} for CHANGE_SET_REPLACE`,
      ),
    ],
    [
      'CloudFormation',
      { ...stack, TemplatePath: 't.yml' },
      ["TemplatePath: TemplatePath of action 'More' names no file of an artifact"],
    ],
    [
      'CloudFormation',
      { ...stack, TemplateConfiguration: 'Other::c.json' },
      [
        "TemplateConfiguration: TemplateConfiguration of action 'More' names 'Other', which is none of its input artifacts",
      ],
    ],
    [
      'CloudFormation',
      { ...stack, Capabilities: 'CAPABILITY_IAM, CAPABILITY_NAMED' },
      ["Capabilities: Capabilities of action 'More' has ' CAPABILITY_NAMED'"],
    ],
    [
      'CloudFormation',
      { ...stack, ParameterOverrides: 'Stage=beta' },
      ["ParameterOverrides: ParameterOverrides of action 'More' is not a JSON map"],
    ],
    ['CloudFormation', { ...stack, ParameterOverrides: '#{A.B}', Capabilities: '#{A.B}', TemplatePath: '#{A.B}' }, []],
    ['CodeDeployToECS', { ...blueGreen, Image1ArtifactName: '#{A.B}' }, []],
    [
      'CodeDeployToECS',
      { ...blueGreen, Image2ArtifactName: 'Image' },
      ["Image2ArtifactName: Image2ArtifactName of action 'More' names 'Image', which is none of its input artifacts"],
    ],
    ['ECS', { ClusterName: 'c', ServiceName: 's', DeploymentTimeout: '60' }, []],
    [
      'ECS',
      { ClusterName: 'c', ServiceName: 's', DeploymentTimeout: '61' },
      ["DeploymentTimeout: DeploymentTimeout of action 'More' is '61'"],
    ],
    [
      'EC2',
      { InstanceTagKey: 'k', InstanceType: 'SSM' },
      ["InstanceType: InstanceType of action 'More' cannot be 'SSM'"],
    ],
    [
      'CloudFormationStackSet',
      { StackSetName: 'n', TemplatePath: 'Src::t.yml', PermissionModel: 'SELF' },
      ["PermissionModel: PermissionModel of action 'More' cannot be 'SELF'"],
    ],
  ])('%s %j', (provider, configuration, expected) => {
    const actionTypeId = { category: 'Deploy', owner: 'AWS', provider, version: '1' };
    const more = { actionTypeId, configuration, inputArtifacts: [{ name: 'Src' }] };
    const found = told({ more }).filter((line) => !line.includes('CP-P-6') && !line.includes('#{A.B}'));
    const at = 'warning CP-5.3 stages[1].actions[2].configuration.';
    expect(found).toEqual(expected.map((text) => `${at}${text}, so the action will fail`));
  });

  it('artifacts of a batch are combined in batches only', () => {
    expect(told({ build: { CombineArtifacts: 'true' } })).toEqual([
      "warning CP-5.2 stages[1].actions[0].configuration.CombineArtifacts: CombineArtifacts of action 'Unit' works with batch builds only",
    ]);
  });
});
