import { enqueueObservation } from '../../db/aws-executions.ts';
import { UserError } from '../../errors.ts';
import { boundTo, type Ground } from './ground.ts';
import { pipelineState } from './look.ts';
import { tellTrouble } from './observe.ts';
import { findAwsRecord, type AwsRecord } from './records.ts';
import { finishStart } from './start.ts';
import { take } from './take.ts';

/** Makes one stored execution true again, whatever was seen of it before. Others of its pipeline are not looked at. */
export async function refresh(ground: Ground, id: string): Promise<void> {
  const record = await findAwsRecord(ground.db, id);
  if (!record) return;
  if (record.execution.aws.executionId === undefined) {
    if (record.live) await finishStart(ground, id);
    return;
  }
  try {
    await tellTrouble(ground, [record], () => look(ground, record));
  } catch (error) {
    if (!(error instanceof UserError) || !record.live) throw error;
    // Somebody has to mend a permission or the binding; it is looked at again meanwhile.
    await enqueueObservation(ground.db, record, ground.pace.slowestWaiting);
  }
}

async function look(ground: Ground, record: AwsRecord): Promise<void> {
  const bound = await boundTo(ground, record.repositoryId, record.pipeline);
  await ground.budget.admit(bound.target.account, 'look');
  const state = record.execution.mode === 'PARALLEL' ? undefined : await pipelineState(ground, bound);
  const after = await take(ground, bound, record, { told: undefined, state, actions: undefined });
  const isOpen = after?.live === true || after?.execution.aws.seen === undefined;
  if (isOpen) await enqueueObservation(ground.db, record, ground.pace.fastest);
}
