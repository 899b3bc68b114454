import { enqueueObservation } from '../../db/aws-executions.ts';
import { newestForLane } from '../../db/executions.ts';
import { recordMove } from '../../db/pipeline-decisions.ts';
import { UserError } from '../../errors.ts';
import type { Actor, Ending, ExecutionId } from '../../pipeline/execution.ts';
import type { PipelineCommand, Refusal } from '../../pipeline/protocol.ts';
import type { Obeyed, Recheck } from '../engine.ts';
import { answerApproval } from './approve.ts';
import { askOnce } from './ask-once.ts';
import { AwsRefusal } from './call-errors.ts';
import { ask, boundForPerson, type Bound, type Ground } from './ground.ts';
import { changeRecord, findAwsRecord, type AwsRecord } from './records.ts';
import { conditionKind } from './intents.ts';
import { foundLostRollback, rollback } from './rollback.ts';

/** AWS shows what a call changed after a moment (CP-X-69). */
const soonMs = 2_000;

/** Passes a command on to CodePipeline. What AWS says no to is a refusal with its own words; the record is looked at anew. */
export async function obey(
  ground: Ground,
  command: PipelineCommand,
  by: Actor,
  recheck: Recheck | undefined,
): Promise<Obeyed> {
  const record = await subjectOf(ground, command);
  if (!record) return { outcome: 'refused', refusal: unknownExecution };
  if (isLeftAlone(command, record)) return { outcome: 'done' };
  const bound = await boundForPerson(ground, record, by);
  try {
    await pass(ground, command, { record, bound, by, recheck });
    // An answer is recorded where it is stored, whoever gave it.
    if (!isAnswer(command)) await recordMove(ground.db, { ...record, input: command, by });
    const updatedAt = ground.now().toISOString();
    await changeRecord(ground.db, record.execution.id, ({ execution }) => ({ execution: { ...execution, updatedAt } }));
    await enqueueObservation(ground.db, record, soonMs);
    return { outcome: 'done' };
  } catch (error) {
    if (!(error instanceof AwsRefusal)) throw error;
    await enqueueObservation(ground.db, record, 0);
    return { outcome: 'refused', refusal: error.refusal };
  }
}

/** What AWS itself started follows the mode of the pipeline there, whatever becomes of the commit. */
function isLeftAlone({ kind }: PipelineCommand, { execution, live }: AwsRecord): boolean {
  return kind === 'withdraw' && (execution.aws.adopted === true || !live);
}

function isAnswer({ kind }: PipelineCommand): boolean {
  return kind === 'approve' || kind === 'reject';
}

/** Undefined: the command names an execution that is not on record. */
async function subjectOf(ground: Ground, command: PipelineCommand): Promise<AwsRecord | undefined> {
  const named = command.kind === 'rollback' ? command.target : 'execution' in command ? command.execution : undefined;
  const id = named ?? (await newestForLane(ground.db, command.lane))?.execution.id;
  const record = id === undefined ? undefined : await findAwsRecord(ground.db, id);
  if (!record && named === undefined)
    throw new UserError(`There is no execution of CodePipeline in ${command.lane}: nothing ran there yet.`);
  return record;
}

const unknownExecution = refusal(
  'PipelineExecutionNotFoundException',
  'That execution is not known here. Look at the check again for the newest one.',
);

interface About {
  readonly record: AwsRecord;
  readonly bound: Bound;
  readonly by: Actor;
  readonly recheck: Recheck | undefined;
}

