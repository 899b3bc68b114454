import type { ActionExecutionDetail } from '@aws-sdk/client-codepipeline';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createAwsClients } from '../../src/engine/aws/clients.ts';
import { noMeter } from '../../src/engine/aws/meter.ts';
import type { Ground } from '../../src/engine/aws/ground.ts';
import { tellStories, type Stories } from '../../src/engine/aws/stories/stories.ts';
import { role } from './fake-aws.ts';
import { openServiceDoor, type Answerer } from './service-door.ts';

/** Real SDK clients against a loopback server; the shapes are those of each service's API reference. */
vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAOWN');
vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'own-secret');
const door = await openServiceDoor();
let ground: Pick<Ground, 'budget' | 'clients' | 'log' | 'mask' | 'meter' | 'now'>;
let paid = 0;

beforeAll(() => {
  ground = {
    clients: createAwsClients({ endpoint: door.url }),
    log: pino({ level: 'silent' }),
    mask: (text) => text.replaceAll('hunter2', '***'),
    meter: noMeter,
    budget: {
      admit: () => Promise.resolve(),
      spent: (_account, calls) => {
        paid += calls;
      },
      throttled: () => Promise.reject(new Error('another service is no reason to pause the looks')),
    },
    now: () => new Date('2026-05-01T10:10:00Z'),
  };
});

afterEach(() => {
  // Whatever a story asked, the account's budget has paid for: each attempt.
  expect(paid).toBe(door.calls.filter(({ operation }) => operation !== 'AssumeRole').length);
  paid = 0;
  for (const name of Object.keys(door.answers)) if (name !== 'AssumeRole') delete door.answers[name];
  door.calls.length = 0;
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await door.close();
});

const target = {
  account: '111122223333',
  region: 'eu-west-1',
  pipelineName: 'shop-prod',
  roleArn: role,
  externalId: 'an-external-id-of-tests',
};
const subject = { repositoryId: 42, repository: 'acme/shop' };

function seconds(at: string): number {
  return Date.parse(at) / 1000;
}

function failed(provider: string, configuration: Record<string, string>, externalId?: string, more = {}) {
  return {
    actionExecutionId: `run-of-${provider}`,
    status: 'Failed',
    startTime: new Date('2026-05-01T10:00:00Z'),
    lastUpdateTime: new Date('2026-05-01T10:05:00Z'),
    input: { actionTypeId: { category: 'Deploy', owner: 'AWS', provider, version: '1' }, configuration, ...more },
    output: { executionResult: externalId === undefined ? {} : { externalExecutionId: externalId } },
  } satisfies ActionExecutionDetail;
}

async function tell(...actions: ActionExecutionDetail[]): Promise<Stories> {
  const prior = { id: 'e-1', stages: [] } as unknown as Parameters<typeof tellStories>[3];
  return tellStories(ground as Ground, { target, subject }, actions, prior);
}

async function told(action: ReturnType<typeof failed>) {
  return (await tell(action)).told[action.actionExecutionId];
}

