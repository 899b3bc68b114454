import type { makeSession, SessionCredentials } from '../codepipeline-api/session-credentials.ts';
import type { JobInput, WorkerJob } from '../db/worker-jobs.ts';
import type { NamedArtifact } from '../providers/provider.ts';

/** A function runs for a quarter of an hour at most, and may wait before it does. */
const credentialMinutes = 60;
/** As it stands in the API's ARNs. */
const accountId = '000000000000';

export interface EventDoor {
  /** Address of the CodePipeline API as the function reaches it. */
  readonly answersAt: string;
  readonly session: (given: Parameters<typeof makeSession>[1]) => SessionCredentials;
  readonly at: Date;
}

/**
 * What a function is given: CodePipeline's event (CP 4.3), with credentials that open the job's artifacts and let the
 * function answer for this one job, and beside it `penstock.endpoint`: where both are.
 */
export function functionEvent({ id, data }: WorkerJob, { answersAt, session, at }: EventDoor): object {
  const { inputArtifacts, outputArtifacts, configuration, continuationToken, pipelineContext } = data;
  const credentials = session({
    scope: pipelineContext.repositoryId,
    objects: { read: inputArtifacts.map(place), write: outputArtifacts.map(place) },
    minutes: credentialMinutes,
    job: id,
  });
  return {
    'CodePipeline.job': {
      id,
      accountId,
      data: {
        actionConfiguration: { configuration },
        inputArtifacts: inputArtifacts.map(artifact),
        outputArtifacts: outputArtifacts.map(artifact),
        artifactCredentials: { ...credentials, expirationTime: at.getTime() + credentialMinutes * 60_000 },
        ...(continuationToken === undefined ? {} : { continuationToken }),
        ...(data.encryptionKey === undefined ? {} : { encryptionKey: data.encryptionKey }),
      },
    },
    penstock: { endpoint: answersAt },
  };
}

function place({ location: { bucket, key } }: NamedArtifact): string {
  return `${bucket}/${key}`;
}

function artifact({ name, location: { bucket, key }, revision }: JobInput): object {
  return {
    name,
    revision: revision ?? null,
    location: { type: 'S3', s3Location: { bucketName: bucket, objectKey: key } },
  };
}
