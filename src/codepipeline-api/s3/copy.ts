import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { noteBucket } from '../../db/api-buckets.ts';
import type { StoredObject } from '../../providers/stored-object.ts';
import { isUnchanged, precondition, writeCondition } from './conditions.ts';
import { md5Of } from './md5-of.ts';
import { headersToKeep } from './object-headers.ts';
import { checkNames } from './objects.ts';
import { respondXml } from './respond.ts';
import { S3Error } from './s3-error.ts';
import { headerOf, type S3Request } from './s3-request.ts';

/** Where `x-amz-copy-source` points: `/bucket/key` or `bucket/key`, encoded, with an optional version. */
export function copySourceOf(request: Pick<S3Request, 'exchange'>): { bucket: string; key: string; version?: string } {
  const [path = '', query = ''] = (headerOf(request, 'x-amz-copy-source') ?? '').split('?');
  const [bucket = '', ...key] = decode(path).replace(/^\//, '').split('/');
  const version = new URLSearchParams(query).get('versionId');
  if (bucket === '' || key.length === 0) {
    throw new S3Error(
      'InvalidArgument',
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
      400,
    );
  }
  return { bucket, key: key.join('/'), ...(version === null ? {} : { version }) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error('InvalidArgument', 'The copy source is not encoded as it should be.', 400);
  }
}

/** With what the source says of itself, unless the request says it anew. Onto itself it makes a new version. */
export async function copyObject(request: S3Request): Promise<void> {
  const { door, bucket, key } = request;
  checkNames(bucket, key);
  const found = await findSource(request);
  const isReplaced = headerOf(request, 'x-amz-metadata-directive')?.toUpperCase() === 'REPLACE';
  const headers = isReplaced ? headersToKeep(request) : found.headers;
  const { stream, md5 } = md5Of(createReadStream(found.file));
  const unless = writeCondition(request);
  const stored = await door.artifacts.put({ bucket, key }, stream, {
    about: () => ({ etag: `"${md5()}"`, headers }),
    ...(unless ? { unless } : {}),
  });
  await noteBucket(door.db, bucket);
  request.exchange.response.setHeader('x-amz-version-id', stored.versionId);
  request.exchange.response.setHeader('x-amz-copy-source-version-id', found.versionId);
  respondXml(request, 'CopyObjectResult', [
    ['LastModified', stored.storedAt],
    ['ETag', stored.etag],
  ]);
}

/** `x-amz-copy-source-range: bytes=first-last`; the whole object without it. */
export async function copiedRange(request: S3Request): Promise<Readable> {
  const found = await findSource(request);
  const header = headerOf(request, 'x-amz-copy-source-range');
  if (header === undefined) return createReadStream(found.file);
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(header) ?? [];
  const [start, end] = [Number(from), Number(to)];
  if (from !== undefined && start <= end && end < found.size) return createReadStream(found.file, { start, end });
  throw new S3Error('InvalidArgument', `The range of the copy source has to lie within its ${found.size} bytes.`, 400);
}

async function findSource(request: S3Request): Promise<StoredObject> {
  const { version, ...source } = copySourceOf(request);
  const found = await request.door.artifacts.get(source, version);
  if (found) {
    if (isUnchanged(request, found, 'x-amz-copy-source-')) throw precondition();
    return found;
  }
  if (version === undefined) throw new S3Error('NoSuchKey', 'The specified key does not exist.', 404);
  throw new S3Error('NoSuchVersion', 'The specified version does not exist.', 404);
}
