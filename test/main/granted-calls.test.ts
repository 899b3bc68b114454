import { CodePipeline } from '@aws-sdk/client-codepipeline';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { readServerConfig } from '../../src/config/server.ts';
import type { ServerConfig } from '../../src/config/server-types.ts';
import { listRuleExecutions } from '../../src/db/rule-executions.ts';
import { createRuleCalls } from '../../src/engine/aws/rule-calls.ts';
import { TransientError } from '../../src/errors.ts';
import { grantedCalls } from '../../src/main/granted-calls.ts';
import type { Condition } from '../../src/pipeline/definition.ts';
import type { ExecutionId } from '../../src/pipeline/execution.ts';
import { doorBench } from '../codepipeline-api/door-bench.ts';
import { testDatabase } from '../database.ts';
import { aCondition, aPipeline, withStage } from '../engine/a-pipeline.ts';
import { repository } from '../engine/engine-bench.ts';
import { loopbackAws, type FunctionEvent } from './loopback-aws.ts';

/** Rules and Lambda actions over the real SDK, with STS, CloudWatch and Lambda on loopback. */
const aws = loopbackAws();
const database = await testDatabase();
const bench = await doorBench(database);
const role = 'arn:aws:iam::111122223333:role/penstock-web';
const server = configOf(`embedded:
  aws:
    - { repositories: [Acme/Web], region: eu-west-1, roleArn: "${role}", alarms: [web-*], functions: ["smoke-*"], answersAt: "${bench.url}/" }
    - { repositories: [acme/other], region: us-east-1, roleArn: "${role}", alarms: ["*"] }
`);

function configOf(text: string): ServerConfig {
  const read = readServerConfig(text);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.config;
}

beforeAll(() => {
  const calls = createRuleCalls({ endpoint: aws.url });
  Object.assign(bench.door, { continuationDelayMs: 0 });
  Object.assign(bench.engine.aws, grantedCalls({ server, home: bench.home, now: () => new Date(), calls }));
});
beforeEach(() => {
  aws.failure = undefined;
  aws.invoked.length = 0;
  aws.assumed.length = 0;
  aws.regions.length = 0;
});

const plain = aPipeline({ Source: { Checkout: 'CodeStarSourceConnection' }, Deploy: { Ship: {} } });
let pullRequest = 0;

async function runWith(condition: Condition): Promise<ExecutionId> {
  pullRequest += 1;
  const definition = withStage(plain, 'Deploy', { beforeEntry: { conditions: [condition] } });
  const id = await bench.engine.start(definition, { pullRequest });
  await bench.engine.settled();
  return id;
}

async function ruleOf(execution: ExecutionId): Promise<string> {
  const [row] = await listRuleExecutions(database.db, execution);
  const { status, error, summary } = row!.state;
  return `${status}${error ? ` ${error.code}` : ''}: ${error?.message ?? summary ?? ''}`;
}

const alarm = (AlarmName: string, region?: string): Condition =>
  aCondition('FAIL', {
    Calm: { provider: 'CloudWatchAlarm', configuration: { AlarmName }, ...(region === undefined ? {} : { region }) },
  });
const ask = (FunctionName: string): Condition =>
  aCondition('FAIL', { Ask: { provider: 'LambdaInvoke', configuration: { FunctionName, UserParameters: 'p=1' } } });

test('an alarm is read with the role, region and external id of the operator (CP 2.10, SEC-T-05, SEC-T-06)', async () => {
  aws.alarms['web-errors'] = 'OK';
  const id = await runWith(alarm('web-errors'));
  expect(await bench.engine.status(id)).toBe('Succeeded');
  expect(await ruleOf(id)).toBe('Succeeded: The alarm web-errors is in state OK.');
  expect(aws.regions).toEqual(['eu-west-1']);
  const [session] = aws.assumed;
  expect(session?.get('RoleArn')).toBe(role);
  expect(session?.get('ExternalId')).toMatch(/^penstock-[0-9a-f]{32}$/);
  expect(session?.get('RoleSessionName')).toBe(`repo-${repository.id}-pr-${pullRequest}`);
  aws.alarms['web-errors'] = 'ALARM';
  const other = await runWith(alarm('web-errors'));
  expect(await bench.engine.status(other)).toBe('Failed');
  expect(await ruleOf(other)).toBe('Failed JobFailed: The alarm web-errors is in state ALARM.');
});

test.each([
  ['an alarm that is not listed', alarm('billing'), "may not use the alarm 'billing'."],
  ['another region', alarm('web-errors', 'us-east-1'), "may not use the alarm 'web-errors' in us-east-1."],
  ['a function that is not listed', ask('wipe'), "may not use the function 'wipe'."],
  ["a qualifier of a listed function's name", ask('smoke-web:old'), "may not use the function 'smoke-web:old'."],
])('%s is refused without a word to AWS (SEC-T-05)', async (_what, condition, text) => {
  const id = await runWith(condition);
  expect(await ruleOf(id)).toBe(
    `Failed PermissionError: acme/web ${text} The operator allows it in penstock.server.yml, under embedded.aws.`,
  );
  expect([aws.assumed.length, aws.invoked.length, aws.regions.length]).toEqual([0, 0, 0]);
});