function denied(action: string, resource: string): Answerer {
  const message = `User: arn:aws:sts::111122223333:assumed-role/penstock/repo-42 is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;
  return () => ({ error: 'AccessDeniedException', message });
}

describe('CloudFormation', () => {
  const shopStack = 'arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/5f1a0000-0000-4000-8000-00000000000a';
  const event = (Timestamp: string, LogicalResourceId: string, ResourceStatus: string, more: object = {}) => ({
    StackId: shopStack,
    EventId: `${LogicalResourceId}-${Timestamp}`,
    StackName: 'shop',
    LogicalResourceId,
    ResourceType: 'AWS::S3::Bucket',
    Timestamp,
    ResourceStatus,
    ...more,
  });
  const deploy = failed('CloudFormation', { ActionMode: 'CREATE_UPDATE', StackName: 'shop' });

  test('the resource that failed first is told, not those cancelled after it and not an older failure', async () => {
    const pages: Record<string, object> = {
      '': {
        StackEvents: [
          event('2026-05-01T10:04:00Z', 'shop', 'UPDATE_ROLLBACK_IN_PROGRESS', {
            ResourceType: 'AWS::CloudFormation::Stack',
            ResourceStatusReason: 'The following resource(s) failed to update: [Queue, Assets].',
          }),
          event('2026-05-01T10:03:30Z', 'Topic', 'CREATE_FAILED', { ResourceStatusReason: 'also failed, later' }),
          event('2026-05-01T10:03:02Z', 'Queue', 'UPDATE_FAILED', {
            ResourceStatusReason: 'Resource update cancelled',
          }),
        ],
        NextToken: 'older',
      },
      older: {
        StackEvents: [
          event('2026-05-01T10:03:00Z', 'Assets', 'CREATE_FAILED', {
            ResourceStatusReason: 'shop-assets already exists (Service: S3, Status Code: 409)',
          }),
          event('2026-04-30T09:00:00Z', 'Table', 'CREATE_FAILED', { ResourceStatusReason: 'of yesterday' }),
        ],
      },
    };
    door.answers['DescribeStackEvents'] = ({ NextToken = '' }) => pages[String(NextToken)] ?? {};
    expect(await told(deploy)).toEqual({
      service: 'CloudFormation',
      said: 'Assets (AWS::S3::Bucket) CREATE_FAILED: shop-assets already exists (Service: S3, Status Code: 409)',
    });
  });

  const within = shopStack.replace('/shop/', '/shop-Data-1ABC/');
  const outer = event('2026-05-01T10:03:00Z', 'Data', 'CREATE_FAILED', {
    ResourceType: 'AWS::CloudFormation::Stack',
    PhysicalResourceId: within,
    ResourceStatusReason: `Embedded stack ${within} was not successfully created`,
  });

  test('a stack within the stack is asked for its own first failure', async () => {
    const cause = event('2026-05-01T10:02:00Z', 'Table', 'CREATE_FAILED', { ResourceStatusReason: 'no such key' });
    door.answers['DescribeStackEvents'] = ({ StackName }) => ({ StackEvents: [StackName === within ? cause : outer] });
    expect((await told(deploy))?.said).toBe('Table (AWS::S3::Bucket) CREATE_FAILED: no such key');
  });

  test('when the inner stack may not be read, the outer reason stands with the right that is missing', async () => {
    const refuse = denied('cloudformation:DescribeStackEvents', within);
    door.answers['DescribeStackEvents'] = (input) =>
      input['StackName'] === within ? refuse(input, '') : { StackEvents: [outer] };
    const story = await told(deploy);
    expect(story?.said).toContain('Data (AWS::CloudFormation::Stack) CREATE_FAILED: Embedded stack');
    expect(story?.unasked).toBe(
      `The role ${role} lacks cloudformation:DescribeStackEvents on ${within}. \`penstock iam-policy\` prints the policy that it needs.`,
    );
  });

  test('a change set that could not be made says why', async () => {
    door.answers['DescribeChangeSet'] = () => ({ Status: 'FAILED', StatusReason: 'Template error: no such parameter' });
    const mode = { ActionMode: 'CHANGE_SET_REPLACE', StackName: 'shop', ChangeSetName: 'next' };
    expect((await told(failed('CloudFormation', mode)))?.said).toBe(
      'Change set next FAILED: Template error: no such parameter',
    );
  });
});

