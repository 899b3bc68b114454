import type { Kysely } from 'kysely';
import { findCustomActionType } from '../../db/custom-action-types.ts';
import type { Database } from '../../db/database.ts';
import {
  dispatchWorkerJobs,
  findWorkerJob,
  lockWorkerJob,
  startWorkerJob,
  type WorkerJob,
  type WorkerJobStatus,
} from '../../db/worker-jobs.ts';
import type { ActionTypeId } from '../../pipeline/definition.ts';
import { answered, refused, type Answered, type RefusedAnswer } from './answered.ts';
import { queryValue } from './custom-type-checks.ts';

/**
 * The life of a worker job up to its result (CP 4.2): queued when a custom action starts, offered to pollers, owned by
 * the one that acknowledges with the nonce of the latest offer. Results: src/engine/embedded/worker-results.ts.
 */

/** A dispatched job that nobody acknowledges is offered again (CP-J-6). */
const offerAgainMs = 60_000;
const mostJobs = 100;

export interface PollRequest {
  readonly actionTypeId: ActionTypeId;
  /** 1 without it. */
  readonly maxBatchSize?: number;
  readonly queryParam?: Readonly<Record<string, string>>;
  /** Only jobs of this repository's pipelines. */
  readonly repositoryId?: number;
}

/** Each job comes with a new `nonce`. */
export async function pollForJobs(db: Kysely<Database>, request: PollRequest): Promise<Answered<readonly WorkerJob[]>> {
  const { actionTypeId, maxBatchSize = 1, queryParam = {}, repositoryId } = request;
  if (!Number.isInteger(maxBatchSize) || maxBatchSize < 1) {
    return refused('ValidationException', 'maxBatchSize is a whole number of at least 1.');
  }
  const known = actionTypeId.owner === 'Custom' ? await findCustomActionType(db, actionTypeId) : null;
  if (!known || known.deleted) return refused('ActionTypeNotFoundException', notFound(actionTypeId));
  const queryable = known.declaration.configurationProperties.find((property) => property.queryable)?.name;
  const problem = queryProblem(queryable, queryParam);
  if (problem) return problem;
  const value = queryable === undefined ? undefined : queryParam[queryable];
  const jobs = await dispatchWorkerJobs(db, {
    type: actionTypeId,
    ...(value === undefined ? {} : { queryValue: value }),
    ...(repositoryId === undefined ? {} : { repositoryId }),
    limit: Math.min(maxBatchSize, mostJobs),
    offerAgainMs,
  });
  return answered(jobs);
}

/** CP-J-7. */
function queryProblem(
  queryable: string | undefined,
  given: Readonly<Record<string, string>>,
): RefusedAnswer | undefined {
  const names = Object.keys(given);
  if (queryable === undefined) {
    if (names.length === 0) return undefined;
    return refused('ValidationException', 'The action type has no queryable property, so queryParam has to be empty.');
  }
  if (names.length !== 1 || names[0] !== queryable) {
    return refused(
      'ValidationException',
      `queryParam has to name the queryable property '${queryable}' and nothing else.`,
    );
  }
  if (queryValue.test(given[queryable] ?? '')) return undefined;
  return refused('ValidationException', 'A value of queryParam has 1 to 20 characters of A-Z, a-z, 0-9, _ and -.');
}

function notFound({ category, provider, owner, version }: ActionTypeId): string {
  return `ActionType (Category: '${category}', Provider: '${provider}', Owner: '${owner}', Version: '${version}') is not available`;
}

/** Only the latest offer's nonce makes its holder the owner; the same again is answered the same. */
export function acknowledgeJob(
  db: Kysely<Database>,
  { jobId, nonce }: { readonly jobId: string; readonly nonce: string },
): Promise<Answered<{ readonly status: WorkerJobStatus }>> {
  return db.transaction().execute(async (trx) => {
    const job = await lockWorkerJob(trx, jobId);
    if (!job) return jobNotFound(jobId);
    if (job.nonce === null || job.nonce !== nonce) {
      return refused('InvalidNonceException', `The nonce of job '${jobId}' is not the one of its latest offer.`);
    }
    if (job.status !== 'Dispatched') return answered({ status: job.status });
    await startWorkerJob(trx, jobId);
    return answered({ status: 'InProgress' });
  });
}

export async function getJobDetails(db: Kysely<Database>, jobId: string): Promise<Answered<WorkerJob>> {
  const job = await findWorkerJob(db, jobId);
  return job ? answered(job) : jobNotFound(jobId);
}

export function jobNotFound(jobId: string): RefusedAnswer {
  return refused('JobNotFoundException', `Job with id '${jobId}' does not exist`);
}
