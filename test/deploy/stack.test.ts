import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, type Tags } from 'yaml';
import { readDeclaration } from '../../src/engine/aws/read-declaration.ts';
import type { AwsApis } from '../../src/engine/aws/port.ts';
import { queueStatement } from '../../src/engine/aws/policy-queues.ts';
import { optionalVerbs, permissionsFor, trustFor } from '../../src/engine/aws/policy.ts';
import { stackParameters } from '../../src/engine/aws/stack-parameters.ts';

const file = join(import.meta.dirname, '../../deploy/aws/penstock.yml');

/** The short forms of CloudFormation, as objects of their long form. */
const tags: Tags = ['Ref', 'GetAtt', 'Sub', 'If', 'Not', 'Equals', 'Join', 'Or', 'Condition'].flatMap((name) => {
  const long = name === 'Ref' || name === 'Condition' ? name : `Fn::${name}`;
  const base = { tag: `!${name}` };
  return [
    { ...base, resolve: (text: string) => ({ [long]: text }) },
    { ...base, collection: 'seq', resolve: (list) => ({ [long]: (list as { toJSON(): unknown }).toJSON() }) },
  ] satisfies Tags;
});

interface Template {
  readonly Parameters: Readonly<Record<string, object>>;
  readonly Conditions: Readonly<Record<string, object>>;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, object>>;
}
interface Resource {
  readonly Type: string;
  readonly Condition?: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

const template = parse(await readFile(file, 'utf8'), { customTags: tags }) as Template;

const target = {
  account: '111122223333',
  region: 'eu-west-1',
  pipelineName: 'shop-prod',
  roleArn: 'arn:aws:iam::111122223333:role/penstock',
  externalId: 'an-external-id-of-tests',
};
const action = (name: string, provider: string, configuration: Record<string, string>) => {
  const category = provider === 'Manual' ? ('Approval' as const) : ('Deploy' as const);
  return { name, actionTypeId: { category, owner: 'AWS' as const, provider, version: '1' }, configuration };
};
const definition = readDeclaration({
  name: 'shop-prod',
  roleArn: '',
  stages: [
    {
      name: 'All',
      actions: [
        action('Gate', 'Manual', {}),
        action('Build', 'CodeBuild', { ProjectName: 'unit' }),
        action('Stack', 'CloudFormation', { ActionMode: 'CHANGE_SET_REPLACE', StackName: 'shop', ChangeSetName: 'c' }),
        action('Instances', 'CodeDeploy', { ApplicationName: 'a', DeploymentGroupName: 'g' }),
        action('Service', 'ECS', { ClusterName: 'c', ServiceName: 's' }),
        action('Smoke', 'Lambda', { FunctionName: 'f' }),
      ],
    },
  ],
});
const subject = { target, definition };

/** Every value under a key, however deep. */
function under(value: unknown, key: string): unknown[] {
  if (Array.isArray(value)) return value.flatMap((one) => under(one, key));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [...(name === key ? [inner] : []), ...under(inner, key)]);
}

function statementsOf(
  role: string,
): { readonly Sid?: string; readonly Action: string | string[]; readonly Resource?: unknown }[] {
  return under(template.Resources[role]?.Properties['Policies'], 'Statement').flatMap((list) =>
    under({ list }, 'list').flatMap((items) => (items as object[]).flatMap(asStatements)),
  );
}

function asStatements(item: object): { Sid?: string; Action: string | string[]; Resource?: unknown }[] {
  if ('Fn::If' in item) return asStatements((item['Fn::If'] as object[])[1] ?? {});
  return 'Action' in item ? [item as { Sid?: string; Action: string | string[] }] : [];
}

test('the stack allows what `penstock iam-policy` prints, statement by statement, and nothing else (SEC-T-07)', () => {
  const printed = [
    ...permissionsFor([subject], new Set(optionalVerbs)).Statement,
    queueStatement(['arn:aws:sqs:eu-west-1:111122223333:events']),
  ];
  const wanted = {
    ...Object.fromEntries(printed.map(({ Sid, Action }) => [Sid, Action.toSorted()])),
    // The queue of dead letters is the stack's own: no configuration names it.
    CountDeadEvents: ['sqs:GetQueueAttributes'],
  };
  const inStack = statementsOf('PenstockRole').map(({ Sid, Action }) => [Sid, [Action].flat().toSorted()] as const);
  expect(Object.fromEntries(inStack)).toEqual(wanted);
  const { Resource } = statementsOf('PenstockRole').find(({ Sid }) => Sid === 'CountDeadEvents') ?? {};
  expect(Resource).toEqual({ 'Fn::GetAtt': 'DeadEvents.Arn' });
});

/** IAM's name of a service, and every call that our port of it has: the compiler asks for each. */
const calls: { readonly [Api in keyof AwsApis]: readonly [string, Record<keyof AwsApis[Api], true>] } = {
  codePipeline: [
    'codepipeline',
    {
      getPipeline: true,
      getPipelineState: true,
      getPipelineExecution: true,
      listPipelineExecutions: true,
      listActionExecutions: true,
      listRuleExecutions: true,
      startPipelineExecution: true,
      stopPipelineExecution: true,
      retryStageExecution: true,
      rollbackStage: true,
      putApprovalResult: true,
      overrideStageCondition: true,
      enableStageTransition: true,
      disableStageTransition: true,
    },
  ],
  codeBuild: ['codebuild', { batchGetBuilds: true, batchGetReports: true, describeTestCases: true }],
  logs: ['logs', { getLogEvents: true, filterLogEvents: true }],
  cloudFormation: ['cloudformation', { describeStackEvents: true, describeChangeSet: true }],
  codeDeploy: ['codedeploy', { getDeployment: true, listDeploymentTargets: true, batchGetDeploymentTargets: true }],
  ecs: ['ecs', { describeServices: true, describeTasks: true }],
  lambda: ['lambda', { getFunctionConfiguration: true }],
};

