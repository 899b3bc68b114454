import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { StoredObject } from '../../providers/artifact-store.ts';
import { noteBucket } from '../../db/api-buckets.ts';
import { common, respondEmpty, respondXml } from './respond.ts';
import { S3Error } from './s3-error.ts';
import { headerOf, type S3Request } from './s3-request.ts';
import { uploadBody } from './upload-body.ts';

/** Single objects of the store. */

export async function headObject(request: S3Request): Promise<void> {
  const found = await find(request, false);
  const range = rangeOf(request, found.size);
  const { response } = request.exchange;
  response.writeHead(range ? 206 : 200, objectHeaders(request, found, range));
  response.end();
}

export async function getObject(request: S3Request): Promise<void> {
  const found = await find(request, true);
  const range = rangeOf(request, found.size);
  const { response } = request.exchange;
  response.writeHead(range ? 206 : 200, objectHeaders(request, found, range));
  if (found.size === 0) return void response.end();
  await pipeline(createReadStream(found.file, range ?? {}), response);
}

/** No object has tags; the CLI v2 asks before it copies. */
export async function getTagging(request: S3Request): Promise<void> {
  await find(request, false);
  respondXml(request, 'Tagging', [['TagSet', []]]);
}

async function find({ door, bucket, key, query }: S3Request, whole: boolean): Promise<StoredObject> {
  const found = whole ? await door.artifacts.get({ bucket, key }) : await door.artifacts.describe({ bucket, key });
  if (!found) throw new S3Error('NoSuchKey', 'The specified key does not exist.', 404);
  const version = query.get('versionId');
  if (version !== null && version !== found.versionId) {
    throw new S3Error('NoSuchVersion', 'The specified version does not exist: only the newest is kept.', 404);
  }
  return found;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** One range of bytes. Anything else that the header may say is not heeded, as HTTP allows. */
function rangeOf(request: S3Request, size: number): Range | undefined {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(headerOf(request, 'range') ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (start < size && start <= end) return { start, end };
  throw new S3Error('InvalidRange', 'The requested range is not satisfiable', 416);
}

function objectHeaders(request: S3Request, found: StoredObject, range: Range | undefined): Record<string, string> {
  return {
    ...common(request),
    'content-type': 'application/octet-stream',
    'content-length': String(range ? range.end - range.start + 1 : found.size),
    ...(range ? { 'content-range': `bytes ${range.start}-${range.end}/${found.size}` } : {}),
    'accept-ranges': 'bytes',
    etag: etagOf(found),
    'last-modified': new Date(found.storedAt).toUTCString(),
    'x-amz-version-id': found.versionId,
  };
}

/** Opaque to clients: a part of the SHA-256, not the MD5 that S3 uses. */
export function etagOf({ sha256 }: Pick<StoredObject, 'sha256'>): string {
  return `"${sha256.slice(0, 32)}"`;
}

export async function putObject(request: S3Request): Promise<void> {
  const { door, bucket, key } = request;
  checkNames(bucket, key);
  const stored = await door.artifacts.put({ bucket, key }, uploadBody(request));
  await noteBucket(door.db, bucket);
  respondEmpty(request, 200, { etag: etagOf(stored), 'x-amz-version-id': stored.versionId });
}

export async function deleteObject(request: S3Request): Promise<void> {
  const { door, bucket, key } = request;
  await door.artifacts.delete({ bucket, key });
  respondEmpty(request, 204);
}

export function checkNames(bucket: string, key: string): void {
  if (!/^[a-zA-Z0-9.-]{3,63}$/.test(bucket)) {
    throw new S3Error('InvalidBucketName', 'A bucket has 3 to 63 letters, digits, dots and hyphens.', 400);
  }
  if (Buffer.byteLength(key) > 1024) throw new S3Error('KeyTooLongError', 'Your key is too long', 400);
}
