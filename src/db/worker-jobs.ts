import { sql, type Kysely, type Transaction } from 'kysely';
import type { ActionTypeId } from '../pipeline/definition.ts';
import type { NamedArtifact } from '../providers/provider.ts';
import type { Database } from './database.ts';
import { jsonText } from './json.ts';

/** Hand-outs of actions to job workers (CP 4.2). Not to be mixed up with the jobs of our own queue. */

export type WorkerJobStatus = 'Created' | 'Queued' | 'Dispatched' | 'InProgress' | 'TimedOut' | 'Succeeded' | 'Failed';

/** What a worker is told (CP-J-5), without account and credentials: those are the door's. */
export interface WorkerJobData {
  readonly actionTypeId:
    | ActionTypeId
    | { readonly category: 'Rule'; readonly owner: 'AWS'; readonly provider: string; readonly version: string };
  /** With variables resolved. */
  readonly configuration: Readonly<Record<string, string>>;
  readonly pipelineContext: {
    readonly repositoryId: number;
    readonly pipelineName: string;
    readonly stage: string;
    readonly action: string;
    readonly actionExecutionId: string;
    readonly pipelineExecutionId: string;
  };
  readonly inputArtifacts: readonly JobInput[];
  readonly outputArtifacts: readonly NamedArtifact[];
  /** Of the pipeline's artifact store. */
  readonly encryptionKey?: { readonly id: string; readonly type: 'KMS' };
  readonly continuationToken?: string;
}

/** `revision`: of the source, where a source action made the artifact. */
export type JobInput = NamedArtifact & { readonly revision?: string };

export type WorkerJobResult =
  | {
      readonly kind: 'success';
      readonly currentRevision?: CurrentRevision;
      readonly continuationToken?: string;
      readonly executionDetails?: ExecutionDetails;
      readonly outputVariables?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'failure'; readonly failureDetails: FailureDetails };

export interface CurrentRevision {
  readonly revision: string;
  readonly changeIdentifier: string;
  /** Seconds since 1970, as the wire has it. */
  readonly created?: number;
  readonly revisionSummary?: string;
}

export interface ExecutionDetails {
  readonly summary?: string;
  readonly externalExecutionId?: string;
  readonly percentComplete?: number;
}

export type FailureType =
  | 'JobFailed'
  | 'ConfigurationError'
  | 'PermissionError'
  | 'RevisionOutOfSync'
  | 'RevisionUnavailable'
  | 'SystemUnavailable';

export interface FailureDetails {
  readonly type: FailureType;
  readonly message: string;
  readonly externalExecutionId?: string;
}

export interface WorkerJob {
  readonly id: string;
  readonly execution: string;
  readonly subject: 'action' | 'rule';
  /** The action execution or the rule execution. */
  readonly subjectId: string;
  readonly status: WorkerJobStatus;
  /** Of the latest hand-out. */
  readonly nonce: string | null;
  readonly data: WorkerJobData;
  readonly result: WorkerJobResult | null;
}

export interface NewWorkerJob extends Pick<WorkerJob, 'id' | 'execution' | 'subject' | 'subjectId' | 'data'> {
  readonly queryValue?: string;
  /** Offered to pollers only after this time. */
  readonly delayMs?: number;
  /** `InProgress` for work that is handed over right away, to a Lambda function. */
  readonly status: 'Queued' | 'InProgress';
}

/** The same id again changes nothing. */
export async function queueWorkerJob(db: Kysely<Database>, job: NewWorkerJob): Promise<void> {
  const { category, owner, provider, version } = job.data.actionTypeId;
  await db
    .insertInto('worker_jobs')
    .values({
      id: job.id,
      execution_id: job.execution,
      subject: job.subject,
      subject_id: job.subjectId,
      category,
      owner,
      provider,
      version,
      query_value: job.queryValue ?? null,
      status: job.status,
      data: jsonText(job.data),
      available_at: sql<Date>`now() + make_interval(secs => ${(job.delayMs ?? 0) / 1000})`,
    })
    .onConflict((oc) => oc.column('id').doNothing())
    .execute();
}

export interface WorkerJobOffer {
  readonly type: Pick<ActionTypeId, 'category' | 'provider' | 'version'>;
  readonly queryValue?: string;
  readonly repositoryId?: number;
  readonly limit: number;
  /** After this time without an acknowledgement a job is offered again (CP-J-6). */
  readonly offerAgainMs: number;
}

