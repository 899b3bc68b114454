import { forgetBucket, isNotedBucket, listBuckets as list, noteBucket } from '../../db/api-buckets.ts';
import type { StoredObject } from '../../providers/artifact-store.ts';
import { checkNames, etagOf } from './objects.ts';
import { respondEmpty, respondXml } from './respond.ts';
import { S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';
import type { Element } from './xml.ts';

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

/** A bucket is there when somebody made it or when a pipeline keeps its artifacts in it. */
async function checkExists({ door, bucket }: S3Request): Promise<readonly StoredObject[] | undefined> {
  if (await isNotedBucket(door.db, bucket)) return undefined;
  const objects = await door.artifacts.list(bucket);
  if (objects.length === 0) throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', 404);
  return objects;
}

/** ListObjectsV2: prefix, delimiter, pages. */
export async function listObjects(request: S3Request): Promise<void> {
  const { door, bucket, query } = request;
  await checkExists(request);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const size = Math.min(1000, Math.max(0, Number(query.get('max-keys') ?? '1000') || 0));
  const token = query.get('continuation-token');
  const after = token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString();
  const rows = rowsOf(await door.artifacts.list(bucket, prefix), prefix, delimiter).filter((row) => row.name > after);
  const shown = rows.slice(0, size);
  const last = shown.at(-1)?.name;
  const isCut = rows.length > shown.length && last !== undefined;
  const encode =
    query.get('encoding-type') === 'url' ? (text: string) => encodeURIComponent(text).replaceAll('%2F', '/') : String;
  respondXml(request, 'ListBucketResult', [
    ['Name', bucket],
    ['Prefix', encode(prefix)],
    ...(delimiter === '' ? [] : [['Delimiter', encode(delimiter)] as const]),
    ...(query.get('encoding-type') === 'url' ? [['EncodingType', 'url'] as const] : []),
    ['KeyCount', shown.length],
    ['MaxKeys', size],
    ['IsTruncated', isCut],
    ...(isCut ? [['NextContinuationToken', Buffer.from(last).toString('base64url')] as const] : []),
    ...shown.map((row) => rowElement(row, encode)),
  ]);
}

interface Row {
  readonly name: string;
  /** Absent: a common prefix. */
  readonly object?: StoredObject;
}

function rowsOf(objects: readonly StoredObject[], prefix: string, delimiter: string): readonly Row[] {
  const rows = new Map<string, Row>();
  for (const object of objects) {
    const { key } = object.location;
    const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const name = at < 0 ? key : key.slice(0, at + delimiter.length);
    rows.set(name, at < 0 ? { name, object } : { name });
  }
  return [...rows.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function rowElement({ name, object }: Row, encode: (text: string) => string): Element {
  if (!object) return ['CommonPrefixes', [['Prefix', encode(name)]]];
  return [
    'Contents',
    [
      ['Key', encode(name)],
      ['LastModified', object.storedAt],
      ['ETag', etagOf(object)],
      ['Size', object.size],
      ['StorageClass', 'STANDARD'],
    ],
  ];
}
