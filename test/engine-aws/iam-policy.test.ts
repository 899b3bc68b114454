import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { targetOf } from '../../src/main/aws-targets.ts';
import { penstock } from '../cli/run-command.ts';
import { shop } from './bench.ts';

const cwd = await mkdtemp(join(tmpdir(), 'penstock-policy-'));
afterAll(() => rm(cwd, { recursive: true, force: true }));
const env = { PENSTOCK_HOME: join(cwd, 'home') };
const roleArn = 'arn:aws:iam::111122223333:role/penstock';
const arn = 'arn:aws:codepipeline:eu-west-1:111122223333:shop-prod';

await writeFile(
  join(cwd, 'penstock.server.yml'),
  `bindings:
  - repository: acme/shop
    pipeline: shop
    aws: { account: "111122223333", region: eu-west-1, pipelineName: shop-prod, roleArn: "${roleArn}" }
`,
);
const deploys = [
  deploy('Stack', 'CloudFormation', { ActionMode: 'CREATE_UPDATE', StackName: 'shop' }),
  deploy('Change', 'CloudFormation', { ActionMode: 'CHANGE_SET_REPLACE', StackName: 'shop-db', ChangeSetName: 'next' }),
  deploy('Named late', 'CloudFormation', { ActionMode: 'CREATE_UPDATE', StackName: '#{build.STACK}' }),
  deploy('Elsewhere', 'ECS', { ClusterName: 'c', ServiceName: 's' }, 'arn:aws:iam::999900001111:role/deploy'),
  deploy('Instances', 'CodeDeploy', { ApplicationName: 'shop', DeploymentGroupName: 'blue' }),
  deploy('Service', 'ECS', { ClusterName: 'prod', ServiceName: 'shop' }),
  deploy('Smoke', 'Lambda', { FunctionName: 'shop-smoke:live' }),
];

function deploy(name: string, provider: string, configuration: Record<string, string>, roleArn?: string) {
  return { name, actionTypeId: { category: 'Deploy', owner: 'AWS', provider, version: '1' }, configuration, roleArn };
}

const stages = [
  ...(shop.stages ?? []).map((stage) => ({
    ...stage,
    actions: stage.actions?.map((action) =>
      action.name === 'Unit' ? { ...action, configuration: { ProjectName: 'shop-unit' } } : action,
    ),
  })),
  { name: 'Deploy', actions: deploys },
];
await writeFile(join(cwd, 'shop.json'), JSON.stringify({ pipeline: { ...shop, stages }, metadata: {} }));

function at(service: string, resource: string): string {
  return `arn:aws:${service}:eu-west-1:111122223333:${resource}`;
}

interface Printed {
  readonly trust: {
    readonly Statement: readonly { readonly Condition?: { StringEquals: Record<string, string[]> } }[];
  };
  readonly permissions: {
    readonly Statement: readonly { readonly Sid: string; readonly Action: string[]; readonly Resource: string[] }[];
  };
}

async function policy(...args: string[]): Promise<Printed> {
  const { code, out } = await penstock(['iam-policy', ...args], { cwd, env });
  expect(code).toBe(0);
  return (JSON.parse(out) as Record<string, Printed>)[roleArn]!;
}

test('with the declaration every approval, stage and build project is named (SEC-T-07)', async () => {
  const { permissions } = await policy('--declaration', 'shop.json');
  expect(Object.fromEntries(permissions.Statement.map(({ Sid, Resource }) => [Sid, Resource]))).toEqual({
    Read: [arn],
    Start: [arn],
    Approve: [`${arn}/Release/Approve`],
    Retry: [`${arn}/Build`, `${arn}/Deploy`, `${arn}/Release`, `${arn}/Source`],
    Stop: [arn],
    ExplainBuilds: [at('codebuild', 'project/shop-unit')],
    ReadTestReports: [at('codebuild', 'report-group/shop-unit-*')],
    ReadBuildLogs: [at('logs', 'log-group:/aws/codebuild/shop-unit:log-stream:*')],
    ExplainStacks: [at('cloudformation', 'stack/shop-db/*'), at('cloudformation', 'stack/shop/*')],
    ExplainChangeSets: [at('cloudformation', 'stack/shop-db/*')],
    ExplainDeployments: [at('codedeploy', 'deploymentgroup:shop/blue')],
    ExplainDeploymentTargets: ['*'],
    ExplainServices: [at('ecs', 'service/prod/shop')],
    ExplainTasks: [at('ecs', 'task/prod/*')],
    ExplainFunctions: [at('lambda', 'function:shop-smoke')],
    ReadFunctionLogs: [at('logs', 'log-group:/aws/lambda/shop-smoke:*')],
  });
});

