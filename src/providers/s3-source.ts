import { z } from 'zod';
import { sharedBuckets, type BucketOf } from './bucket-names.ts';
import { repeatableWork, type Background } from './background.ts';
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
  const work = (action: StartedAction<Configuration>) =>
    repeatableWork(action, () => copySource(artifacts, bucketOf, action));
  return {
    type: { category: 'Source', owner: 'AWS', provider: 'S3', version: '1' },
    configuration: Configuration,
    artifacts: { in: [0, 0], out: [1, 1] },
    start: (action) => background.start(work(action)),
    poll: (action) => background.poll(action.token, work(action)),
    stop: (action) => background.stop(action.token),
  };
}

async function copySource(
  artifacts: ArtifactStore,
  bucketOf: BucketOf,
  action: StartedAction<Configuration>,
): Promise<EndReport> {
  const { S3Bucket: bucket } = action.configuration;
  const { key, version } = wantedOf(action);
  const [output] = action.outputs;
  if (output === undefined) return failed('ConfigurationError', 'A source action needs one output artifact.');
  const found = await artifacts.get({ bucket: bucketOf(action.repository, bucket), key }, version);
  if (found === null) return failed('ConfigurationError', missing(bucket, key, version));
  await artifacts.put(output.location, { file: found.file });
  action.log.write(`Copied s3://${bucket}/${key}, version ${found.versionId}\n`);
  const summary = found.headers[summaryHeader] ?? `Amazon S3 version id: ${found.versionId}`;
  return {
    kind: 'succeeded',
    outputVariables: {
      BucketName: bucket,
      ETag: found.etag.replaceAll('"', ''),
      ObjectKey: key,
      VersionId: found.versionId,
    },
    externalId: found.versionId,
    summary,
    revision: {
      actionName: action.declaration.name,
      revisionId: found.versionId,
      revisionType: 'S3_OBJECT_VERSION_ID',
      revisionSummary: summary,
      created: found.storedAt,
      ...(key === action.configuration.S3ObjectKey ? {} : { objectKey: key }),
    },
  };
}

/** What whoever put the object said of it, for people. */
const summaryHeader = 'x-amz-meta-codepipeline-artifact-revision-summary';

/** What the start, or an earlier run of this action, named; else the newest of the declared key (CP-X-9). */
function wantedOf({ configuration, sourceRevision: asked }: StartedAction<Configuration>): {
  readonly key: string;
  readonly version?: string;
} {
  switch (asked?.revisionType) {
    case 'S3_OBJECT_KEY':
      return { key: asked.revisionId };
    case 'S3_OBJECT_VERSION_ID':
      return { key: asked.objectKey ?? configuration.S3ObjectKey, version: asked.revisionId };
    default:
      return { key: configuration.S3ObjectKey };
  }
}

function missing(bucket: string, key: string, version: string | undefined): string {
  if (version === undefined) {
    return `The object ${key} does not exist in the bucket ${bucket}. Put it there, then retry the stage.`;
  }
  return `The object ${key} in the bucket ${bucket} has no version ${version}, or it is no longer kept. Start the pipeline with another version, or with the newest.`;
}
