import type { PipelineCommand, Refusal } from '../../pipeline/protocol.ts';
import type { Recheck } from '../engine.ts';
import type { ActionRun, Actor } from '../../pipeline/execution.ts';
import { AwsRefusal } from './call-errors.ts';
import { ask, type Bound, type Ground } from './ground.ts';
import { allActions, pipelineState } from './look.ts';
import { changeRecord, type AwsRecord } from './records.ts';

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
  const token = await waitingToken(ground, command, about);
  if (token !== command.token) throw new AwsRefusal(notWaiting(command));
  const refusal = about.recheck && (await ground.db.transaction().execute(about.recheck));
  if (refusal) throw new AwsRefusal(refusal);
  const { stage: stageName, action: actionName } = command;
  const status = command.kind === 'approve' ? ('Approved' as const) : ('Rejected' as const);
  const result = { status, summary: command.summary };
  const input = { pipelineName: bound.target.pipelineName, stageName, actionName, token, result };
  await ask(ground, bound, 'PutApprovalResult', (api) => api.putApprovalResult(input));
  await rememberAnswer(ground, record, command, by);
}

/** The token of the request that waits now; in PARALLEL mode only the list of actions has it (CP-A-1, SEC-T-10). */
async function waitingToken(ground: Ground, command: ApprovalAnswer, about: Answering): Promise<string | undefined> {
  const { bound, record, awsId } = about;
  if (record.execution.mode === 'PARALLEL') {
    const actions = await allActions(ground, bound, awsId);
    const open = actions.find(
      (one) => one.stageName === command.stage && one.actionName === command.action && one.status === 'InProgress',
    );
    return open?.output?.executionResult?.externalExecutionId;
  }
  const state = await pipelineState(ground, bound);
  const stage = state.stageStates?.find((one) => one.stageName === command.stage);
  if (stage?.latestExecution?.pipelineExecutionId !== awsId) return undefined;
  return stage.actionStates?.find((one) => one.actionName === command.action)?.latestExecution?.token;
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
