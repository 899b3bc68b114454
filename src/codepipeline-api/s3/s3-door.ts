import { describeError } from '../../errors.ts';
import { anonymousCaller, authenticate, type Authenticated } from '../authenticate.ts';
import type { Caller, Door } from '../door.ts';
import { answer, type Exchange } from '../http-server.ts';
import { adminScope } from '../../db/api-pipelines.ts';
import {
  bucketLocation,
  bucketVersioning,
  createBucket,
  deleteBucket,
  headBucket,
  listBuckets,
  setVersioning,
} from './buckets.ts';
import { completeUpload } from './complete-upload.ts';
import { copyObject, copySourceOf } from './copy.ts';
import { deleteObjects } from './delete-objects.ts';
import { listObjects, listObjectsByMarker } from './list-objects.ts';
import { listVersions } from './list-versions.ts';
import { listParts, listUploads } from './list-uploads.ts';
import { abortUpload, createUpload, uploadPart } from './multipart.ts';
import { deleteObject, getObject, getTagging, headObject, putObject } from './objects.ts';
import { asS3Error, notImplemented, S3Error } from './s3-error.ts';
import { addressOf, type S3Request } from './s3-request.ts';
import { queryOf } from '../sigv4.ts';
import type { Throttle } from '../throttle.ts';
import { document } from './xml.ts';

export interface S3DoorOptions {
  readonly throttle: Throttle;
  readonly anonymous: boolean;
}

/** Serves one request to the object store in the words of S3 (docs/decisions/0030). */
export async function serveS3(door: Door, options: S3DoorOptions, exchange: Exchange): Promise<void> {
  try {
    const { caller, claim, secretAccessKey } = await whoAsks(door, options, exchange);
    if (!options.throttle.admit(caller.arn, door.now()))
      throw new S3Error('SlowDown', 'Please reduce your request rate.', 503);
    const request: S3Request = {
      door,
      caller,
      exchange,
      ...addressOf(exchange, door.url()),
      ...(claim && secretAccessKey !== undefined ? { chunkSigning: { claim, secretAccessKey } } : {}),
    };
    checkAllowed(request);
    await actionFor(request)(request);
  } catch (error) {
    tell(door, exchange, error);
  }
}

async function whoAsks(
  door: Door,
  { anonymous }: S3DoorOptions,
  { request, target }: Exchange,
): Promise<Authenticated> {
  if (anonymous) return { caller: anonymousCaller(door) };
  const stated = request.headers['x-amz-content-sha256'];
  const payloadHash = typeof stated === 'string' ? stated : 'UNSIGNED-PAYLOAD';
  const signed = { method: request.method ?? '', target, headers: request.headers };
  return authenticate(door, signed, { service: 's3', payloadHash });
}

/**
 * Admin keys open every object, the credentials of a worker job those of its job. A key of a repository opens none:
 * buckets are names that any pipeline may use, so there is nothing that would be its own.
 */
function checkAllowed({ caller, bucket, key, exchange }: S3Request): void {
  const copied = exchange.request.headers['x-amz-copy-source'] !== undefined ? copySourceOf({ exchange }) : undefined;
  const reads = !copied || mayTouch(caller, copied.bucket, copied.key, 'GET');
  if (reads && mayTouch(caller, bucket, key, exchange.request.method ?? '')) return;
  throw new S3Error('AccessDenied', 'Access Denied', 403);
}

function mayTouch({ objects, scope, readOnly }: Caller, bucket: string, key: string, method: string): boolean {
  const reads = method === 'GET' || method === 'HEAD';
  if (!objects) return scope === adminScope && (reads || !readOnly);
  if (key === '') return false;
  const place = `${bucket}/${key}`;
  const writes = method === 'PUT' || method === 'POST' || method === 'DELETE';
  return objects.write.includes(place) ? reads || writes : reads && objects.read.includes(place);
}

type Action = (request: S3Request) => Promise<void>;

function actionFor({ bucket, key, query, exchange }: S3Request): Action {
  const method = exchange.request.method ?? '';
  const has = (...names: string[]): boolean => names.every((name) => query.has(name));
  if (bucket === '') return method === 'GET' ? listBuckets : refuse(method);
  if (key === '') return bucketAction(method, query);
  if (method === 'GET' && has('tagging')) return getTagging;
  const others = ['acl', 'tagging', 'retention', 'legal-hold', 'torrent', 'attributes', 'select', 'restore'];
  const stray = others.find((name) => query.has(name));
  if (stray !== undefined) return refuse(stray);
  switch (method) {
    case 'GET':
      return has('uploadId') ? listParts : getObject;
    case 'HEAD':
      return headObject;
    case 'PUT':
      if (has('uploadId')) return uploadPart;
      return exchange.request.headers['x-amz-copy-source'] === undefined ? putObject : copyObject;
    case 'POST':
      if (has('uploads')) return createUpload;
      return has('uploadId') ? completeUpload : refuse('a form upload');
    case 'DELETE':
      return has('uploadId') ? abortUpload : deleteObject;
    default:
      return refuse(method);
  }
}

function bucketAction(method: string, query: URLSearchParams): Action {
  const sub = [...query.keys()].find((name) => !plainQuery.has(name) && !/^x-amz-/i.test(name));
  if (method === 'GET' && query.has('location')) return bucketLocation;
  if (method === 'GET' && query.has('versioning')) return bucketVersioning;
  if (method === 'PUT' && query.has('versioning')) return setVersioning;
  if (method === 'GET' && query.has('versions')) return listVersions;
  if (method === 'GET' && query.has('uploads')) return listUploads;
  if (method === 'POST' && query.has('delete')) return deleteObjects;
  if (sub !== undefined) return refuse(sub);
  switch (method) {
    case 'GET':
      return query.get('list-type') === '2' ? listObjects : listObjectsByMarker;
    case 'HEAD':
      return headBucket;
    case 'PUT':
      return createBucket;
    case 'DELETE':
      return deleteBucket;
    default:
      return refuse(method);
  }
}

const plainQuery = new Set([
  'list-type',
  'prefix',
  'marker',
  'delimiter',
  'max-keys',
  'continuation-token',
  'start-after',
  'encoding-type',
  'fetch-owner',
  'x-id',
]);

function refuse(what: string): Action {
  return () => Promise.reject(notImplemented(what));
}

function tell({ log }: Pick<Door, 'log'>, exchange: Exchange, error: unknown): void {
  const { response, requestId, target } = exchange;
  const presigned = exchange.request.headers.authorization === undefined && queryOf(target).has('X-Amz-Algorithm');
  const told =
    asS3Error(error, { presigned }) ??
    new S3Error('InternalError', 'We encountered an internal error. Please try again.', 500);
  if (told.status === 500 && !response.destroyed)
    log.error({ requestId, error: describeError(error) }, 'a request to the object store broke');
  if (response.headersSent) return void response.destroy();
  const body = document(
    'Error',
    [
      ['Code', told.code],
      ['Message', told.message],
      ['Resource', target.split('?')[0] ?? ''],
      ['RequestId', requestId],
    ],
    false,
  );
  answer(
    exchange,
    told.status,
    { ...told.headers, 'content-type': 'application/xml', 'x-amz-request-id': requestId },
    body,
  );
}
