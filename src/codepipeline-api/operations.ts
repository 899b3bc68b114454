import { listActionExecutions } from './action-history.ts';
import { putApprovalResult } from './approval-result.ts';
import type { Call } from './door.ts';
import {
  acknowledgeJob,
  getJobDetails,
  pollForJobs,
  putJobFailureResult,
  putJobSuccessResult,
} from './job-operations.ts';
import { listTagsForResource, tagResource, untagResource } from './tag-operations.ts';
import {
  createCustomActionType,
  deleteCustomActionType,
  getActionType,
  listActionTypes,
  listRuleTypes,
} from './type-operations.ts';
import { startPipelineExecution, stopPipelineExecution } from './execution-commands.ts';
import { getPipelineExecution, listPipelineExecutions } from './execution-reads.ts';
import { createPipeline, deletePipeline, getPipeline, listPipelines, updatePipeline } from './pipeline-operations.ts';
import { getPipelineState } from './pipeline-state.ts';
import { listRuleExecutions } from './rule-history.ts';
import {
  disableStageTransition,
  enableStageTransition,
  overrideStageCondition,
  retryStageExecution,
  rollbackStage,
} from './stage-commands.ts';

import { listDeployActionExecutionTargets, putActionRevision } from './revision-operations.ts';
import { deleteWebhook, listWebhooks, putWebhook } from './webhook-operations.ts';
import { ApiError } from './api-error.ts';

export interface ServedOperation {
  readonly run: (call: Call, input: never) => Promise<unknown>;
  /** A read-only key may not ask for it. */
  readonly writes: boolean;
  /** A row of the audit tells of it; what moves an execution has one in the transaction that moves it. */
  readonly audited: boolean;
}

const reads = (run: ServedOperation['run']): ServedOperation => ({ run, writes: false, audited: false });
const writes = (run: ServedOperation['run']): ServedOperation => ({ run, writes: true, audited: false });
const manages = (run: ServedOperation['run']): ServedOperation => ({ run, writes: true, audited: true });

/** For what only partners of AWS have: to everybody else such things are not there (CP-J-18). */
const absent = (code: string): ServedOperation => ({
  run: () => Promise.reject(new ApiError(code, 'There is nothing of this kind on this server.')),
  writes: true,
  audited: false,
});

/** Operations by their name on the wire. One that is not here is unknown (CP section 8). */
export const operations: Readonly<Record<string, ServedOperation>> = {
  AcknowledgeJob: writes(acknowledgeJob),
  AcknowledgeThirdPartyJob: absent('JobNotFoundException'),
  CreateCustomActionType: manages(createCustomActionType),
  CreatePipeline: manages(createPipeline),
  DeleteCustomActionType: manages(deleteCustomActionType),
  DeletePipeline: manages(deletePipeline),
  DeleteWebhook: manages(deleteWebhook),
  DeregisterWebhookWithThirdParty: absent('WebhookNotFoundException'),
  DisableStageTransition: writes(disableStageTransition),
  EnableStageTransition: writes(enableStageTransition),
  GetActionType: reads(getActionType),
  GetJobDetails: writes(getJobDetails),
  GetPipeline: reads(getPipeline),
  GetPipelineExecution: reads(getPipelineExecution),
  GetPipelineState: reads(getPipelineState),
  GetThirdPartyJobDetails: absent('JobNotFoundException'),
  ListActionExecutions: reads(listActionExecutions),
  ListActionTypes: reads(listActionTypes),
  ListDeployActionExecutionTargets: reads(listDeployActionExecutionTargets),
  ListPipelineExecutions: reads(listPipelineExecutions),
  ListPipelines: reads(listPipelines),
  ListRuleExecutions: reads(listRuleExecutions),
  ListRuleTypes: reads(listRuleTypes),
  ListTagsForResource: reads(listTagsForResource),
  ListWebhooks: reads(listWebhooks),
  OverrideStageCondition: writes(overrideStageCondition),
  PollForJobs: writes(pollForJobs),
  PollForThirdPartyJobs: absent('ActionTypeNotFoundException'),
  PutActionRevision: writes(putActionRevision),
  PutApprovalResult: writes(putApprovalResult),
  PutJobFailureResult: writes(putJobFailureResult),
  PutJobSuccessResult: writes(putJobSuccessResult),
  PutThirdPartyJobFailureResult: absent('JobNotFoundException'),
  PutThirdPartyJobSuccessResult: absent('JobNotFoundException'),
  PutWebhook: manages(putWebhook),
  RegisterWebhookWithThirdParty: absent('WebhookNotFoundException'),
  RetryStageExecution: writes(retryStageExecution),
  RollbackStage: writes(rollbackStage),
  StartPipelineExecution: writes(startPipelineExecution),
  StopPipelineExecution: writes(stopPipelineExecution),
  TagResource: manages(tagResource),
  UntagResource: manages(untagResource),
  UpdateActionType: absent('ActionTypeNotFoundException'),
  UpdatePipeline: manages(updatePipeline),
};
