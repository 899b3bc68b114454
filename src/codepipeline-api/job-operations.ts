import type {
  AcknowledgeJobInput,
  AcknowledgeJobOutput,
  Artifact,
  GetJobDetailsInput,
  GetJobDetailsOutput,
  JobData,
  PollForJobsInput,
  PollForJobsOutput,
  PutJobFailureResultInput,
  PutJobSuccessResultInput,
} from '@aws-sdk/client-codepipeline';
import { adminScope } from '../db/api-pipelines.ts';
import { findWorkerJob, type JobInput, type WorkerJob } from '../db/worker-jobs.ts';
import {
  acknowledgeJob as acknowledge,
  getJobDetails as details,
  pollForJobs as poll,
} from '../engine/embedded/worker-jobs.ts';
import { putJobFailure, putJobSuccess } from '../engine/embedded/worker-results.ts';
import type { NamedArtifact } from '../providers/provider.ts';
import { ApiError } from './api-error.ts';
import { pipelineArn } from './arns.ts';
import type { Call, Checked, Operation } from './door.ts';
import { makeSession } from './session-credentials.ts';
import { settle } from './settle.ts';

/** The job protocol for custom actions (CP 4.2). An admin key works for the pipelines of every repository. */

/** A worker that takes longer asks for fresh ones with GetJobDetails. */
const credentialMinutes = 60;

export const pollForJobs: Operation<PollForJobsInput, PollForJobsOutput> = async (call, input) => {
  const { door, caller } = call;
  const { actionTypeId, maxBatchSize, queryParam } = input;
  const jobs = await poll(door.db, {
    actionTypeId,
    ...(maxBatchSize === undefined ? {} : { maxBatchSize }),
    ...(queryParam === undefined ? {} : { queryParam }),
    ...(caller.scope === adminScope ? {} : { repositoryId: caller.scope }),
  });
  return {
    jobs: settle(jobs).map((job) => ({
      id: job.id,
      data: jobData(call, job),
      ...(job.nonce === null ? {} : { nonce: job.nonce }),
      accountId: door.account,
    })),
  };
};

export const acknowledgeJob: Operation<AcknowledgeJobInput, AcknowledgeJobOutput> = async (call, { jobId, nonce }) => {
  await checkOwn(call, jobId);
  return { status: settle(await acknowledge(call.door.db, { jobId, nonce })).status };
};

export const getJobDetails: Operation<GetJobDetailsInput, GetJobDetailsOutput> = async (call, { jobId }) => {
  await checkOwn(call, jobId);
  const job = settle(await details(call.door.db, jobId));
  return { jobDetails: { id: job.id, data: jobData(call, job), accountId: call.door.account } };
};

export const putJobSuccessResult: Operation<PutJobSuccessResultInput, undefined> = async (call, input) => {
  const { jobId, currentRevision, continuationToken, executionDetails, outputVariables } = input;
  await checkOwn(call, jobId);
  const result = {
    ...(currentRevision === undefined ? {} : { currentRevision: revisionOf(currentRevision) }),
    ...(continuationToken === undefined ? {} : { continuationToken }),
    ...(executionDetails === undefined ? {} : { executionDetails }),
    ...(outputVariables === undefined ? {} : { outputVariables }),
  };
  settle(await putJobSuccess(call.door, jobId, result));
  return undefined;
};

type Revision = Checked<NonNullable<PutJobSuccessResultInput['currentRevision']>>;

function revisionOf({ created, ...rest }: Revision) {
  return { ...rest, ...(created === undefined ? {} : { created: created.getTime() / 1000 }) };
}

export const putJobFailureResult: Operation<PutJobFailureResultInput, undefined> = async (
  call,
  { jobId, failureDetails },
) => {
  await checkOwn(call, jobId);
  settle(await putJobFailure(call.door, jobId, failureDetails));
  return undefined;
};

/** A job of another repository's pipeline does not exist for this key. */
async function checkOwn({ door, caller }: Call, jobId: string): Promise<void> {
  const job = await findWorkerJob(door.db, jobId);
  const isOther = caller.job !== undefined && caller.job !== jobId;
  const isOwn =
    job && !isOther && (caller.scope === adminScope || job.data.pipelineContext.repositoryId === caller.scope);
  if (!isOwn) throw new ApiError('JobNotFoundException', `Job with id '${jobId}' does not exist`);
}

function jobData({ door }: Call, { data }: WorkerJob): JobData {
  const { pipelineContext: at, continuationToken } = data;
  const place = ({ location: { bucket, key } }: NamedArtifact): string => `${bucket}/${key}`;
  return {
    actionTypeId: data.actionTypeId as NonNullable<JobData['actionTypeId']>,
    actionConfiguration: { configuration: { ...data.configuration } },
    pipelineContext: {
      pipelineName: at.pipelineName,
      stage: { name: at.stage },
      action: { name: at.action, actionExecutionId: at.actionExecutionId },
      pipelineArn: pipelineArn(door, at.pipelineName),
      pipelineExecutionId: at.pipelineExecutionId,
    },
    inputArtifacts: data.inputArtifacts.map(artifact),
    outputArtifacts: data.outputArtifacts.map(artifact),
    artifactCredentials: makeSession(door, {
      scope: at.repositoryId,
      objects: { read: data.inputArtifacts.map(place), write: data.outputArtifacts.map(place) },
      minutes: credentialMinutes,
    }),
    ...(continuationToken === undefined ? {} : { continuationToken }),
    ...(data.encryptionKey === undefined ? {} : { encryptionKey: data.encryptionKey }),
  };
}

function artifact({ name, location: { bucket, key }, revision }: JobInput): Artifact {
  const known = revision === undefined ? {} : { revision };
  return { name, ...known, location: { type: 'S3', s3Location: { bucketName: bucket, objectKey: key } } };
}