test('every call that the engine can make is printed, and nothing is printed that it never calls (SEC-T-07)', () => {
  const made = Object.values(calls).flatMap(([service, names]) =>
    Object.keys(names).map((name) => `${service}:${name.charAt(0).toUpperCase()}${name.slice(1)}`),
  );
  const printed = permissionsFor([subject], new Set(optionalVerbs)).Statement.flatMap(({ Action }) => Action);
  expect(printed.toSorted()).toEqual(made.toSorted());
});

test('only Penstock takes the role, with the external id, for an hour (SEC-T-06)', () => {
  const { MaxSessionDuration, AssumeRolePolicyDocument } = template.Resources['PenstockRole']?.Properties ?? {};
  expect(MaxSessionDuration).toBe(3600);
  const principal = { Ref: 'PenstockPrincipal' };
  const condition = { StringEquals: { 'sts:ExternalId': { Ref: 'ExternalId' } } };
  const printed = trustFor([target], 'arn');
  const shown = under(AssumeRolePolicyDocument, 'Statement').flat() as { Principal: object; Condition?: object }[];
  expect(shown.map(({ Principal }) => Principal)).toEqual([{ AWS: principal }, { AWS: principal }]);
  expect(shown.map(({ Condition }) => Condition)).toEqual([condition, undefined]);
  expect(under(shown, 'Action').flat()).toEqual(printed.Statement.flatMap(({ Action }) => Action));
});

test('events go from the rule into the queue, what cannot be taken into dead letters, and nobody else may send', () => {
  const { EventsRule, Events, EventsPolicy, DeadEventsPolicy } = template.Resources;
  expect(under(EventsRule, 'EventPattern')).toEqual([
    { source: ['aws.codepipeline'], detail: { pipeline: [{ Ref: 'PipelineName' }] } },
  ]);
  expect(under(EventsRule, 'Targets').flat()).toHaveLength(2);
  expect(under(Events, 'deadLetterTargetArn')).toEqual([{ 'Fn::GetAtt': 'DeadEvents.Arn' }]);
  const visible = Number(under(Events, 'VisibilityTimeout')[0]);
  expect(visible).toBeGreaterThanOrEqual(30);
  for (const policy of [EventsPolicy, DeadEventsPolicy]) {
    const statements = under(policy, 'Statement').flat() as { Effect: string; Condition: object }[];
    const allowed = statements.filter(({ Effect }) => Effect === 'Allow');
    expect(allowed.map(({ Condition }) => Condition)).toEqual([
      { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': 'EventsRule.Arn' } } },
    ]);
  }
});

test('every name that is used in it is declared, and every parameter and condition is used', () => {
  const named = new Set([...Object.keys(template.Parameters), ...Object.keys(template.Resources)]);
  const body = { resources: template.Resources, outputs: template.Outputs, conditions: template.Conditions };
  const refs = under(body, 'Ref').map(String);
  const got = under(body, 'Fn::GetAtt').map((at) => String(at).split('.')[0] ?? '');
  const subs = under(body, 'Fn::Sub').flatMap((text) =>
    Array.from(String(text).matchAll(/\$\{(\w+)\}/g), ([, of]) => of ?? ''),
  );
  const used = [...refs, ...got, ...subs].filter((name) => !name.startsWith('AWS::'));
  expect(used.filter((name) => !named.has(name))).toEqual([]);
  expect(Object.keys(template.Parameters).filter((name) => !used.includes(name))).toEqual([]);
  const conditions = [
    ...under(body, 'Condition').filter((one) => typeof one === 'string'),
    ...under(body, 'Fn::If').map((all) => (all as unknown[])[0]),
  ];
  expect([...new Set(conditions.map(String))].toSorted()).toEqual(Object.keys(template.Conditions).toSorted());
});

test('`--stack-parameters` fills in every parameter of the stack that has no default, and only such as it has', () => {
  const given = stackParameters(subject, new Set(['stop']), 'arn:aws:iam::111122223333:role/penstock-server');
  const names = given.map(({ ParameterKey }) => ParameterKey);
  expect(names.filter((name) => !(name in template.Parameters))).toEqual([]);
  const open = Object.entries(template.Parameters).flatMap(([name, parameter]) =>
    'Default' in parameter ? [] : [name],
  );
  expect(open.filter((name) => !names.includes(name))).toEqual([]);
  const values = Object.fromEntries(given.map(({ ParameterKey, ParameterValue }) => [ParameterKey, ParameterValue]));
  expect(values).toMatchObject({ AllowStop: 'true', AllowRollback: 'false', PipelineName: 'shop-prod' });
  expect(values['ReadBuildLogs']).toBe(
    'arn:aws:logs:eu-west-1:111122223333:log-group:/aws/codebuild/unit:log-stream:*',
  );
});
