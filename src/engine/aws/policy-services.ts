import type { ActionDeclaration } from '../../pipeline/definition.ts';
import { statement, type OptionalVerb, type PolicySubject, type Statement } from './policy.ts';
import type { AwsTarget } from './port.ts';

/** One action of a declaration, where its names are written out and its service is in the pipeline's account. */
interface Declared {
  readonly target: AwsTarget;
  readonly region: string;
  readonly provider: string;
  readonly configuration: Readonly<Record<string, string>>;
}

/**
 * The reads that explain failures (src/engine/aws/stories), on what the declarations name. Whatever is left out of the
 * role is told on the check as a missing right, and keeps nothing else from working.
 */
export function explainingStatements(
  subjects: readonly PolicySubject[],
  verbs: ReadonlySet<OptionalVerb>,
): readonly Statement[] {
  const actions = subjects.flatMap(declaredActions);
  const named = (providers: readonly string[], resource: (action: Declared) => string | undefined) =>
    actions.flatMap((action) => (providers.includes(action.provider) ? (resource(action) ?? []) : []));
  const project = (action: Declared) => from(action, 'ProjectName');
  const deployment = (action: Declared) => {
    const names = [from(action, 'ApplicationName'), from(action, 'DeploymentGroupName')];
    return names.includes(undefined) ? undefined : arn(action, 'codedeploy', `deploymentgroup:${names.join('/')}`);
  };
  const targets = named(deployers, deployment).length > 0 ? ['*'] : [];
  return [
    statement(
      'ExplainBuilds',
      ['codebuild:BatchGetBuilds'],
      named(['CodeBuild'], of('codebuild', 'project/', project)),
    ),
    statement(
      'ReadTestReports',
      ['codebuild:BatchGetReports', 'codebuild:DescribeTestCases'],
      // CodeBuild begins the name of a report group with that of its project.
      named(['CodeBuild'], of('codebuild', 'report-group/', project, '-*')),
    ),
    statement(
      'ReadBuildLogs',
      ['logs:GetLogEvents'],
      [
        ...named(['CodeBuild'], of('logs', 'log-group:/aws/codebuild/', project, ':log-stream:*')),
        ...named(['Commands'], of('logs', 'log-group:/aws/codepipeline/', pipelineName, ':log-stream:*')),
      ],
    ),
    statement(
      'ExplainStacks',
      ['cloudformation:DescribeStackEvents'],
      [
        ...named(['CloudFormation'], of('cloudformation', 'stack/', stackName, '/*')),
        ...(verbs.has('nested-stacks')
          ? named(['CloudFormation'], of('cloudformation', 'stack/', stackName, '-*/*'))
          : []),
      ],
    ),
    statement(
      'ExplainChangeSets',
      ['cloudformation:DescribeChangeSet'],
      named(['CloudFormation'], of('cloudformation', 'stack/', changedStackName, '/*')),
    ),
    statement('ExplainDeployments', ['codedeploy:GetDeployment'], named(deployers, deployment)),
    // AWS knows no resource to narrow these two by; they read how deployments went, and nothing of what is deployed.
    statement(
      'ExplainDeploymentTargets',
      ['codedeploy:BatchGetDeploymentTargets', 'codedeploy:ListDeploymentTargets'],
      targets,
    ),
    statement('ExplainServices', ['ecs:DescribeServices'], named(['ECS'], of('ecs', 'service/', serviceName))),
    statement('ExplainTasks', ['ecs:DescribeTasks'], named(['ECS'], of('ecs', 'task/', clusterName, '/*'))),
    statement(
      'ExplainFunctions',
      ['lambda:GetFunctionConfiguration'],
      named(['Lambda'], of('lambda', 'function:', functionName)),
    ),
    statement(
      'ReadFunctionLogs',
      ['logs:FilterLogEvents'],
      named(['Lambda'], of('logs', 'log-group:/aws/lambda/', functionName, ':*')),
    ),
  ];
}

const deployers: readonly string[] = ['CodeDeploy', 'CodeDeployToECS'];

type Name = (action: Declared) => string | undefined;

const pipelineName: Name = ({ target }) => target.pipelineName;
const stackName: Name = (action) => from(action, 'StackName');
const changedStackName: Name = (action) =>
  action.configuration['ActionMode'] === 'CHANGE_SET_REPLACE' ? stackName(action) : undefined;
const clusterName: Name = (action) => from(action, 'ClusterName');
const serviceName: Name = (action) => {
  const names = [clusterName(action), from(action, 'ServiceName')];
  return names.includes(undefined) ? undefined : names.join('/');
};
const functionName: Name = (action) => {
  const given = from(action, 'FunctionName');
  return given?.startsWith('arn:') ? given.split(':')[6] : given?.split(':')[0];
};

/** Undefined where a variable stands in it: what it will be is not known here. */
function from({ configuration }: Declared, key: string): string | undefined {
  const value = configuration[key];
  return value === undefined || value.includes('#{') ? undefined : value;
}

function of(service: string, kind: string, name: Name, rest = ''): Name {
  return (action) => {
    const found = name(action);
    return found === undefined ? undefined : arn(action, service, `${kind}${found}${rest}`);
  };
}

function arn({ target, region }: Declared, service: string, resource: string): string {
  return `arn:${target.roleArn.split(':')[1] ?? 'aws'}:${service}:${region}:${target.account}:${resource}`;
}

function declaredActions({ target, definition }: PolicySubject): readonly Declared[] {
  const actions = (definition?.stages ?? []).flatMap((stage) => stage.actions);
  return actions
    .filter((action) => isOfAccount(action, target))
    .map((action) => ({
      target,
      region: action.region ?? target.region,
      provider: action.actionTypeId.provider,
      configuration: action.configuration,
    }));
}

function isOfAccount({ actionTypeId, roleArn }: ActionDeclaration, { account }: AwsTarget): boolean {
  const elsewhere = roleArn?.split(':')[4];
  return actionTypeId.owner === 'AWS' && (elsewhere === undefined || elsewhere === account);
}