describe('CodeDeploy', () => {
  const deploy = failed('CodeDeploy', { ApplicationName: 'shop', DeploymentGroupName: 'blue' }, 'd-A1B2C3D4E');
  const errorInformation = {
    code: 'HEALTH_CONSTRAINTS',
    message: 'The overall deployment failed because too many individual instances failed deployment.',
  };
  const instance = (targetId: string, ...lifecycleEvents: object[]) => ({
    deploymentTargetType: 'InstanceTarget',
    instanceTarget: { deploymentId: 'd-A1B2C3D4E', targetId, status: 'Failed', lifecycleEvents },
  });

  test('the lifecycle event, script and message of the instance that failed, and what its script printed, masked (SEC-T-14)', async () => {
    door.answers['GetDeployment'] = () => ({ deploymentInfo: { deploymentId: 'd-A1B2C3D4E', errorInformation } });
    door.answers['ListDeploymentTargets'] = () => ({ targetIds: ['i-0skipped', 'i-0broken'] });
    door.answers['BatchGetDeploymentTargets'] = () => ({
      deploymentTargets: [
        instance('i-0skipped', { lifecycleEventName: 'ApplicationStop', status: 'Skipped' }),
        instance(
          'i-0broken',
          { lifecycleEventName: 'BeforeInstall', status: 'Succeeded' },
          {
            lifecycleEventName: 'ApplicationStart',
            status: 'Failed',
            diagnostics: {
              errorCode: 'ScriptFailed',
              scriptName: 'scripts/start.sh',
              message: 'Script at specified location: scripts/start.sh failed with exit code 1',
              logTail: 'LifecycleEvent - ApplicationStart\n[stderr]no pump: password hunter2\n',
            },
          },
        ),
      ],
    });
    expect(await told(deploy)).toEqual({
      service: 'CodeDeploy',
      said: `i-0broken (and 1 more): ApplicationStart failed in scripts/start.sh: ScriptFailed: Script at specified location: scripts/start.sh failed with exit code 1. HEALTH_CONSTRAINTS: ${errorInformation.message}`,
      lines: ['LifecycleEvent - ApplicationStart', '[stderr]no pump: password ***'],
    });
    const listed = door.calls.find(({ operation }) => operation === 'ListDeploymentTargets');
    expect(listed?.input).toEqual({ deploymentId: 'd-A1B2C3D4E', targetFilters: { TargetStatus: ['Failed'] } });
  });

  test('without the right to read targets the deployment’s own words stand, and the right is named', async () => {
    door.answers['GetDeployment'] = () => ({ deploymentInfo: { errorInformation } });
    door.answers['ListDeploymentTargets'] = denied('codedeploy:ListDeploymentTargets', '*');
    const story = await told(deploy);
    expect(story?.said).toBe(`HEALTH_CONSTRAINTS: ${errorInformation.message}`);
    expect(story?.unasked).toContain('lacks codedeploy:ListDeploymentTargets on *.');
  });

  test('a deployment to ECS through CodeDeploy is told by its target', async () => {
    door.answers['GetDeployment'] = () => ({ deploymentInfo: {} });
    door.answers['ListDeploymentTargets'] = () => ({ targetIds: ['prod:shop'] });
    const lifecycleEvents = [{ lifecycleEventName: 'Install', status: 'Failed' }];
    door.answers['BatchGetDeploymentTargets'] = () => ({
      deploymentTargets: [{ ecsTarget: { targetId: 'prod:shop', lifecycleEvents } }],
    });
    const action = failed('CodeDeployToECS', { ApplicationName: 'a', DeploymentGroupName: 'g' }, 'd-1');
    expect((await told(action))?.said).toBe('prod:shop: Install failed');
  });
});

