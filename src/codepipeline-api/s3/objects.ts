import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { StoredObject } from '../../providers/stored-object.ts';
import { noteBucket } from '../../db/api-buckets.ts';
import { checkExists } from './buckets.ts';
import { isSameForRange, isUnchanged, writeCondition } from './conditions.ts';
import { headersOf, headersToKeep } from './object-headers.ts';
import { common, respondEmpty, respondXml } from './respond.ts';
import { S3Error } from './s3-error.ts';
import { headerOf, type S3Request } from './s3-request.ts';
import { uploadBody } from './upload-body.ts';

/** Single objects of the store. */

export async function headObject(request: S3Request): Promise<void> {
  await read(request, false);
}

export async function getObject(request: S3Request): Promise<void> {
  await read(request, true);
}

async function read(request: S3Request, whole: boolean): Promise<void> {
  const found = await find(request);
  const { response } = request.exchange;
  if (isUnchanged(request, found)) {
    response.writeHead(304, { ...common(request), ...describing(found) });
    return void response.end();
  }
  const range = rangeOf(request, found);
  // A damaged object is an error, and no half of an answer.
  if (whole) await (range ? request.door.artifacts.checkForPart(found) : request.door.artifacts.check(found));
  response.writeHead(range ? 206 : 200, objectHeaders(request, found, range));
  if (!whole || found.size === 0) return void response.end();
  await pipeline(createReadStream(found.file, range ?? {}), response);
}

/** No object has tags; the CLI v2 asks before it copies. */
export async function getTagging(request: S3Request): Promise<void> {
  await find(request);
  respondXml(request, 'Tagging', [['TagSet', []]]);
}

async function find(request: S3Request): Promise<StoredObject> {
  const { door, bucket, key } = request;
  const version = versionAsked(request);
  const found = await door.artifacts.findVersion({ bucket, key }, version);
  if (found?.object) return found.object;
  await checkExists(request);
  const mark = found ? { 'x-amz-delete-marker': 'true', 'x-amz-version-id': found.versionId } : {};
  if (found && version !== undefined) {
    const headers = { ...mark, allow: 'DELETE', 'last-modified': new Date(found.storedAt).toUTCString() };
    throw new S3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.', 405, headers);
  }
  if (version === undefined) throw new S3Error('NoSuchKey', 'The specified key does not exist.', 404, mark);
  throw new S3Error('NoSuchVersion', 'The specified version does not exist.', 404);
}

function versionAsked({ query }: S3Request): string | undefined {
  const version = query.get('versionId') ?? undefined;
  if (version !== '') return version;
  throw new S3Error('InvalidArgument', 'Version id cannot be the empty string', 400);
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** One range of bytes. Anything else that the header may say is not heeded, as HTTP allows. */
function rangeOf(request: S3Request, found: StoredObject): Range | undefined {
  const { size } = found;
  if (request.query.has('partNumber')) return partRange(request.query.get('partNumber'), size);
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(headerOf(request, 'range')?.trim() ?? '') ?? [];
  const isRange = (from !== '' || to !== '') && !(from !== '' && to !== '' && Number(from) > Number(to));
  if (!isRange || !isSameForRange(request, found)) return undefined;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (start < size && start <= end) return { start, end };
  throw new S3Error('InvalidRange', 'The requested range is not satisfiable', 416, {
    'content-range': `bytes */${size}`,
  });
}

/** Parts are not told apart once an upload is complete: the first one is all of it. */
function partRange(asked: string | null, size: number): Range | undefined {
  if (asked === '1') return size === 0 ? undefined : { start: 0, end: size - 1 };
  throw new S3Error('InvalidPartNumber', 'The requested partnumber is not satisfiable', 416);
}

function objectHeaders(request: S3Request, found: StoredObject, range: Range | undefined): Record<string, string> {
  return {
    ...common(request),
    ...headersOf(request, found, !range),
    'content-length': String(range ? range.end - range.start + 1 : found.size),
    ...(range ? { 'content-range': `bytes ${range.start}-${range.end}/${found.size}` } : {}),
    'accept-ranges': 'bytes',
    ...describing(found),
    // What builds made must not act as a page of this door in somebody's browser.
    'content-security-policy': 'sandbox',
    'x-content-type-options': 'nosniff',
  };
}

function describing({ etag, storedAt, versionId }: StoredObject): Record<string, string> {
  return { etag, 'last-modified': new Date(storedAt).toUTCString(), 'x-amz-version-id': versionId };
}

export async function putObject(request: S3Request): Promise<void> {
  const { door, bucket, key } = request;
  checkNames(bucket, key);
  const unless = writeCondition(request);
  // Asked once before gigabytes are sent, and again when they are here.
  unless?.(await door.artifacts.describe({ bucket, key }));
  const body = uploadBody(request);
  const headers = headersToKeep(request);
  const stored = await door.artifacts.put({ bucket, key }, body.stream, {
    about: () => ({ etag: `"${body.md5()}"`, headers: { ...headers, ...body.checksums() } }),
    ...(unless ? { unless } : {}),
  });
  await noteBucket(door.db, bucket);
  respondEmpty(request, 200, { etag: stored.etag, 'x-amz-version-id': stored.versionId, ...body.checksums() });
}

/** Without a version the object is hidden behind a mark; with one, that version goes for good. */
export async function deleteObject(request: S3Request): Promise<void> {
  const { door, bucket, key } = request;
  const version = versionAsked(request);
  await checkExists(request);
  writeCondition(request)?.(await door.artifacts.describe({ bucket, key }, version));
  const { versionId, isMark } = await deleteOne(request, key, version);
  respondEmpty(request, 204, {
    ...(versionId === undefined ? {} : { 'x-amz-version-id': versionId }),
    ...(isMark ? { 'x-amz-delete-marker': 'true' } : {}),
  });
}

/** `versionId` is that of the mark, or of the version that went; `isMark`: it is, or was, a mark. */
export async function deleteOne(
  { door, bucket }: S3Request,
  key: string,
  version: string | undefined,
): Promise<{ readonly versionId?: string; readonly isMark: boolean }> {
  if (version === undefined) return { versionId: await door.artifacts.delete({ bucket, key }), isMark: true };
  const [gone] = await door.artifacts.erase({ bucket, key }, version);
  return { versionId: version, isMark: gone?.object === null };
}

export function checkNames(bucket: string, key: string): void {
  if (!/^[a-zA-Z0-9.-]{3,63}$/.test(bucket)) {
    throw new S3Error('InvalidBucketName', 'A bucket has 3 to 63 letters, digits, dots and hyphens.', 400);
  }
  if (Buffer.byteLength(key) > 1024) throw new S3Error('KeyTooLongError', 'Your key is too long', 400);
}