test('code of a fork calls no function, while alarms judge it as they judge everybody', async () => {
  aws.functions.add('smoke-web');
  aws.alarms['web-errors'] = 'OK';
  const asked = withStage(plain, 'Deploy', { beforeEntry: { conditions: [ask('smoke-web')] } });
  const id = await bench.engine.start(asked, { pullRequest: 800, fork: true });
  const watched = withStage(plain, 'Deploy', { beforeEntry: { conditions: [alarm('web-errors')] } });
  const other = await bench.engine.start(watched, { pullRequest: 801, fork: true });
  await bench.engine.settled();
  expect(await ruleOf(id)).toContain('PermissionError: Functions are not called for code of a fork.');
  expect(aws.invoked).toEqual([]);
  expect(await bench.engine.status(other)).toBe('Succeeded');
});

test('what AWS denies or does not have is said with the role and the right that it lacks (CP-C-8)', async () => {
  aws.failure = { status: 403, type: 'AccessDeniedException', message: 'not authorized' };
  expect(await ruleOf(await runWith(alarm('web-errors')))).toBe(
    `Failed PermissionError: The role ${role} lacks cloudwatch:DescribeAlarms: not authorized \`penstock iam-policy\` prints what it needs.`,
  );
  aws.failure = undefined;
  expect(await ruleOf(await runWith(alarm('web-gone')))).toBe(
    "Failed ConfigurationError: There is no alarm named 'web-gone'.",
  );
  expect(await ruleOf(await runWith(ask('smoke-gone')))).toBe(
    'Failed ConfigurationError: The AWS Lambda function smoke-gone does not exist.',
  );
});

test('throttling and outages of AWS are tried again later and judge nothing', async () => {
  const calls = createRuleCalls({ endpoint: aws.url });
  const subject = { repositoryId: 42, repository: 'acme/web' };
  const target = { roleArn: role, region: 'eu-west-1', externalId: 'penstock-0123456789' };
  aws.failure = { status: 400, type: 'ThrottlingException', message: 'Rate exceeded' };
  await expect(calls.alarmState(target, subject, 'web-errors')).rejects.toBeInstanceOf(TransientError);
  aws.failure = { status: 503, type: 'ServiceUnavailable', message: '' };
  const call = { functionName: 'smoke-web', event: '{}' };
  await expect(calls.invokeFunction(target, subject, call)).rejects.toBeInstanceOf(TransientError);
});

/** What a function does in the end: it answers for its job with what stands in its event. */
function answering({ penstock, 'CodePipeline.job': { data } }: FunctionEvent): CodePipeline {
  const { expirationTime: _, ...credentials } = data.artifactCredentials;
  return new CodePipeline({ endpoint: penstock.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
}

test("a function judges a rule with its job's own credentials, and may do nothing else with them (CP-J-19)", async () => {
  aws.functions.add('smoke-web');
  const id = await runWith(ask('smoke-web'));
  expect(await ruleOf(id)).toBe('InProgress: ');
  const [{ event, type } = { event: undefined, type: '' }] = aws.invoked;
  expect(type).toBe('Event');
  const job = event!['CodePipeline.job'];
  expect(job.data.actionConfiguration.configuration).toEqual({ FunctionName: 'smoke-web', UserParameters: 'p=1' });
  expect(job.data.artifactCredentials.expirationTime).toBeGreaterThan(Date.now());
  const client = answering(event!);
  await expect(client.listPipelines({})).rejects.toThrow('is not authorized to perform: codepipeline:ListPipelines');
  const other = await runWith(ask('smoke-web'));
  const foreign = aws.invoked[1]!.event['CodePipeline.job'].id;
  await expect(client.putJobSuccessResult({ jobId: foreign })).rejects.toThrow('does not exist');
  await client.putJobSuccessResult({ jobId: job.id, executionDetails: { summary: 'all smooth' } });
  await bench.engine.settled();
  expect(await bench.engine.status(id)).toBe('Succeeded');
  expect(await ruleOf(id)).toBe('Succeeded: all smooth');
  expect(await bench.engine.status(other)).toBe('InProgress');
  client.destroy();
});

test('a Lambda action is called, continues, and puts out variables (CP-P-6, CP-J-9, CP-J-20)', async () => {
  aws.functions.add('smoke-web');
  const actionTypeId = { category: 'Invoke', owner: 'AWS', provider: 'Lambda', version: '1' } as const;
  const configuration = { FunctionName: 'smoke-web' };
  const definition = aPipeline({
    Source: { Checkout: 'CodeStarSourceConnection' },
    Call: { Smoke: { actionTypeId, configuration, namespace: 'Smoke' } },
    After: { Tell: { configuration: { Text: '#{Smoke.Level}' } } },
  });
  const id = await bench.engine.start(definition, { pullRequest: 900 });
  await bench.engine.settled();
  expect((await bench.engine.read(id)).stages[1]?.actions[0]).toMatchObject({ externalExecutionId: 'smoke-web' });
  const first = answering(aws.invoked[0]!.event);
  await first.putJobSuccessResult({ jobId: aws.invoked[0]!.event['CodePipeline.job'].id, continuationToken: 'half' });
  await bench.engine.settled();
  expect(aws.invoked).toHaveLength(2);
  const again = aws.invoked[1]!.event;
  expect(again['CodePipeline.job'].data.continuationToken).toBe('half');
  const second = answering(again);
  await second.putJobSuccessResult({ jobId: again['CodePipeline.job'].id, outputVariables: { Level: 'low' } });
  await bench.engine.settled();
  expect(await bench.engine.status(id)).toBe('Succeeded');
  const told = bench.engine.started.find((one) => one.execution === id && one.declaration.name === 'Tell');
  expect(told?.declaration.configuration).toEqual({ Text: 'low' });
  first.destroy();
  second.destroy();
});