describe('ECS', () => {
  const deploy = failed('ECS', { ClusterName: 'prod', ServiceName: 'shop' });
  const service = {
    serviceName: 'shop',
    deployments: [
      { id: 'ecs-svc/1', rolloutState: 'FAILED', rolloutStateReason: 'ECS deployment circuit breaker: tasks failed.' },
    ],
    events: [
      {
        id: '3',
        createdAt: seconds('2026-05-01T10:04:00Z'),
        message: '(service shop) deployment failed: tasks failed to start.',
      },
      {
        id: '2',
        createdAt: seconds('2026-05-01T10:02:00Z'),
        message: '(service shop) has started 1 tasks: (task 9af0c1).',
      },
      { id: '1', createdAt: seconds('2026-05-01T08:00:00Z'), message: '(service shop) (task 0ld) failed yesterday.' },
    ],
  };

  test('why the first task stopped comes before what the service says of it', async () => {
    door.answers['DescribeServices'] = () => ({ services: [service] });
    door.answers['DescribeTasks'] = () => ({
      tasks: [
        {
          taskArn: 'arn:aws:ecs:eu-west-1:111122223333:task/prod/9af0c1',
          stopCode: 'EssentialContainerExited',
          stoppedReason: 'Essential container in task exited',
          stoppedAt: seconds('2026-05-01T10:03:00Z'),
          containers: [{ name: 'web', exitCode: 137, reason: 'OutOfMemoryError: Container killed' }],
        },
        { stoppedReason: 'Scaling activity initiated by (deployment ecs-svc/1)', stoppedAt: 1 },
      ],
    });
    expect((await told(deploy))?.said).toBe(
      'A task stopped: Essential container in task exited (container web: exit code 137 OutOfMemoryError: Container killed). ECS deployment circuit breaker: tasks failed. (service shop) deployment failed: tasks failed to start.',
    );
    const asked = door.calls.find(({ operation }) => operation === 'DescribeTasks');
    expect(asked?.input).toEqual({ cluster: 'prod', tasks: ['9af0c1'] });
  });

  test('without the right to read tasks the events stand, and the right is named', async () => {
    door.answers['DescribeServices'] = () => ({ services: [service] });
    door.answers['DescribeTasks'] = denied('ecs:DescribeTasks', 'arn:aws:ecs:eu-west-1:111122223333:task/prod/9af0c1');
    const story = await told(deploy);
    expect(story?.said).toMatch(/^ECS deployment circuit breaker/);
    expect(story?.unasked).toContain('lacks ecs:DescribeTasks on arn:aws:ecs:eu-west-1:111122223333:task/prod/9af0c1.');
  });
});

describe('Lambda', () => {
  const invoke = failed('Lambda', { FunctionName: 'arn:aws:lambda:eu-west-1:111122223333:function:smoke:live' });
  const thrown =
    '2026-05-01T10:01:00.000Z\t6f1d\tERROR\tInvoke Error \t{"errorType":"Error","errorMessage":"shop answers \\"503\\"","stack":["Error: shop answers"]}\n';

  test('the payload of the function’s error, from the log group that its settings name', async () => {
    door.answers['GetFunctionConfiguration'] = () => ({ LoggingConfig: { LogGroup: '/shop/smoke' } });
    door.answers['FilterLogEvents'] = ({ nextToken }) =>
      nextToken === undefined
        ? { events: [], nextToken: 'more' }
        : { events: [{ logStreamName: 's', timestamp: 1, message: thrown }] };
    const story = await told(invoke);
    expect(story).toMatchObject({ said: 'Error: shop answers "503"', lines: [thrown.trimEnd()] });
    expect(story?.url).toBe(
      'https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Fshop$252Fsmoke',
    );
    const [asked] = door.calls.filter(({ operation }) => operation === 'FilterLogEvents');
    expect(asked?.input).toMatchObject({
      logGroupName: '/shop/smoke',
      startTime: Date.parse('2026-05-01T10:00:00Z'),
      endTime: Date.parse('2026-05-01T10:05:30Z'),
    });
  });

  test.each([
    ['2026-05-01T10:01:00.000Z 6f1d Task timed out after 3.01 seconds\n\n', 'Task timed out after 3.01 seconds'],
    ['[ERROR] KeyError: \'pump\'\nTraceback (most recent call last):\n  File "a.py"', "KeyError: 'pump'"],
    ['RequestId: 6f1d Error: Runtime exited with error: signal: killed', 'Runtime exited with error: signal: killed'],
  ])('%j', async (message, said) => {
    door.answers['GetFunctionConfiguration'] = denied('lambda:GetFunctionConfiguration', 'x');
    door.answers['FilterLogEvents'] = ({ logGroupName }) => ({
      events: logGroupName === '/aws/lambda/smoke' ? [{ message }] : [],
    });
    expect((await told(invoke))?.said).toBe(said);
  });
});