async function pass(ground: Ground, command: PipelineCommand, about: About): Promise<void> {
  if (command.kind === 'withdraw') return withdraw(ground, command, about);
  if (command.kind === 'stop' && about.record.execution.aws.executionId === undefined) return dropIntent(ground, about);
  const awsId = startedId(about.record);
  switch (command.kind) {
    case 'approve':
    case 'reject':
      return askOnce(ground, command, about, { call: () => answerApproval(ground, command, { ...about, awsId }) });
    case 'retry':
      refuseReplaced(about.record);
      return askOnce(ground, command, about, { call: () => retry(ground, command, { ...about, awsId }) });
    case 'stop':
      return askOnce(ground, command, about, { call: () => stop(ground, command, { ...about, awsId }) });
    case 'rollback':
      return askOnce(ground, command, about, {
        call: () => rollback(ground, command, { ...about, awsId }),
        recover: () => foundLostRollback(ground, command, { ...about, awsId }),
      });
    case 'override':
      return askOnce(ground, command, about, {
        call: () => override(ground, command, { ...about, awsId }),
        // In PARALLEL mode no read names it, and without it the stage would stay failed.
        remember: () => rememberOverride(ground, command, about),
      });
    case 'disable-transition':
    case 'enable-transition':
      return setTransition(ground, command, about.bound);
    default:
      return command satisfies never;
  }
}

function startedId({ execution }: AwsRecord): string {
  const { executionId } = execution.aws;
  if (executionId !== undefined) return executionId;
  throw new AwsRefusal(
    refusal('PipelineExecutionNotFoundException', 'CodePipeline has not taken this start yet; try again in a minute.'),
  );
}

/** CodePipeline only sees a stopped execution, which it would run again. */
function refuseReplaced({ execution: { ending } }: AwsRecord): void {
  if (ending?.as !== 'Superseded' || ending.by.sha === undefined) return;
  const message = `Commit ${ending.by.sha.slice(0, 7)} took the place of this execution; retry the execution of that commit.`;
  throw new AwsRefusal(refusal('StageNotRetryableException', message));
}

type Started = About & { readonly awsId: string };

async function retry(
  ground: Ground,
  { stage: stageName, mode: retryMode }: Extract<PipelineCommand, { kind: 'retry' }>,
  { bound, awsId }: Started,
): Promise<void> {
  const input = { pipelineName: bound.target.pipelineName, stageName, pipelineExecutionId: awsId, retryMode };
  await ask(ground, bound, 'RetryStageExecution', (api) => api.retryStageExecution(input));
}

async function override(
  ground: Ground,
  command: Extract<PipelineCommand, { kind: 'override' }>,
  about: Started,
): Promise<void> {
  const { stage: stageName, condition: conditionType } = command;
  const { pipelineName } = about.bound.target;
  const input = { pipelineName, stageName, pipelineExecutionId: about.awsId, conditionType };
  await ask(ground, about.bound, 'OverrideStageCondition', (api) => api.overrideStageCondition(input));
  await rememberOverride(ground, command, about);
}

/** CodePipeline only knows our role; the person is ours to remember. */
async function rememberOverride(
  ground: Ground,
  { stage, condition }: Extract<PipelineCommand, { kind: 'override' }>,
  { record, by }: About,
): Promise<void> {
  const at = ground.now().toISOString();
  const kind = conditionKind(condition);
  await changeRecord(ground.db, record.execution.id, ({ execution }) => ({
    execution: {
      ...execution,
      updatedAt: at,
      stages: execution.stages.map((run) => {
        const known = run.conditions?.[kind];
        if (run.stage !== stage || !known) return run;
        const conditions = { ...run.conditions, [kind]: { ...known, overridden: known.overridden ?? { at, by } } };
        const { endedAt: _endedAt, ...open } = run;
        // From the entrance the stage begins now.
        return { ...(kind === 'beforeEntry' ? open : run), conditions };
      }),
    },
  }));
}

function refusal(exception: string, message: string): Refusal {
  return { exception, message, rule: 'CP-8.2' };
}

async function stop(
  ground: Ground,
  command: Extract<PipelineCommand, { kind: 'stop' }>,
  { record, bound, by, awsId }: Started,
): Promise<void> {
  const { abandon, reason } = command;
  const base = { pipelineName: bound.target.pipelineName, pipelineExecutionId: awsId, abandon };
  const input = { ...base, ...(reason === undefined ? {} : { reason: reason.slice(0, 200) }) };
  await ask(ground, bound, 'StopPipelineExecution', (api) => api.stopPipelineExecution(input));
  const at = ground.now().toISOString();
  const asked = { abandon, at, by, ...(reason === undefined ? {} : { reason }) };
  await changeRecord(ground.db, record.execution.id, ({ execution }) => ({
    execution: { ...execution, stop: asked, updatedAt: at },
  }));
}