test('nothing in it changes a pipeline, passes a role or starts a build, and one read alone has no narrower resource (SEC-T-07, SEC-T-13)', async () => {
  const verbs = ['--with', 'stop,rollback,hold,override,nested-stacks'];
  const { permissions } = await policy(...verbs);
  const actions = permissions.Statement.flatMap(({ Action }) => Action);
  expect(permissions.Statement.flatMap(({ Resource }) => Resource).filter((one) => !one.startsWith(arn))).toEqual([]);
  expect(actions).toContain('codepipeline:RollbackStage');
  const declared = (await policy('--declaration', 'shop.json', ...verbs)).permissions.Statement;
  const all = declared.flatMap(({ Action }) => Action);
  const steering = /^codepipeline:(Start|Stop|Retry|Rollback|Override|PutApproval|Enable|Disable)/;
  const reading = /:(Get|List|Describe|BatchGet|Filter)[A-Z]/;
  expect(all.filter((action) => !steering.test(action) && !reading.test(action))).toEqual([]);
  expect(declared.filter(({ Resource }) => Resource.includes('*')).flatMap(({ Action }) => Action)).toEqual([
    'codedeploy:BatchGetDeploymentTargets',
    'codedeploy:ListDeploymentTargets',
  ]);
});

test('what is printed is a policy that IAM takes: version, unique names, letters only in them, no empty list', async () => {
  const { code, out } = await penstock(['iam-policy', '--declaration', 'shop.json'], { cwd, env });
  expect(code).toBe(0);
  const printed = JSON.parse(out) as Record<string, Record<string, Document>>;
  const documents = Object.values(printed).flatMap((role) => Object.values(role));
  expect(documents).toHaveLength(3);
  for (const document of documents) {
    expect(Object.keys(document).toSorted()).toEqual(['Statement', 'Version']);
    expect(document.Version).toBe('2012-10-17');
    const ids = document.Statement.flatMap(({ Sid }) => Sid ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { Sid, Effect, Action, Resource, Principal } of document.Statement) {
      expect([Effect, /^[A-Za-z0-9]*$/.test(Sid ?? '')]).toEqual(['Allow', true]);
      expect(Action.length).toBeGreaterThan(0);
      for (const action of Action) expect(action).toMatch(/^[a-z]+:[A-Z][A-Za-z]+$/);
      // A policy of an identity names resources, a trust policy names who.
      expect([Resource === undefined, Principal === undefined]).toContain(true);
      for (const resource of Resource ?? []) expect(resource).toMatch(/^(\*|arn:aws:[a-z]+:[^:]*:\d{12}:\S+)$/);
    }
  }
  expect(out.length).toBeLessThan(10_240);
});

interface Document {
  readonly Version: string;
  readonly Statement: readonly {
    readonly Sid?: string;
    readonly Effect: string;
    readonly Action: readonly string[];
    readonly Resource?: readonly string[];
    readonly Principal?: object;
  }[];
}

test('Penstock’s own identity needs no more than to take the roles', async () => {
  const { out } = await penstock(['iam-policy'], { cwd, env });
  const own = (JSON.parse(out) as Record<string, { readonly permissions: object }>)["Penstock's own identity"];
  expect(own?.permissions).toMatchObject({
    Statement: [{ Action: ['sts:AssumeRole', 'sts:SetSourceIdentity', 'sts:TagSession'], Resource: [roleArn] }],
  });
});

test('each repository has an external id of its own (SEC-T-06)', () => {
  const binding = (name: string) => ({
    repository: { owner: 'acme', name },
    pipeline: 'shop',
    aws: { account: '111122223333', region: 'eu-west-1', pipelineName: 'p', roleArn, externalId: 'generated' },
  });
  const ids = ['shop', 'web', 'SHOP'].map((name) => targetOf(binding(name), env.PENSTOCK_HOME).externalId);
  expect(ids[0]).not.toBe(ids[1]);
  // GitHub's names have no case.
  expect(ids[0]).toBe(ids[2]);
});