describe('CodeBuild', () => {
  const build = {
    id: 'unit:77',
    phases: [
      { phaseType: 'INSTALL', phaseStatus: 'SUCCEEDED', durationInSeconds: 12 },
      {
        phaseType: 'BUILD',
        phaseStatus: 'FAILED',
        durationInSeconds: 41,
        contexts: [{ statusCode: 'COMMAND_EXECUTION_ERROR', message: 'Error while executing: login hunter2' }],
      },
      { phaseType: 'COMPLETED' },
    ],
    logs: { groupName: '/aws/codebuild/unit', streamName: '77' },
    reportArns: ['arn:aws:codebuild:eu-west-1:111122223333:report/unit-junit:9f00'],
  };
  const reports = {
    reports: [
      {
        arn: build.reportArns[0],
        type: 'TEST',
        testSummary: {
          total: 216,
          statusCounts: { SUCCEEDED: 212, FAILED: 2, ERROR: 1, SKIPPED: 1 },
          durationInNanoSeconds: 1,
        },
      },
    ],
  };
  const unit = failed('CodeBuild', { ProjectName: 'unit' }, 'unit:77');

  test('the failed phase, the place of the log with its page in the console, and the counts of the tests', async () => {
    door.answers['BatchGetBuilds'] = () => ({ builds: [build] });
    door.answers['BatchGetReports'] = () => reports;
    door.answers['DescribeTestCases'] = () => ({
      testCases: [{ prefix: 'pump', name: 'starts', status: 'FAILED', message: 'expected 200, got 503' }],
    });
    expect(await told(unit)).toEqual({
      service: 'CodeBuild',
      said: 'Phase BUILD FAILED after 41 s: COMMAND_EXECUTION_ERROR: Error while executing: login ***',
      log: { region: 'eu-west-1', group: '/aws/codebuild/unit', stream: '77' },
      url: 'https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Faws$252Fcodebuild$252Funit/log-events/77',
      reports: [
        {
          group: 'unit-junit',
          format: 'TEST',
          flaky: [],
          problems: [],
          total: 216,
          passed: 212,
          failed: 3,
          skipped: 1,
          failures: [{ name: 'pump starts', message: 'expected 200, got 503' }],
        },
      ],
    });
  });

  test('the builds of a look are asked for in one call; where reports may not be read the phase stands', async () => {
    const ids = ['unit:77', 'unit:78', 'unit:79'];
    door.answers['BatchGetBuilds'] = () => ({ builds: ids.map((id) => ({ ...build, id })) });
    door.answers['BatchGetReports'] = denied('codebuild:BatchGetReports', 'unit-junit');
    const actions = ids.map((id, index) => ({ ...failed('CodeBuild', {}, id), actionExecutionId: `run-${index}` }));
    const { told: stories } = await tell(...actions);
    expect(Object.values(stories).map(({ said }) => said?.slice(0, 18))).toEqual(ids.map(() => 'Phase BUILD FAILED'));
    expect(stories['run-0']?.unasked).toContain('lacks codebuild:BatchGetReports');
    expect(door.calls.filter(({ operation }) => operation === 'BatchGetBuilds')).toHaveLength(1);
  });
});

test('an action in another account is not asked for with a role that cannot see it', async () => {
  const elsewhere = { roleArn: 'arn:aws:iam::999900001111:role/deploy' };
  const story = await told(failed('ECS', { ClusterName: 'prod', ServiceName: 'shop' }, undefined, elsewhere));
  expect(story?.unasked).toBe("It ran in the account 999900001111; Penstock's role reads only 111122223333.");
  expect(door.calls).toEqual([]);
});

test('a service that throttles is asked again later, and keeps nothing from being told', async () => {
  door.answers['DescribeServices'] = () => ({ error: 'ThrottlingException', message: 'Rate exceeded' });
  door.answers['DescribeChangeSet'] = () => ({ Status: 'FAILED', StatusReason: 'no' });
  const change = { ActionMode: 'CHANGE_SET_REPLACE', StackName: 'shop', ChangeSetName: 'next' };
  const { told: stories, missed } = await tell(
    failed('ECS', { ClusterName: 'prod', ServiceName: 'shop' }),
    failed('CloudFormation', change),
  );
  expect([Object.keys(stories), missed]).toEqual([['run-of-CloudFormation'], true]);
});
