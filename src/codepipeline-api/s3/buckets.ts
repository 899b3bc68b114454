import { forgetBucket, isNotedBucket, listBuckets as list, noteBucket } from '../../db/api-buckets.ts';
import type { StoredObject } from '../../providers/artifact-store.ts';
import { checkNames } from './objects.ts';
import { respondEmpty, respondXml } from './respond.ts';
import { S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';

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
  if ((await request.door.artifacts.list(request.bucket)).length > 0) {
    throw new S3Error('BucketNotEmpty', 'The bucket you tried to delete is not empty', 409);
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

/** As a bucket of AWS says it that never had versioning: older versions are not kept (docs/decisions/0068). */
export async function bucketVersioning(request: S3Request): Promise<void> {
  await checkExists(request);
  respondXml(request, 'VersioningConfiguration', []);
}

/** A bucket is there when somebody made it or when a pipeline keeps its artifacts in it. */
export async function checkExists({ door, bucket }: S3Request): Promise<readonly StoredObject[] | undefined> {
  if (await isNotedBucket(door.db, bucket)) return undefined;
  const objects = await door.artifacts.list(bucket);
  if (objects.length === 0) throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', 404);
  return objects;
}
