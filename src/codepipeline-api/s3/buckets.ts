import { forgetBucket, isNotedBucket, listBuckets as list, noteBucket } from '../../db/api-buckets.ts';
import { checkNames } from './objects.ts';
import { respondEmpty, respondXml } from './respond.ts';
import { S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';
import { instructions } from './upload-body.ts';

export async function createBucket(request: S3Request): Promise<void> {
  checkNames(request.bucket, '');
  await noteBucket(request.door.db, request.bucket);
  respondEmpty(request, 200, { location: `/${request.bucket}` });
}

export async function headBucket(request: S3Request): Promise<void> {
  await checkExists(request);
  respondEmpty(request, 200, { 'x-amz-bucket-region': request.door.region });
}

export async function deleteBucket(request: S3Request): Promise<void> {
  await checkExists(request);
  if ((await request.door.artifacts.versions(request.bucket)).length > 0) {
    const message = 'The bucket you tried to delete is not empty. You must delete all versions in the bucket.';
    throw new S3Error('BucketNotEmpty', message, 409);
  }
  await forgetBucket(request.door.db, request.bucket);
  respondEmpty(request, 204);
}

export async function listBuckets(request: S3Request): Promise<void> {
  const found = await list(request.door.db);
  respondXml(request, 'ListAllMyBucketsResult', [
    [
      'Buckets',
      found.map(
        ({ name, createdAt }) =>
          [
            'Bucket',
            [
              ['Name', name],
              ['CreationDate', createdAt.toISOString()],
            ],
          ] as const,
      ),
    ],
  ]);
}

export async function bucketLocation(request: S3Request): Promise<void> {
  await checkExists(request);
  respondXml(request, 'LocationConstraint', []);
}

/** Every bucket keeps versions, and none can stop it (docs/decisions/0094). */
export async function bucketVersioning(request: S3Request): Promise<void> {
  await checkExists(request);
  respondXml(request, 'VersioningConfiguration', [['Status', 'Enabled']]);
}

export async function setVersioning(request: S3Request): Promise<void> {
  await checkExists(request);
  const status = /<Status>\s*(\w+)\s*<\/Status>/.exec(await instructions(request, 64 * 1024))?.[1];
  if (status === 'Enabled') return respondEmpty(request, 200);
  if (status === undefined) throw new S3Error('MalformedXML', 'The XML has to name a Status.', 400);
  throw new S3Error('NotImplemented', 'Versioning cannot be suspended: every bucket here keeps versions.', 501);
}

/** A bucket is there when somebody made it or when a pipeline keeps its artifacts in it. */
export async function checkExists({ door, bucket }: S3Request): Promise<void> {
  if (await isNotedBucket(door.db, bucket)) return;
  if (await door.artifacts.hasBucket(bucket)) return;
  throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', 404);
}
