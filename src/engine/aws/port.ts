import type {
  DisableStageTransitionInput,
  EnableStageTransitionInput,
  GetPipelineExecutionInput,
  GetPipelineExecutionOutput,
  GetPipelineInput,
  GetPipelineOutput,
  GetPipelineStateInput,
  GetPipelineStateOutput,
  ListActionExecutionsInput,
  ListActionExecutionsOutput,
  ListPipelineExecutionsInput,
  ListPipelineExecutionsOutput,
  ListRuleExecutionsInput,
  ListRuleExecutionsOutput,
  OverrideStageConditionInput,
  PutApprovalResultInput,
  PutApprovalResultOutput,
  RetryStageExecutionInput,
  RetryStageExecutionOutput,
  RollbackStageInput,
  RollbackStageOutput,
  StartPipelineExecutionInput,
  StartPipelineExecutionOutput,
  StopPipelineExecutionInput,
  StopPipelineExecutionOutput,
} from '@aws-sdk/client-codepipeline';
import type {
  DescribeChangeSetInput,
  DescribeChangeSetOutput,
  DescribeStackEventsInput,
  DescribeStackEventsOutput,
} from '@aws-sdk/client-cloudformation';
import type {
  FilterLogEventsRequest,
  FilterLogEventsResponse,
  GetLogEventsRequest,
  GetLogEventsResponse,
} from '@aws-sdk/client-cloudwatch-logs';
import type {
  BatchGetBuildsInput,
  BatchGetBuildsOutput,
  BatchGetReportsInput,
  BatchGetReportsOutput,
  DescribeTestCasesInput,
  DescribeTestCasesOutput,
} from '@aws-sdk/client-codebuild';
import type {
  BatchGetDeploymentTargetsInput,
  BatchGetDeploymentTargetsOutput,
  GetDeploymentInput,
  GetDeploymentOutput,
  ListDeploymentTargetsInput,
  ListDeploymentTargetsOutput,
} from '@aws-sdk/client-codedeploy';
import type {
  DescribeServicesRequest,
  DescribeServicesResponse,
  DescribeTasksRequest,
  DescribeTasksResponse,
} from '@aws-sdk/client-ecs';
import type { FunctionConfiguration, GetFunctionConfigurationRequest } from '@aws-sdk/client-lambda';

/** The calls of CodePipeline that we make, in their promise form only. The SDK's own client fits, and so does a fake. */
export interface CodePipelineApi {
  getPipeline(input: GetPipelineInput): Promise<GetPipelineOutput>;
  getPipelineState(input: GetPipelineStateInput): Promise<GetPipelineStateOutput>;
  getPipelineExecution(input: GetPipelineExecutionInput): Promise<GetPipelineExecutionOutput>;
  listPipelineExecutions(input: ListPipelineExecutionsInput): Promise<ListPipelineExecutionsOutput>;
  listActionExecutions(input: ListActionExecutionsInput): Promise<ListActionExecutionsOutput>;
  listRuleExecutions(input: ListRuleExecutionsInput): Promise<ListRuleExecutionsOutput>;
  startPipelineExecution(input: StartPipelineExecutionInput): Promise<StartPipelineExecutionOutput>;
  stopPipelineExecution(input: StopPipelineExecutionInput): Promise<StopPipelineExecutionOutput>;
  retryStageExecution(input: RetryStageExecutionInput): Promise<RetryStageExecutionOutput>;
  rollbackStage(input: RollbackStageInput): Promise<RollbackStageOutput>;
  putApprovalResult(input: PutApprovalResultInput): Promise<PutApprovalResultOutput>;
  overrideStageCondition(input: OverrideStageConditionInput): Promise<object>;
  enableStageTransition(input: EnableStageTransitionInput): Promise<object>;
  disableStageTransition(input: DisableStageTransitionInput): Promise<object>;
}

export interface CodeBuildApi {
  batchGetBuilds(input: BatchGetBuildsInput): Promise<BatchGetBuildsOutput>;
  batchGetReports(input: BatchGetReportsInput): Promise<BatchGetReportsOutput>;
  describeTestCases(input: DescribeTestCasesInput): Promise<DescribeTestCasesOutput>;
}

export interface CloudWatchLogsApi {
  getLogEvents(input: GetLogEventsRequest): Promise<GetLogEventsResponse>;
  filterLogEvents(input: FilterLogEventsRequest): Promise<FilterLogEventsResponse>;
}

export interface CloudFormationApi {
  describeStackEvents(input: DescribeStackEventsInput): Promise<DescribeStackEventsOutput>;
  describeChangeSet(input: DescribeChangeSetInput): Promise<DescribeChangeSetOutput>;
}

export interface CodeDeployApi {
  getDeployment(input: GetDeploymentInput): Promise<GetDeploymentOutput>;
  listDeploymentTargets(input: ListDeploymentTargetsInput): Promise<ListDeploymentTargetsOutput>;
  batchGetDeploymentTargets(input: BatchGetDeploymentTargetsInput): Promise<BatchGetDeploymentTargetsOutput>;
}

export interface EcsApi {
  describeServices(input: DescribeServicesRequest): Promise<DescribeServicesResponse>;
  describeTasks(input: DescribeTasksRequest): Promise<DescribeTasksResponse>;
}

export interface LambdaApi {
  getFunctionConfiguration(input: GetFunctionConfigurationRequest): Promise<FunctionConfiguration>;
}

/** Where a bound pipeline is and with which role it is driven; from penstock.server.yml only (SEC-T-05). */
export interface AwsTarget {
  readonly account: string;
  readonly region: string;
  readonly pipelineName: string;
  readonly roleArn: string;
  readonly externalId: string;
}

/** For whom a call is made: it becomes the role session's name, tags and source identity (SEC-T-06). */
export interface AwsSubject {
  readonly repositoryId: number;
  readonly repository: string;
  readonly pullRequest?: number;
  readonly execution?: string;
  /** The GitHub login of the person who asked. */
  readonly person?: string;
}

export interface AwsApis {
  readonly codePipeline: CodePipelineApi;
  readonly codeBuild: CodeBuildApi;
  readonly logs: CloudWatchLogsApi;
  readonly cloudFormation: CloudFormationApi;
  readonly codeDeploy: CodeDeployApi;
  readonly ecs: EcsApi;
  readonly lambda: LambdaApi;
}

/** Clients by account, region, role and session. */
export type AwsClients = {
  readonly [Name in keyof AwsApis]: (target: AwsTarget, subject: AwsSubject) => Promise<AwsApis[Name]>;
};

export interface AwsSessions extends AwsClients {
  /** Drops a session that AWS calls expired: the next call takes the role anew. */
  readonly renew: (target: AwsTarget, subject: AwsSubject) => void;
}
