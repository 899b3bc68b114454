import type { GetPipelineStateOutput, PipelineExecutionSummary } from '@aws-sdk/client-codepipeline';
import { openAwsRecords, quietTimes, recordLook, type Watched } from '../../db/aws-executions.ts';
import { describeError, TransientError, UserError } from '../../errors.ts';
import { attemptsOf } from '../../pipeline/status.ts';
import { asAws } from './aws-execution.ts';
import { NoSuchPipeline } from './call-errors.ts';
import { compare, isRunning, newest, type FoundExecution } from './find-executions.ts';
import { fingerprintOf } from './fingerprint.ts';
import { boundTo, type Bound, type Ground } from './ground.ts';
import { actionsOfSeveral, pipelineState } from './look.ts';
import { nextLookMs, paceFor } from './pace.ts';
import { changeRecord, findAwsRecord, type AwsRecord } from './records.ts';
import { take, toldOf, type Told } from './take.ts';

/** What one look at a pipeline brought. */
export interface Observation {
  /** Executions that are not on record here. */
  readonly strangers: readonly FoundExecution[];
  /** When to look again, as long as something of it is live. */
  readonly againAfterMs?: number;
}

interface Shared {
  readonly bound: Bound;
  readonly summaries: ReadonlyMap<string, PipelineExecutionSummary>;
  /** Undefined when all of its executions run in PARALLEL mode: there the state knows none of them (CP 2.2). */
  readonly state: GetPipelineStateOutput | undefined;
}

/**
 * One look at all that runs of a pipeline: two reads that they share, and reads of their own only for executions of
 * which these say that something moved.
 */
export async function observe(ground: Ground, watched: Watched): Promise<Observation> {
  return tellTrouble(ground, await openRecords(ground, watched), () => look(ground, watched));
}

/**
 * What only a person can mend, a permission or the binding, is said in the check of everything that cannot be looked at,
 * until a look goes well.
 */
export async function tellTrouble<T>(
  ground: Ground,
  records: readonly AwsRecord[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    for (const { execution, live } of records) {
      if (!live) continue;
      await changeRecord(ground.db, execution.id, ({ execution: now }) =>
        now.notice === error.message ? undefined : { execution: { ...now, notice: error.message } },
      );
    }
    throw error;
  }
}

async function look(ground: Ground, watched: Watched): Promise<Observation> {
  const bound = await boundTo(ground, watched.repositoryId, watched.pipeline);
  await ground.budget.admit(bound.target.account, 'look');
  const known = await openRecords(ground, watched);
  const told = await newest(ground, bound).catch(async (error: unknown) => {
    if (error instanceof NoSuchPipeline) await lookAt(ground, nothingShared(bound), known);
    throw error;
  });
  const { strangers, revived } = await compare(ground, bound, watched, told);
  const records = [...known, ...(await recordsOf(ground, revived))];
  const hasStages = records.some(({ execution }) => execution.mode !== 'PARALLEL');
  const state = hasStages ? await pipelineState(ground, bound) : undefined;
  const summaries = new Map(told.map((one) => [one.pipelineExecutionId ?? '', one]));
  const after = await lookAt(ground, { bound, summaries, state }, records);
  await recordLook(ground.db, watched);
  // Some run again there, and the list of their actions still ends with what went before (CP-X-69).
  const open = after.filter(
    (record) =>
      record.live || record.execution.aws.seen === undefined || isRunning(summaries.get(awsIdOf(record))?.status),
  );
  return { strangers, ...(open.length > 0 ? { againAfterMs: await delayOf(ground, watched, open) } : {}) };
}

/** Of a pipeline that was deleted: its executions are asked for one by one, and end as gone after a while. */
function nothingShared(bound: Bound): Shared {
  return { bound, summaries: new Map(), state: undefined };
}

/** Known to CodePipeline; starts that it has not taken yet have a job of their own. */
async function openRecords(ground: Ground, watched: Watched): Promise<readonly AwsRecord[]> {
  const open = await openAwsRecords(ground.db, watched);
  return open.flatMap((record): AwsRecord[] => {
    const execution = asAws(record.execution);
    return execution?.aws.executionId === undefined ? [] : [{ ...record, execution }];
  });
}

async function recordsOf(ground: Ground, ids: readonly string[]): Promise<readonly AwsRecord[]> {
  const records = await Promise.all(ids.map((id) => findAwsRecord(ground.db, id)));
  return records.filter((record) => record !== undefined);
}

/** The records afterwards. One that cannot be looked at does not keep the others from it. */
async function lookAt(ground: Ground, shared: Shared, records: readonly AwsRecord[]): Promise<readonly AwsRecord[]> {
  const seen = records.map((record) => ({ record, told: tell(shared, record) }));
  const moved = seen.filter(({ record, told }) => told?.seen === undefined || told.seen !== record.execution.aws.seen);
  const actions = await actionsOfSeveral(
    ground,
    shared.bound,
    moved.map(({ record }) => ({
      id: awsIdOf(record),
      startedAt: shared.summaries.get(awsIdOf(record))?.startTime,
      known: record.execution.stages.flatMap((stage) => attemptsOf(stage)).map((run) => run.id),
    })),
  );
  const after: AwsRecord[] = seen.filter((one) => !moved.includes(one)).map(({ record }) => record);
  for (const { record, told } of moved) {
    try {
      const known = { told, state: shared.state, actions: actions.get(awsIdOf(record)) };
      after.push((await take(ground, shared.bound, record, known)) ?? record);
    } catch (error) {
      if (error instanceof TransientError || error instanceof UserError) throw error;
      ground.log.error({ execution: record.execution.id, error: describeError(error) }, 'a look at AWS failed');
      after.push(record);
    }
  }
  return after;
}

/** Undefined: it is beyond the hundred newest, or not to be seen yet, and has to be asked for by itself. */
function tell({ summaries, state }: Shared, record: AwsRecord): Told | undefined {
  const summary = summaries.get(awsIdOf(record));
  if (!summary) return undefined;
  const isAlone = record.execution.mode === 'PARALLEL' || !state;
  return { ...toldOf(summary), ...(isAlone ? {} : { seen: fingerprintOf(summary, state) }) };
}

function awsIdOf({ execution }: AwsRecord): string {
  return execution.aws.executionId ?? '';
}

async function delayOf(ground: Ground, watched: Watched, open: readonly AwsRecord[]): Promise<number> {
  const { eventMs } = await quietTimes(ground.db, watched);
  const pace = paceFor(ground.pace, eventMs);
  const now = ground.now().getTime();
  const delays = open.map(({ execution, waiting }) =>
    nextLookMs(pace, Math.max(0, now - Date.parse(execution.updatedAt)), waiting, ground.chance()),
  );
  return Math.min(...delays);
}