test('a generated external id stays the same, and stands in the trust policy (SEC-T-06)', async () => {
  const ids = async () => (await policy()).trust.Statement[0]?.Condition?.StringEquals['sts:ExternalId'];
  expect(await ids()).toEqual([expect.stringMatching(/^penstock-[0-9a-f]{32}$/)]);
  expect(await ids()).toEqual(await ids());
});

test('a verb that does not exist is named, with those that do', async () => {
  const { code, err } = await penstock(['iam-policy', '--with', 'stopp'], { cwd, env });
  expect(code).not.toBe(0);
  expect(err).toContain('--with stopp: there is no such verb. Write some of stop,rollback,hold,override,nested-stacks');
});

test('a pipeline that no binding names has no stack', async () => {
  const { code, err } = await penstock(['iam-policy', '--stack-parameters', 'shop-test'], { cwd, env });
  expect(code).not.toBe(0);
  expect(err).toContain('--stack-parameters shop-test: no binding names this pipeline of AWS. Write one of shop-prod.');
});

test('a role that only rules use may read alarms and call the listed functions (SEC-T-07)', async () => {
  const rules = 'arn:aws:iam::111122223333:role/rules';
  await writeFile(
    join(cwd, 'rules.yml'),
    `embedded:
  aws:
    - { repositories: [acme/web, acme/api], region: eu-west-1, roleArn: "${rules}", alarms: [web-*], functions: ["smoke-*"], answersAt: "https://penstock.example" }
`,
  );
  const { out } = await penstock(['iam-policy'], { cwd, env: { ...env, PENSTOCK_CONFIG: 'rules.yml' } });
  const printed = (JSON.parse(out) as Record<string, Printed>)[rules]!;
  expect(printed.permissions.Statement).toEqual([
    { Sid: 'ReadAlarms', Effect: 'Allow', Action: ['cloudwatch:DescribeAlarms'], Resource: ['*'] },
    {
      Sid: 'InvokeFunctions',
      Effect: 'Allow',
      Action: ['lambda:InvokeFunction'],
      Resource: ['arn:aws:lambda:eu-west-1:111122223333:function:smoke-*'],
    },
  ]);
  expect(printed.trust.Statement[0]?.Condition?.StringEquals['sts:ExternalId']).toHaveLength(2);
});

test('who reads a queue may read it and no other; who sends state changes may send them', async () => {
  const queue = (name: string) => `https://sqs.eu-west-1.amazonaws.com/111122223333/${name}`;
  await writeFile(
    join(cwd, 'queues.yml'),
    `bindings:
  - repository: acme/shop
    pipeline: shop
    aws: { account: "111122223333", region: eu-west-1, pipelineName: shop-prod, roleArn: "${roleArn}" }
aws:
  queues:
    - { url: "${queue('taken-by-role')}", roleArn: "${roleArn}" }
    - { url: "${queue('own')}" }
events:
  mirror: { sqs: { queueUrl: "${queue('told.fifo')}", region: eu-west-1 } }
`,
  );
  const { out, err } = await penstock(['iam-policy'], { cwd, env: { ...env, PENSTOCK_CONFIG: 'queues.yml' } });
  expect(err).not.toContain('problems');
  const printed = JSON.parse(out) as Record<string, Printed>;
  const reads = ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'];
  const reading = (name: string) => ({
    Sid: 'ReadEvents',
    Effect: 'Allow',
    Action: reads.map((action) => `sqs:${action}`),
    Resource: [at('sqs', name)],
  });
  expect(printed[roleArn]?.permissions.Statement.at(-1)).toEqual(reading('taken-by-role'));
  expect(printed[roleArn]?.trust.Statement[0]?.Condition?.StringEquals['sts:ExternalId']).toHaveLength(1);
  expect(printed["Penstock's own identity"]?.permissions.Statement.slice(1)).toEqual([
    reading('own'),
    { Sid: 'SendEvents', Effect: 'Allow', Action: ['sqs:SendMessage'], Resource: [at('sqs', 'told.fifo')] },
  ]);
});
