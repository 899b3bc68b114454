import { listActionExecutions } from './action-history.ts';
import { putApprovalResult } from './approval-result.ts';
import type { Call } from './door.ts';
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

export interface ServedOperation {
  readonly run: (call: Call, input: never) => Promise<unknown>;
  /** A read-only key may not ask for it. */
  readonly writes: boolean;
}

const reads = (run: ServedOperation['run']): ServedOperation => ({ run, writes: false });
const writes = (run: ServedOperation['run']): ServedOperation => ({ run, writes: true });

/** Operations by their name on the wire. One that is not here is unknown (CP section 8). */
export const operations: Readonly<Record<string, ServedOperation>> = {
  CreatePipeline: writes(createPipeline),
  DeletePipeline: writes(deletePipeline),
  DisableStageTransition: writes(disableStageTransition),
  EnableStageTransition: writes(enableStageTransition),
  GetPipeline: reads(getPipeline),
  GetPipelineExecution: reads(getPipelineExecution),
  GetPipelineState: reads(getPipelineState),
  ListActionExecutions: reads(listActionExecutions),
  ListPipelineExecutions: reads(listPipelineExecutions),
  ListPipelines: reads(listPipelines),
  ListRuleExecutions: reads(listRuleExecutions),
  OverrideStageCondition: writes(overrideStageCondition),
  PutApprovalResult: writes(putApprovalResult),
  RetryStageExecution: writes(retryStageExecution),
  RollbackStage: writes(rollbackStage),
  StartPipelineExecution: writes(startPipelineExecution),
  StopPipelineExecution: writes(stopPipelineExecution),
  UpdatePipeline: writes(updatePipeline),
};
