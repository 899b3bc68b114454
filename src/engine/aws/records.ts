import type { Kysely, Transaction } from 'kysely';
import { saveActionEnd, saveActionStart } from '../../db/action-executions.ts';
import { enqueueObservation } from '../../db/aws-executions.ts';
import type { Database } from '../../db/database.ts';
import { loadDefinitions, saveDefinition } from '../../db/definitions.ts';
import { findExecution, insertExecution, saveExecution, type ExecutionRecord } from '../../db/executions.ts';
import { dropWaitingJob, enqueue } from '../../db/jobs.ts';
import { lockLane, saveLane } from '../../db/lanes.ts';
import { recordMove } from '../../db/pipeline-decisions.ts';
import { digestOf } from '../../pipeline/digest.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import type { ExecutionContext } from '../engine.ts';
import type { ActionError, ActionStory, ExecutionId } from '../../pipeline/execution.ts';
import { executionStatus, isLive, waitingApprovals } from '../../pipeline/status.ts';
import { asAws, type AwsExecution } from './aws-execution.ts';

/** An execution that CodePipeline runs, as stored. */
export interface AwsRecord extends ExecutionRecord {
  readonly execution: AwsExecution;
}

export async function findAwsRecord(db: Kysely<Database>, id: string): Promise<AwsRecord | undefined> {
  const record = await findExecution(db, id);
  const execution = record && asAws(record.execution);
  return execution ? { ...record, execution } : undefined;
}

export async function definitionOfRecord(db: Kysely<Database>, record: AwsRecord): Promise<PipelineDefinition> {
  const definition = (await loadDefinitions(db, [record.execution.definition]))[record.execution.definition];
  if (!definition) throw new Error(`the definition of execution ${record.execution.id} is not stored`);
  return definition;
}

export interface Birth {
  /** `order` and `definition` are filled in here. */
  readonly execution: Omit<AwsExecution, 'order' | 'definition'>;
  readonly definition: PipelineDefinition;
  readonly repositoryId: number;
  readonly idempotencyKey: string;
  readonly host: string;
  readonly context: ExecutionContext;
}

/**
 * The intent row, before anything is asked of AWS; its job brings to an end what a crash interrupts. Of an execution that
 * runs already, the row and the request for a look. Fails with `isTaken` when another record has it.
 */
export async function insertAwsExecution(
  trx: Transaction<Database>,
  birth: Birth,
  options: {
    readonly afterMs: number;
    /** Asked under the lane's lock: nothing is written when this answers another execution. */
    readonly instead?: (trx: Transaction<Database>) => Promise<ExecutionId | undefined>;
  },
): Promise<ExecutionId> {
  const { repositoryId, definition, context } = birth;
  const { lane: key, pipeline, id } = birth.execution;
  const lane = await lockLane(trx, key, {
    repositoryId,
    pipeline,
    // A lane of a push has no number, although a pull request may own its executions.
    ...(key.includes('/pr-') && context.pullRequest !== undefined ? { pullRequest: context.pullRequest } : {}),
  });
  const other = await options.instead?.(trx);
  if (other !== undefined) return other;
  const digest = digestOf(definition);
  await saveDefinition(trx, digest, definition);
  await saveLane(trx, { key, started: lane.started + 1, stages: lane.stages });
  const execution = { ...birth.execution, order: lane.started + 1, definition: digest };
  const { idempotencyKey, host } = birth;
  await insertExecution(trx, {
    execution,
    repositoryId,
    idempotencyKey,
    host,
    context,
    ...mirrors(execution, definition),
  });
  const { trigger, sourceRevisions, variables, startedBy: by } = execution;
  const input = { kind: 'start', execution: id, definition, digest, trigger, sourceRevisions, variables } as const;
  await recordMove(trx, { repositoryId, pipeline, pullRequest: context.pullRequest ?? null, input, by });
  if (execution.aws.executionId === undefined) await enqueueRefresh(trx, id, options.afterMs);
  else await enqueueObservation(trx, { repositoryId, pipeline }, options.afterMs);
  await enqueueDrawing(trx, id);
  return id;
}

export interface Change {
  readonly execution: AwsExecution;
  readonly definition?: PipelineDefinition;
  /** Output variables by action execution, for those that ended. */
  readonly outputs?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Told by AWS. Whatever else changes an execution makes the next looks whole ones (see `AwsExecution.aws`). */
  readonly observed?: { readonly seen: string | undefined };
}

/**
 * Changes one execution under its lane's lock. The change sees the newest row; undefined or the same leaves it alone.
 * Fails with `isTaken` when another record has the same execution of CodePipeline.
 */
