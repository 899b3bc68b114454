import type { StoredObject } from '../../providers/stored-object.ts';
import { inKeyOrder } from '../../providers/key-order.ts';
import { checkExists } from './buckets.ts';
import { commonPrefix, commonPrefixOf, headOf, questionOf, type Question } from './list-question.ts';
import { respondXml } from './respond.ts';
import { S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';
import type { Element } from './xml.ts';

/** Both ways in which S3 lists the objects of a bucket: prefix, delimiter, pages. */

interface Page {
  readonly shown: readonly Row[];
  /** Of the last row, when there are more. */
  readonly next: string | undefined;
  readonly question: Question;
}

interface Row {
  readonly name: string;
  /** Absent: a common prefix. */
  readonly object?: StoredObject;
}

async function pageOf(request: S3Request, after: string): Promise<Page> {
  const question = questionOf(request);
  await checkExists(request);
  const objects = await request.door.artifacts.list(request.bucket, question.prefix);
  const rows = rowsOf(objects, question).filter(({ name }) => after === '' || inKeyOrder(name, after) > 0);
  const shown = rows.slice(0, question.size);
  return { shown, next: rows.length > shown.length ? shown.at(-1)?.name : undefined, question };
}

function rowsOf(objects: readonly StoredObject[], question: Question): readonly Row[] {
  const rows = new Map<string, Row>();
  for (const object of objects) {
    const { key } = object.location;
    const group = commonPrefixOf(key, question);
    rows.set(group ?? key, group === undefined ? { name: key, object } : { name: group });
  }
  return [...rows.values()].toSorted((a, b) => inKeyOrder(a.name, b.name));
}

/** ListObjectsV2. */
export async function listObjects(request: S3Request): Promise<void> {
  const { query } = request;
  const token = query.get('continuation-token');
  const start = query.get('start-after');
  const { shown, next, question } = await pageOf(request, token === null ? (start ?? '') : readToken(token));
  respondXml(request, 'ListBucketResult', [
    ...headOf(request, question, next !== undefined),
    ['KeyCount', shown.length],
    ...(start === null ? [] : [['StartAfter', question.encode(start)] as const]),
    ...(token === null ? [] : [['ContinuationToken', token] as const]),
    ...(next === undefined ? [] : [['NextContinuationToken', tokenOf(next)] as const]),
    ...shown.map((row) => element(row, question)),
  ]);
}

function tokenOf(name: string): string {
  return Buffer.from(name).toString('base64url');
}

function readToken(token: string): string {
  const name = Buffer.from(token, 'base64url').toString();
  if (name !== '' && tokenOf(name) === token) return name;
  throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect', 400);
}

/** ListObjects, the first version: a marker instead of a token. */
export async function listObjectsByMarker(request: S3Request): Promise<void> {
  const marker = request.query.get('marker') ?? '';
  const { shown, next, question } = await pageOf(request, marker);
  respondXml(request, 'ListBucketResult', [
    ...headOf(request, question, next !== undefined),
    ['Marker', question.encode(marker)],
    ...(next === undefined ? [] : [['NextMarker', question.encode(next)] as const]),
    ...shown.map((row) => element(row, question)),
  ]);
}

function element({ name, object }: Row, question: Question): Element {
  if (!object) return commonPrefix(name, question);
  return [
    'Contents',
    [
      ['Key', question.encode(name)],
      ['LastModified', object.storedAt],
      ['ETag', object.etag],
      ['Size', object.size],
      ['StorageClass', 'STANDARD'],
    ],
  ];
}
