import { findExecution } from '../../db/executions.ts';
import type { Actor, ExecutionId } from '../../pipeline/execution.ts';
import { executionIdFor } from '../../pipeline/ids.ts';
import type { PipelineCommand } from '../../pipeline/protocol.ts';
import { AwsRefusal } from './call-errors.ts';
import { findOwnRollback, type FoundExecution } from './find-executions.ts';
import { ask, boundTo, hostOf, type Bound, type Ground } from './ground.ts';
import { definitionOfRecord, findAwsRecord, insertAwsExecution, isTaken, type AwsRecord } from './records.ts';

export interface RollingBack {
  /** The execution whose work is brought back. */
  readonly record: AwsRecord;
  readonly awsId: string;
  readonly bound: Bound;
  readonly by: Actor;
}

type Rollback = Extract<PipelineCommand, { kind: 'rollback' }>;

/** A repeated command finds its own record. */
export async function rollback(ground: Ground, command: Rollback, about: RollingBack): Promise<void> {
  if (await findExecution(ground.db, command.execution)) return;
  if (about.record.execution.mode === 'PARALLEL') throw new AwsRefusal(noRollback);
  await saveMade(ground, command, about, await callRollback(ground, command, about));
}

/** RollbackStage takes no token (CP-O-3): the execution that the call without an answer made is looked for. */
export async function foundLostRollback(ground: Ground, command: Rollback, about: RollingBack): Promise<boolean> {
  if (await findExecution(ground.db, command.execution)) return true;
  const { repositoryId, pipeline } = about.record;
  const made = await findOwnRollback(ground, about.bound, { repositoryId, pipeline, targetAwsId: about.awsId });
  if (made !== undefined) await saveMade(ground, command, about, made);
  return made !== undefined;
}

function saveMade(ground: Ground, { execution: id }: Rollback, about: RollingBack, awsId: string): Promise<void> {
  return saveRollback(ground, about, { id, awsId, by: about.by, type: 'ManualRollback' });
}

const noRollback = {
  exception: 'UnableToRollbackStageException',
  message: 'A pipeline in PARALLEL mode has no rollback.',
  rule: 'SEC-T-10',
};

async function callRollback(ground: Ground, command: Rollback, { bound, awsId }: RollingBack): Promise<string> {
  const { pipelineName } = bound.target;
  const input = { pipelineName, stageName: command.stage, targetPipelineExecutionId: awsId };
  const answer = await ask(ground, bound, 'RollbackStage', (api) => api.rollbackStage(input));
  if (answer.pipelineExecutionId === undefined) throw new Error('RollbackStage answered without an execution id');
  return answer.pipelineExecutionId;
}

export async function adoptRollback(ground: Ground, target: ExecutionId, found: FoundExecution): Promise<void> {
  const record = await findAwsRecord(ground.db, target);
  if (!record) return;
  const { repositoryId, pipeline } = record;
  const id = executionIdFor(`aws/${repositoryId}/${found.awsId}`);
  if (await findExecution(ground.db, id)) return;
  const type = found.trigger.type === 'AutomatedRollback' ? 'AutomatedRollback' : 'ManualRollback';
  const bound = await boundTo(ground, repositoryId, pipeline);
  await saveRollback(ground, { bound, record }, { id, awsId: found.awsId, by: found.by, type });
}

/** It inherits from the execution whose work it brings back (CP-X-51). */
async function saveRollback(
  ground: Ground,
  { bound, record }: Pick<RollingBack, 'bound' | 'record'>,
  made: {
    readonly id: Rollback['execution'];
    readonly awsId: string;
    readonly by: Actor;
    readonly type: 'ManualRollback' | 'AutomatedRollback';
  },
): Promise<void> {
  const { execution: target, context, repositoryId } = record;
  const at = ground.now().toISOString();
  const definition = await definitionOfRecord(ground.db, record);
  const { lane, pipeline, mode, sourceRevisions, variables } = target;
  const execution = {
    id: made.id,
    lane,
    pipeline,
    mode,
    sourceRevisions,
    variables,
    type: 'ROLLBACK' as const,
    rollbackTarget: target.id,
    trigger: { type: made.type, detail: '' },
    startedAt: at,
    startedBy: made.by,
    updatedAt: at,
    stages: [],
    aws: { askedAt: at, executionId: made.awsId },
  };
  const host = hostOf(bound.target);
  const birth = { execution, definition, repositoryId, idempotencyKey: `rollback/${made.id}`, host, context };
  try {
    await ground.db.transaction().execute((trx) => insertAwsExecution(trx, birth, { afterMs: ground.pace.fastest }));
  } catch (error) {
    // The sweep, or another worker, has just put this very execution on record.
    if (!isTaken(error)) throw error;
  }
}