export async function changeRecord(
  db: Kysely<Database>,
  id: string,
  change: (record: AwsRecord) => Change | undefined,
): Promise<AwsRecord | undefined> {
  return db.transaction().execute(async (trx) => {
    const seen = await findAwsRecord(trx, id);
    if (!seen) return undefined;
    await lockLane(trx, seen.execution.lane, { repositoryId: seen.repositoryId, pipeline: seen.pipeline });
    const record = (await findAwsRecord(trx, id)) ?? seen;
    const changed = change(record);
    const isSame = changed?.execution === record.execution;
    const { observed } = changed ?? {};
    if (!changed || (isSame && observed?.seen === record.execution.aws.seen)) return record;
    const definition = changed.definition ?? (await definitionOfRecord(trx, record));
    await saveDefinition(trx, changed.execution.definition, definition);
    const execution = withSeen(changed.execution, observed);
    const shown = mirrors(execution, definition);
    await saveExecution(trx, execution, shown);
    if (!isSame) {
      await saveActions(trx, changed);
      await recordAnswers(trx, record, execution);
      await enqueueDrawing(trx, id);
    }
    return { ...record, execution, ...shown };
  });
}

function withSeen(execution: AwsExecution, observed: Change['observed']): AwsExecution {
  const { seen: _before, ...aws } = execution.aws;
  if (!observed) return { ...execution, aws: { ...aws, touchedAt: execution.updatedAt } };
  return { ...execution, aws: { ...aws, ...(observed.seen === undefined ? {} : { seen: observed.seen }) } };
}

/** Another record has this execution of CodePipeline already (index `executions_aws`). */
export function isTaken(error: unknown): boolean {
  const { code, constraint, message } = error as { code?: string; constraint?: string; message?: string };
  return code === '23505' && (constraint === 'executions_aws' || message?.includes('executions_aws') === true);
}

/** Approvals that somebody answered, here or in AWS; seen for the first time. */
async function recordAnswers(trx: Transaction<Database>, record: AwsRecord, after: AwsExecution): Promise<void> {
  const { id: execution, lane } = after;
  const known = record.execution.stages
    .flatMap(({ actions }) => actions)
    .filter(({ answeredBy }) => answeredBy !== undefined);
  for (const { stage, actions } of after.stages) {
    for (const { action, id, status, answeredBy: by, summary = '' } of actions) {
      if (!by || known.some((one) => one.id === id)) continue;
      const kind = status === 'Succeeded' ? ('approve' as const) : ('reject' as const);
      const input = { kind, lane, execution, stage, action, token: id, summary };
      await recordMove(trx, { ...record, input, by });
    }
  }
}

async function saveActions(trx: Transaction<Database>, { execution, outputs }: Change): Promise<void> {
  for (const { stage, actions, earlier } of execution.stages) {
    for (const run of [...(earlier ?? []), ...actions]) {
      await saveActionStart(trx, { execution: execution.id, stage, run });
      if (run.status === 'InProgress') continue;
      const output = {
        outputVariables: outputs?.[run.id] ?? {},
        ...(run.summary === undefined ? {} : { summary: run.summary }),
        ...(run.externalExecutionId === undefined ? {} : { externalId: run.externalExecutionId }),
        ...(run.error === undefined ? {} : { error: withStory(run.error, run.story) }),
      };
      await saveActionEnd(trx, { run, output });
    }
  }
}

/** An attempt that was retried is one line of a table: there both stand in one text. */
function withStory(error: ActionError, story: ActionStory | undefined): ActionError {
  return story?.said === undefined ? error : { ...error, message: `${error.message} ${story.service}: ${story.said}` };
}

function mirrors(execution: AwsExecution, definition: PipelineDefinition) {
  return {
    status: executionStatus(execution, definition),
    live: isLive(execution, definition),
    waiting: waitingApprovals(execution).length > 0,
  };
}

/** Asks for one more try of a start that AWS has not taken yet. */
export async function enqueueRefresh(db: Kysely<Database>, execution: string, delayMs: number): Promise<void> {
  await enqueue(db, { kind: 'refresh', payload: { execution }, dedupeKey: `refresh/${execution}`, delayMs });
}

/** AWS has taken it: the try that a crash would have needed is not. */
export function dropRefresh(db: Kysely<Database>, execution: string): Promise<void> {
  return dropWaitingJob(db, `refresh/${execution}`);
}

/** Asks for the check runs to be drawn. */
export async function enqueueDrawing(db: Kysely<Database>, execution: string): Promise<void> {
  await enqueue(db, { kind: 'report', payload: { execution }, dedupeKey: `report/${execution}`, delayMs: 150 });
}
