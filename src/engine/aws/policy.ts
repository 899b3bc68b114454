import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { pipelineArn } from './call-errors.ts';
import { explainingStatements } from './policy-services.ts';
import type { AwsTarget } from './port.ts';

/** What stands in statements of its own and is left out unless it is wanted. */
export const optionalVerbs = ['stop', 'rollback', 'hold', 'override', 'nested-stacks'] as const;
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
    ...explainingStatements(subjects, verbs),
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

export function statement(Sid: string, Action: readonly string[], resources: readonly string[]): Statement {
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

/** What Penstock's own identity needs to take the roles that the operator named. */
export function ownPermissions(roles: readonly string[]): readonly Statement[] {
  const actions = ['sts:AssumeRole', 'sts:SetSourceIdentity', 'sts:TagSession'];
  return roles.length > 0 ? [statement('TakeRoles', actions, roles)] : [];
}

interface TrustStatement {
  readonly Effect: 'Allow';
  readonly Principal: { readonly AWS: string };
  readonly Action: readonly string[];
  readonly Condition?: { readonly StringEquals: { readonly 'sts:ExternalId': readonly string[] } };
}

/**
 * Who may take the role: Penstock's own identity, with the external id of a repository that it drives (SEC-T-06). A role
 * that only reads queues may go without one: the queues that it reads are all of one operator.
 */
export function trustFor(
  targets: readonly Partial<Pick<AwsTarget, 'externalId'>>[],
  principal: string,
): PolicyDocument<TrustStatement> {
  const ids = [...new Set(targets.flatMap(({ externalId }) => externalId ?? []))].toSorted();
  const who = { Effect: 'Allow', Principal: { AWS: principal } } as const;
  const condition = ids.length > 0 ? { Condition: { StringEquals: { 'sts:ExternalId': ids } } } : {};
  return {
    Version: '2012-10-17',
    Statement: [
      { ...who, Action: ['sts:AssumeRole'], ...condition },
      { ...who, Action: ['sts:TagSession', 'sts:SetSourceIdentity'] },
    ],
  };
}
