import { z } from 'zod';
import { sharedBuckets, type BucketOf } from './bucket-names.ts';
import { localId, type Background } from './background.ts';
import type { ArtifactStore } from './artifact-store.ts';
import type { ActionProvider, StartedAction } from './provider.ts';
import { failed, type EndReport } from './reports.ts';

const Configuration = z.strictObject({
  S3Bucket: z.string().min(1),
  S3ObjectKey: z.string().min(1),
  AllowOverrideForS3ObjectKey: z.string().optional(),
  PollForSourceChanges: z.string().optional(),
});
type Configuration = z.infer<typeof Configuration>;

/** An object of the local object store as source; passed on unchanged (CP-D-28). */
export function s3Source(
  artifacts: ArtifactStore,
  background: Background,
  bucketOf: BucketOf = sharedBuckets,
): ActionProvider<Configuration> {
  return {
    type: { category: 'Source', owner: 'AWS', provider: 'S3', version: '1' },
    configuration: Configuration,
    artifacts: { in: [0, 0], out: [1, 1] },
    start: (action) =>
      background.start({
        token: action.token,
        externalId: localId(action.token),
        repeatable: true,
        heavy: false,
        run: () => copySource(artifacts, bucketOf, action),
        changed: () => action.changed(),
      }),
    poll: (action) => background.poll(action.token),
    stop: (action) => background.stop(action.token),
  };
}

async function copySource(
  artifacts: ArtifactStore,
  bucketOf: BucketOf,
  action: StartedAction<Configuration>,
): Promise<EndReport> {
  const { S3Bucket: bucket, S3ObjectKey: key } = action.configuration;
  const [output] = action.outputs;
  if (output === undefined) return failed('ConfigurationError', 'A source action needs one output artifact.');
  const found = await artifacts.get({ bucket: bucketOf(action.repository, bucket), key });
  if (found === null) {
    return failed(
      'ConfigurationError',
      `The object ${key} does not exist in the bucket ${bucket}. Put it there, then retry the stage.`,
    );
  }
  const asked = action.sourceRevision;
  if (asked?.revisionType === 'S3_OBJECT_VERSION_ID' && asked.revisionId !== found.versionId) {
    return failed(
      'ConfigurationError',
      `The version ${asked.revisionId} of ${key} is no longer kept; the newest is ${found.versionId}.`,
    );
  }
  await artifacts.put(output.location, { file: found.file });
  action.log.write(`Copied s3://${bucket}/${key}, version ${found.versionId}\n`);
  const summary = `Amazon S3 version id: ${found.versionId}`;
  return {
    kind: 'succeeded',
    outputVariables: { BucketName: bucket, ETag: found.sha256, ObjectKey: key, VersionId: found.versionId },
    externalId: localId(action.token),
    summary,
    revision: {
      actionName: action.declaration.name,
      revisionId: found.versionId,
      revisionType: 'S3_OBJECT_VERSION_ID',
      revisionSummary: summary,
    },
  };
}
