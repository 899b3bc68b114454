import { isDeepStrictEqual } from 'node:util';
import type { Kysely, Transaction } from 'kysely';
import { findCustomActionType } from '../../db/custom-action-types.ts';
import type { Database } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import {
  endWorkerJob,
  lockWorkerJob,
  queueWorkerJob,
  type FailureDetails,
  type WorkerJob,
  type WorkerJobResult,
} from '../../db/worker-jobs.ts';
import { answered, refused, type Answered } from './answered.ts';
import { applyLocked } from './apply-input.ts';
import { actionFact, ruleFact } from './worker-facts.ts';
import { failureProblem, successProblem } from './worker-result-checks.ts';
import { workerJobId } from './worker-job-id.ts';
import { jobNotFound } from './worker-jobs.ts';

export interface WorkerResultShell {
  readonly db: Kysely<Database>;
  readonly now: () => Date;
  /** How long after a continuation the next job is offered; 5 s unless told otherwise (CP-J-9). */
  readonly continuationDelayMs?: number;
}

type Success = Omit<Extract<WorkerJobResult, { kind: 'success' }>, 'kind'>;

/** PutJobSuccessResult. With a continuation token the job is over, the action is not (CP-J-8, CP-J-9). */
export async function putJobSuccess(shell: WorkerResultShell, jobId: string, result: Success): Promise<Answered<null>> {
  return successProblem(result) ?? putResult(shell, jobId, { kind: 'success', ...result });
}

/** PutJobFailureResult: whatever the type, the action fails (CP-J-15). */
export async function putJobFailure(
  shell: WorkerResultShell,
  jobId: string,
  failureDetails: FailureDetails,
): Promise<Answered<null>> {
  return failureProblem(failureDetails) ?? putResult(shell, jobId, { kind: 'failure', failureDetails });
}

/** The job's row and what follows for the action are one transaction, so a repeated callback finds both or neither. */
function putResult(shell: WorkerResultShell, jobId: string, given: WorkerJobResult): Promise<Answered<null>> {
  const result = JSON.parse(JSON.stringify(given)) as WorkerJobResult;
  return shell.db.transaction().execute(async (trx): Promise<Answered<null>> => {
    const job = await lockWorkerJob(trx, jobId);
    if (!job) return jobNotFound(jobId);
    if (job.result) return judgeRepeat(jobId, job.result, result);
    if (job.status === 'Queued' || job.status === 'Created') {
      return refused('InvalidJobStateException', `Job with id ${jobId} was not handed out yet. Poll for it first.`);
    }
    await endWorkerJob(trx, jobId, result);
    // After an abandon, an update or a timeout the callback is taken and revives nothing (CP-J-14).
    if (job.status !== 'TimedOut') await tellSubject(trx, shell, job, result);
    return answered(null);
  });
}

/** CP-J-13. */
function judgeRepeat(jobId: string, known: WorkerJobResult, again: WorkerJobResult): Answered<null> {
  if (isDeepStrictEqual(known, again)) return answered(null);
  const message =
    known.kind === again.kind
      ? `The status of job with id ${jobId} is already set to the desired value. It cannot be updated with the same status, but different result or output variables.`
      : `Job with id ${jobId} has already terminated`;
  return refused('InvalidJobStateException', message);
}

async function tellSubject(
  trx: Transaction<Database>,
  shell: WorkerResultShell,
  job: WorkerJob,
  result: WorkerJobResult,
): Promise<void> {
  const told = job.subject === 'action' ? await actionFact(trx, job, result) : await ruleFact(trx, job, result);
  if (!told) return;
  const { record, fact, output } = told;
  await applyLocked(trx, {
    lane: record.execution.lane,
    repositoryId: record.repositoryId,
    pipeline: record.pipeline,
    pullRequest: record.pullRequest,
    input: fact,
    by: { kind: 'penstock', why: 'the job worker reported' },
    at: shell.now(),
    seed: record.execution.id,
    ...(output ? { output } : {}),
  });
  if (result.kind === 'success' && result.continuationToken !== undefined) {
    await continueJob(trx, shell, job, result.continuationToken, record.host);
  }
}

/** A new job for the same action (CP-J-9). A function is called again, workers find it when they poll. */
async function continueJob(
  trx: Transaction<Database>,
  shell: WorkerResultShell,
  job: WorkerJob,
  continuationToken: string,
  host: string,
): Promise<void> {
  const delayMs = shell.continuationDelayMs ?? 5_000;
  const { execution, subject, subjectId, data } = job;
  const id = workerJobId(job.id, 2);
  const queryValue = await queryValueOf(trx, job);
  const next = {
    id,
    execution,
    subject,
    subjectId,
    data: { ...data, continuationToken },
    delayMs,
    status: 'Queued',
  } as const;
  await queueWorkerJob(trx, { ...next, ...(queryValue === undefined ? {} : { queryValue }) });
  if (data.actionTypeId.owner === 'Custom') return;
  if (subject === 'action') {
    const payload = { execution, action: subjectId };
    await enqueue(trx, { kind: 'poll', payload, dedupeKey: `poll/${subjectId}`, delayMs, host });
  } else {
    const payload = { execution, rule: subjectId };
    await enqueue(trx, { kind: 'poll-rule', payload, dedupeKey: `poll-rule/${subjectId}`, delayMs, host });
  }
}

/** The value that pollers ask for, of types with a queryable property. */
async function queryValueOf(db: Kysely<Database>, { data }: Pick<WorkerJob, 'data'>): Promise<string | undefined> {
  const { owner, ...type } = data.actionTypeId;
  const known = owner === 'Custom' ? await findCustomActionType(db, type) : null;
  const queryable = known?.declaration.configurationProperties.find((property) => property.queryable);
  return queryable && data.configuration[queryable.name];
}