/** Hands out waiting jobs of actions that still run, oldest first, each with a new nonce. */
export async function dispatchWorkerJobs(db: Kysely<Database>, offer: WorkerJobOffer): Promise<readonly WorkerJob[]> {
  const { category, provider, version } = offer.type;
  const { rows } = await sql<WorkerJob>`
    with due as materialized (
      select w.id from worker_jobs w
      where w.owner = 'Custom' and w.category = ${category} and w.provider = ${provider} and w.version = ${version}
        and (w.status = 'Queued'
          or w.status = 'Dispatched' and w.dispatched_at < now() - make_interval(secs => ${offer.offerAgainMs / 1000}))
        and w.available_at <= now()
        and (${offer.queryValue ?? null}::text is null or w.query_value = ${offer.queryValue ?? null})
        and exists (
          select 1 from action_executions a join executions e on e.id = a.execution_id
          where a.id = w.subject_id and a.status = 'InProgress'
            and (${offer.repositoryId ?? null}::bigint is null or e.repository_id = ${offer.repositoryId ?? null}))
      order by w.available_at, w.created_at, w.id limit ${offer.limit} for update of w skip locked
    )
    update worker_jobs set status = 'Dispatched', dispatched_at = now(), nonce = gen_random_uuid()::text
    from due where worker_jobs.id = due.id
    returning worker_jobs.id, execution_id as execution, subject, subject_id as "subjectId", status, nonce, data, result`.execute(
    db,
  );
  return rows;
}

export async function findWorkerJob(db: Kysely<Database>, id: string): Promise<WorkerJob | null> {
  return (await selectJobs(db).where('id', '=', id).executeTakeFirst()) ?? null;
}

/**
 * The newest job of a subject that waits for its function to be called; it counts as handed out from now on. Until
 * `markFunctionCalled` it is found again, so that a crash in between costs no call.
 */
export async function claimFunctionCall(db: Kysely<Database>, subjectId: string): Promise<WorkerJob | null> {
  const newest = await newestWorkerJobOf(db, subjectId);
  if (newest?.status !== 'Queued' && newest?.status !== 'Dispatched') return null;
  await db
    .updateTable('worker_jobs')
    .set({ status: 'Dispatched', dispatched_at: sql<Date>`now()` })
    .where('id', '=', newest.id)
    .where('status', '=', 'Queued')
    .execute();
  return newest;
}

export async function markFunctionCalled(db: Kysely<Database>, id: string): Promise<void> {
  const query = db.updateTable('worker_jobs').set({ status: 'InProgress' });
  await query.where('id', '=', id).where('status', '=', 'Dispatched').execute();
}

/** Takes the row lock under which a callback is judged. Always taken before the lock of a lane. */
export async function lockWorkerJob(trx: Transaction<Database>, id: string): Promise<WorkerJob | null> {
  return (await selectJobs(trx).where('id', '=', id).forUpdate().executeTakeFirst()) ?? null;
}

/** The job of an action or rule that was queued last. */
async function newestWorkerJobOf(db: Kysely<Database>, subjectId: string): Promise<WorkerJob | null> {
  const query = selectJobs(db).where('subject_id', '=', subjectId);
  return (await query.orderBy('created_at', 'desc').orderBy('available_at', 'desc').executeTakeFirst()) ?? null;
}

export async function startWorkerJob(trx: Transaction<Database>, id: string): Promise<void> {
  await trx.updateTable('worker_jobs').set({ status: 'InProgress' }).where('id', '=', id).execute();
}

export async function endWorkerJob(trx: Transaction<Database>, id: string, result: WorkerJobResult): Promise<void> {
  await trx
    .updateTable('worker_jobs')
    .set({
      status: result.kind === 'success' ? 'Succeeded' : 'Failed',
      result: jsonText(result),
      ended_at: sql<Date>`now()`,
    })
    .where('id', '=', id)
    .execute();
}

/** Of an action that ended without them: they are not offered any more, and callbacks revive nothing (CP-J-14). */
export async function timeOutWorkerJobs(db: Kysely<Database>, subjectId: string): Promise<void> {
  await db
    .updateTable('worker_jobs')
    .set({ status: 'TimedOut', ended_at: sql<Date>`now()` })
    .where('subject_id', '=', subjectId)
    .where('status', 'in', ['Created', 'Queued', 'Dispatched', 'InProgress'])
    .execute();
}

function selectJobs(db: Kysely<Database>) {
  return db
    .selectFrom('worker_jobs')
    .select(['id', 'execution_id as execution', 'subject', 'subject_id as subjectId', 'status', 'nonce'])
    .select(['data', 'result']);
}
