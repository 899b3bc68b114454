import { knownAwsExecutions } from '../../db/aws-executions.ts';
import type { PipelineCommand, Refusal } from '../../pipeline/protocol.ts';
import type { Recheck } from '../engine.ts';
import type { ActionRun, Actor } from '../../pipeline/execution.ts';
import { AwsRefusal } from './call-errors.ts';
import { ask, type Bound, type Ground } from './ground.ts';
import { pipelineState } from './look.ts';
import { changeRecord, findAwsRecord, type AwsRecord } from './records.ts';

export type ApprovalAnswer = Extract<PipelineCommand, { kind: 'approve' | 'reject' }>;

export interface Answering {
  readonly bound: Bound;
  readonly record: AwsRecord;
  readonly awsId: string;
  readonly by: Actor;
  readonly recheck: Recheck | undefined;
}

/**
 * Answers an approval. Right before: is it still this very request that waits, in this execution (SEC-T-08), and do the
 * votes still say so? AWS cannot join our transaction, so the votes are read in one of their own that ends just before.
 */
export async function answerApproval(ground: Ground, command: ApprovalAnswer, about: Answering): Promise<void> {
  const { bound, record, by } = about;
  if (await isSomebodyElses(ground, command, about)) throw new AwsRefusal(notWaiting(command));
  const refusal = about.recheck && (await ground.db.transaction().execute(about.recheck));
  if (refusal) throw new AwsRefusal(refusal);
  const { stage: stageName, action: actionName } = command;
  const status = command.kind === 'approve' ? ('Approved' as const) : ('Rejected' as const);
  const result = { status, summary: command.summary };
  const input = { pipelineName: bound.target.pipelineName, stageName, actionName, token: command.token, result };
  await ask(ground, bound, 'PutApprovalResult', (api) => api.putApprovalResult(input));
  await rememberAnswer(ground, record, command, by);
}

/**
 * Whether another execution stands at the gate now. A token means one attempt of one action, and CodePipeline itself says
 * whether that still waits; its executions in PARALLEL mode do not see each other (SEC-T-10).
 */
async function isSomebodyElses(ground: Ground, command: ApprovalAnswer, about: Answering): Promise<boolean> {
  const { bound, record, awsId } = about;
  if (record.execution.mode === 'PARALLEL') return false;
  const state = await pipelineState(ground, bound);
  const stage = state.stageStates?.find((one) => one.stageName === command.stage);
  const there = stage?.latestExecution?.pipelineExecutionId;
  return there !== undefined && there !== awsId && !(await isOlder(ground, record, there));
}

/** Then the read is late: it shows the one before ours (CP-X-69). */
async function isOlder(ground: Ground, { repositoryId, pipeline, execution }: AwsRecord, awsId: string) {
  const [known] = await knownAwsExecutions(ground.db, { repositoryId, pipeline }, [awsId]);
  const other = known && (await findAwsRecord(ground.db, known.id));
  return other !== undefined && other.execution.startedAt < execution.startedAt;
}

function notWaiting(command: ApprovalAnswer): Refusal {
  return {
    exception: 'InvalidApprovalTokenException',
    rule: 'SEC-T-08',
    message: `CodePipeline does not wait for this answer to ${command.stage}/${command.action} any more: it was answered elsewhere, has expired, or another execution stands there now. Look at the check again.`,
  };
}

/** Ended at once: CodePipeline took the answer, and its reads follow seconds later (CP-A-3, CP-A-4, CP-X-69). */
function answered(run: ActionRun, { kind, summary }: ApprovalAnswer, answeredBy: Actor, endedAt: string): ActionRun {
  const { token: _token, ...rest } = run;
  const ended = { ...rest, phase: 'ended' as const, endedAt, summary, answeredBy };
  if (kind === 'approve') return { ...ended, status: 'Succeeded' };
  return { ...ended, status: 'Failed', error: { code: 'JobFailed', message: summary } };
}

/** CodePipeline only knows our role; the person is ours to remember. */
async function rememberAnswer(ground: Ground, record: AwsRecord, command: ApprovalAnswer, by: Actor): Promise<void> {
  const updatedAt = ground.now().toISOString();
  await changeRecord(ground.db, record.execution.id, ({ execution }) => ({
    execution: {
      ...execution,
      updatedAt,
      stages: execution.stages.map((stage) => ({
        ...stage,
        actions: stage.actions.map((run) => {
          if (stage.stage !== command.stage || run.token !== command.token) return run;
          return answered(run, command, by, updatedAt);
        }),
      })),
    },
  }));
}
