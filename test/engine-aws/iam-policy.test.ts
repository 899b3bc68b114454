import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
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
const stages = shop.stages?.map((stage) => ({
  ...stage,
  actions: stage.actions?.map((action) =>
    action.name === 'Unit' ? { ...action, configuration: { ProjectName: 'shop-unit' } } : action,
  ),
}));
await writeFile(join(cwd, 'shop.json'), JSON.stringify({ pipeline: { ...shop, stages }, metadata: {} }));

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
    Retry: [`${arn}/Build`, `${arn}/Release`, `${arn}/Source`],
    Stop: [arn],
    ExplainBuilds: ['arn:aws:codebuild:eu-west-1:111122223333:project/shop-unit'],
    ReadBuildLogs: ['arn:aws:logs:eu-west-1:111122223333:log-group:/aws/codebuild/shop-unit:log-stream:*'],
  });
});

test('nothing in it changes a pipeline or passes a role, and no statement is for everything (SEC-T-07)', async () => {
  const { permissions } = await policy('--with', 'stop,rollback,hold,override');
  const actions = permissions.Statement.flatMap(({ Action }) => Action);
  expect(actions.filter((action) => /Update|Create|Delete|PutWebhook|PassRole|\*/.test(action))).toEqual([]);
  expect(permissions.Statement.flatMap(({ Resource }) => Resource).filter((one) => !one.startsWith(arn))).toEqual([]);
  expect(actions).toContain('codepipeline:RollbackStage');
});

test('a generated external id stays the same, and stands in the trust policy (SEC-T-06)', async () => {
  const ids = async () => (await policy()).trust.Statement[0]?.Condition?.StringEquals['sts:ExternalId'];
  expect(await ids()).toEqual([expect.stringMatching(/^penstock-[0-9a-f]{32}$/)]);
  expect(await ids()).toEqual(await ids());
});

test('a verb that does not exist is named, with those that do', async () => {
  const { code, err } = await penstock(['iam-policy', '--with', 'stopp'], { cwd, env });
  expect(code).not.toBe(0);
  expect(err).toContain('--with stopp: there is no such verb. Write some of stop,rollback,hold,override');
});

test('the stack of deploy/aws allows what the command prints, and nothing else of CodePipeline', async () => {
  const template = await readFile(join(import.meta.dirname, '../../deploy/aws/penstock.yml'), 'utf8');
  const inStack = new Set(
    [...template.matchAll(/(?:codepipeline|codebuild|logs):[A-Z]\w+/g)].map(([action]) => action),
  );
  const { permissions } = await policy('--declaration', 'shop.json', '--with', 'stop,rollback,hold,override');
  expect([...inStack].toSorted()).toEqual(permissions.Statement.flatMap(({ Action }) => Action).toSorted());
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
