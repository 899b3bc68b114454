import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { pipelineArn } from './call-errors.ts';
import type { AwsTarget } from './port.ts';

/** Verbs that stand in statements of their own and are left out unless they are wanted. */
export const optionalVerbs = ['stop', 'rollback', 'hold', 'override'] as const;
export type OptionalVerb = (typeof optionalVerbs)[number];

export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
}

export interface PolicyDocument<S> {
  readonly Version: '2012-10-17';
  readonly Statement: readonly S[];
}

export interface PolicySubject {
  readonly target: AwsTarget;
  /** With it, stages, approvals and build projects are named one by one instead of by `*` below the pipeline. */
  readonly definition?: PipelineDefinition;
}

const readActions = [
  'GetPipeline',
  'GetPipelineState',
  'GetPipelineExecution',
  'ListPipelineExecutions',
  'ListActionExecutions',
  'ListRuleExecutions',
].map((name) => `codepipeline:${name}`);

/**
 * What one role has to be allowed for the pipelines that it drives, and nothing that could change a pipeline
 * (SEC-T-07). Approvals are rights on actions, retries on stages, the rest on pipelines (CP-O-2).
 */
export function permissionsFor(
  subjects: readonly PolicySubject[],
  verbs: ReadonlySet<OptionalVerb>,
): PolicyDocument<Statement> {
  const pipelines = subjects.map(({ target }) => pipelineArn(target));
  const stages = subjects.flatMap(stageArns);
  const all: readonly (Statement & { readonly when?: OptionalVerb })[] = [
    statement('Read', readActions, pipelines),
    statement('Start', ['codepipeline:StartPipelineExecution'], pipelines),
    statement('Approve', ['codepipeline:PutApprovalResult'], subjects.flatMap(approvalArns)),
    statement('Retry', ['codepipeline:RetryStageExecution'], stages),
    { ...statement('Stop', ['codepipeline:StopPipelineExecution'], pipelines), when: 'stop' },
    { ...statement('Rollback', ['codepipeline:RollbackStage'], stages), when: 'rollback' },
    {
      ...statement('Hold', ['codepipeline:DisableStageTransition', 'codepipeline:EnableStageTransition'], stages),
      when: 'hold',
    },
    { ...statement('Override', ['codepipeline:OverrideStageCondition'], stages), when: 'override' },
    statement('ExplainBuilds', ['codebuild:BatchGetBuilds'], subjects.flatMap(projectArns)),
    statement('ReadBuildLogs', ['logs:GetLogEvents'], subjects.flatMap(projectArns).map(logArn)),
  ];
  const wanted = all.filter(({ when, Resource }) => Resource.length > 0 && (when === undefined || verbs.has(when)));
  return { Version: '2012-10-17', Statement: wanted.map(({ when: _when, ...rest }) => rest) };
}

export interface GrantSubject {
  readonly roleArn: string;
  readonly region: string;
  readonly alarms: readonly string[];
  /** Names with `*`, or ARNs. */
  readonly functions: readonly string[];
}

/** What rules and Lambda actions of embedded pipelines need. Composite alarms are told only to who may ask for all. */
export function grantPermissions(grants: readonly GrantSubject[]): readonly Statement[] {
  const functions = grants.flatMap(({ roleArn, region, functions: names }) => {
    const [, partition = 'aws', , , account = ''] = roleArn.split(':');
    const place = `arn:${partition}:lambda:${region}:${account}:function`;
    return names.map((name) => (name.startsWith('arn:') ? name : `${place}:${name}`));
  });
  const reads = grants.some(({ alarms }) => alarms.length > 0);
  return [
    ...(reads ? [statement('ReadAlarms', ['cloudwatch:DescribeAlarms'], ['*'])] : []),
    ...(functions.length > 0 ? [statement('InvokeFunctions', ['lambda:InvokeFunction'], functions)] : []),
  ];
}

function statement(Sid: string, Action: readonly string[], resources: readonly string[]): Statement {
  return { Sid, Effect: 'Allow', Action, Resource: [...new Set(resources)].toSorted() };
}

function stageArns({ target, definition }: PolicySubject): readonly string[] {
  const arn = pipelineArn(target);
  return definition ? definition.stages.map((stage) => `${arn}/${stage.name}`) : [`${arn}/*`];
}

function approvalArns({ target, definition }: PolicySubject): readonly string[] {
  const arn = pipelineArn(target);
  if (!definition) return [`${arn}/*/*`];
  return definition.stages.flatMap((stage) =>
    stage.actions
      .filter(({ actionTypeId }) => actionTypeId.category === 'Approval')
      .map((action) => `${arn}/${stage.name}/${action.name}`),
  );
}

/** Only projects that the declaration names, in the pipeline's own account. */
function projectArns({ target, definition }: PolicySubject): readonly string[] {
  const partition = target.roleArn.split(':')[1] ?? 'aws';
  return (definition?.stages ?? []).flatMap((stage) =>
    stage.actions.flatMap(({ actionTypeId, configuration, region = target.region }) => {
      const project = configuration['ProjectName'];
      const isBuild = actionTypeId.provider === 'CodeBuild' && project !== undefined && !project.includes('#{');
      return isBuild ? [`arn:${partition}:codebuild:${region}:${target.account}:project/${project}`] : [];
    }),
  );
}

/** CodeBuild's usual log group; projects that write elsewhere need one more line. */
function logArn(project: string): string {
  return project.replace(':codebuild:', ':logs:').replace(':project/', ':log-group:/aws/codebuild/') + ':log-stream:*';
}

interface TrustStatement {
  readonly Effect: 'Allow';
  readonly Principal: { readonly AWS: string };
  readonly Action: readonly string[];
  readonly Condition?: { readonly StringEquals: { readonly 'sts:ExternalId': readonly string[] } };
}

/** Who may take the role: Penstock's own identity, with the external id of a repository that it drives (SEC-T-06). */
export function trustFor(
  targets: readonly Pick<AwsTarget, 'externalId'>[],
  principal: string,
): PolicyDocument<TrustStatement> {
  const ids = [...new Set(targets.map((target) => target.externalId))].toSorted();
  const who = { Effect: 'Allow', Principal: { AWS: principal } } as const;
  const condition = { StringEquals: { 'sts:ExternalId': ids } };
  return {
    Version: '2012-10-17',
    Statement: [
      { ...who, Action: ['sts:AssumeRole'], Condition: condition },
      { ...who, Action: ['sts:TagSession', 'sts:SetSourceIdentity'] },
    ],
  };
}
