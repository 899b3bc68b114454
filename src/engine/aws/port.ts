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
import type { BatchGetBuildsInput, BatchGetBuildsOutput } from '@aws-sdk/client-codebuild';
import type { GetLogEventsRequest, GetLogEventsResponse } from '@aws-sdk/client-cloudwatch-logs';

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
}

export interface CloudWatchLogsApi {
  getLogEvents(input: GetLogEventsRequest): Promise<GetLogEventsResponse>;
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

/** Clients by account, region, role and session. */
export interface AwsClients {
  codePipeline(target: AwsTarget, subject: AwsSubject): Promise<CodePipelineApi>;
  codeBuild(target: AwsTarget, subject: AwsSubject): Promise<CodeBuildApi>;
  logs(target: AwsTarget, subject: AwsSubject): Promise<CloudWatchLogsApi>;
}