/** A start that AWS has not taken yet just does not happen. */
async function dropIntent(ground: Ground, { record }: About): Promise<void> {
  const at = ground.now().toISOString();
  await end(ground, record.execution.id, { as: 'Stopped', at, why: 'Stopped before CodePipeline took the start.' });
}

/** A newer commit, or the closing of the pull request, ends what we started for the older one. */
async function withdraw(
  ground: Ground,
  { because }: Extract<PipelineCommand, { kind: 'withdraw' }>,
  { record, bound }: About,
): Promise<void> {
  const { id, aws } = record.execution;
  const at = ground.now().toISOString();
  const ending = endingBecause(because, at);
  if (aws.executionId !== undefined && !(await stopWithdrawn(ground, bound, aws.executionId))) return;
  await end(ground, id, ending);
}

function endingBecause(because: Extract<PipelineCommand, { kind: 'withdraw' }>['because'], at: string): Ending {
  switch (because.kind) {
    case 'newer-commit':
      return { as: 'Superseded', at, by: { sha: because.sha } };
    case 'closed':
      return { as: 'Stopped', at, why: `The pull request was ${because.merged ? 'merged' : 'closed'}.` };
    case 'base-changed':
      return { as: 'Stopped', at, why: `The pull request goes into ${because.base} now.` };
    case 'configuration-changed':
      return { as: 'Stopped', at, why: 'It was started anew under the configuration of today.' };
    default:
      return because satisfies never;
  }
}

/** False: the role may not stop it, so it goes on; that must not keep the newer commit from starting. */
async function stopWithdrawn(ground: Ground, bound: Bound, awsId: string): Promise<boolean> {
  const { pipelineName } = bound.target;
  const input = { pipelineName, pipelineExecutionId: awsId, abandon: true, reason: 'Withdrawn by Penstock' };
  try {
    await ask(ground, bound, 'StopPipelineExecution', (api) => api.stopPipelineExecution(input));
    return true;
  } catch (error) {
    if (error instanceof AwsRefusal && isOverAlready(error)) return true;
    if (!(error instanceof UserError)) throw error;
    ground.log.warn(
      { execution: bound.subject.execution, error: error.message },
      'an older execution could not be stopped',
    );
    return false;
  }
}

function isOverAlready({ refusal: { exception } }: AwsRefusal): boolean {
  return exception === 'PipelineExecutionNotStoppableException' || exception === 'DuplicatedStopRequestException';
}

async function end(ground: Ground, id: ExecutionId, ending: Ending): Promise<void> {
  const stop = { abandon: true, at: ending.at, by: { kind: 'penstock', why: 'withdrawn' } } as const;
  await changeRecord(ground.db, id, ({ execution }) =>
    execution.ending ? undefined : { execution: { ...execution, stop, ending, updatedAt: ending.at } },
  );
}

/** On AWS a transition belongs to the pipeline: it holds the executions of every pull request. */
async function setTransition(
  ground: Ground,
  command: Extract<PipelineCommand, { kind: 'disable-transition' | 'enable-transition' }>,
  bound: Bound,
): Promise<void> {
  const { stage: stageName, transition: transitionType } = command;
  const input = { pipelineName: bound.target.pipelineName, stageName, transitionType };
  if (command.kind === 'enable-transition') {
    await ask(ground, bound, 'EnableStageTransition', (api) => api.enableStageTransition(input));
    return;
  }
  const reason = transitionReason(command.reason, bound);
  await ask(ground, bound, 'DisableStageTransition', (api) => api.disableStageTransition({ ...input, reason }));
}

/** AWS wants 1 to 300 of a few characters (CP-X-23); a comma is enough to be refused. */
function transitionReason(reason: string | undefined, { subject }: Bound): string {
  const who = subject.person === undefined ? 'Held by Penstock' : `Held by ${subject.person}`;
  const text = reason === undefined || reason === '' ? who : `${who} - ${reason}`;
  return text.replaceAll(/[^a-zA-Z0-9!@ ().*?-]/g, ' ').slice(0, 300);
}
