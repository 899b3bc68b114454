import type { StoredObject } from '../../providers/artifact-store.ts';
import { checkExists } from './buckets.ts';
import { etagOf } from './objects.ts';
import { respondXml } from './respond.ts';
import type { S3Request } from './s3-request.ts';
import type { Element } from './xml.ts';

/** The three ways in which S3 lists a bucket: prefix, delimiter, pages. */

interface Page {
  readonly shown: readonly Row[];
  /** Of the last row, when there are more. */
  readonly next: string | undefined;
  readonly encode: (text: string) => string;
  /** What every list says of the question. */
  readonly head: readonly Element[];
}

interface Row {
  readonly name: string;
  /** Absent: a common prefix. */
  readonly object?: StoredObject;
}

async function pageOf(request: S3Request, after: string): Promise<Page> {
  const { door, bucket, query } = request;
  await checkExists(request);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const size = Math.min(1000, Math.max(0, Number(query.get('max-keys') ?? '1000') || 0));
  const rows = rowsOf(await door.artifacts.list(bucket, prefix), prefix, delimiter).filter((row) => row.name > after);
  const shown = rows.slice(0, size);
  const next = rows.length > shown.length ? shown.at(-1)?.name : undefined;
  const isEncoded = query.get('encoding-type') === 'url';
  const encode = isEncoded ? (text: string) => encodeURIComponent(text).replaceAll('%2F', '/') : String;
  const head: Element[] = [
    ['Name', bucket],
    ['Prefix', encode(prefix)],
    ...(delimiter === '' ? [] : [['Delimiter', encode(delimiter)] as const]),
    ...(isEncoded ? [['EncodingType', 'url'] as const] : []),
    ['MaxKeys', size],
    ['IsTruncated', next !== undefined],
  ];
  return { shown, next, encode, head };
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

/** ListObjectsV2. */
export async function listObjects(request: S3Request): Promise<void> {
  const { query } = request;
  const token = query.get('continuation-token');
  const after = token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString();
  const { shown, next, encode, head } = await pageOf(request, after);
  respondXml(request, 'ListBucketResult', [
    ...head,
    ['KeyCount', shown.length],
    ...(next === undefined ? [] : [['NextContinuationToken', Buffer.from(next).toString('base64url')] as const]),
    ...shown.map((row) => element(row, encode)),
  ]);
}

/** ListObjects, the first version: a marker instead of a token. */
export async function listObjectsByMarker(request: S3Request): Promise<void> {
  const marker = request.query.get('marker') ?? '';
  const { shown, next, encode, head } = await pageOf(request, marker);
  respondXml(request, 'ListBucketResult', [
    ...head,
    ['Marker', encode(marker)],
    ...(next === undefined ? [] : [['NextMarker', encode(next)] as const]),
    ...shown.map((row) => element(row, encode)),
  ]);
}

/** ListObjectVersions: the one version that each object has. */
export async function listVersions(request: S3Request): Promise<void> {
  const marker = request.query.get('key-marker') ?? '';
  const { shown, next, encode, head } = await pageOf(request, marker);
  const last = shown.at(-1)?.object?.versionId;
  respondXml(request, 'ListVersionsResult', [
    ...head,
    ['KeyMarker', encode(marker)],
    ...(next === undefined ? [] : [['NextKeyMarker', encode(next)] as const]),
    ...(next === undefined || last === undefined ? [] : [['NextVersionIdMarker', last] as const]),
    ...shown.map((row) => element(row, encode, 'Version')),
  ]);
}

function element(row: Row, encode: (text: string) => string, name: 'Contents' | 'Version' = 'Contents'): Element {
  const { object } = row;
  if (!object) return ['CommonPrefixes', [['Prefix', encode(row.name)]]];
  return [
    name,
    [
      ['Key', encode(row.name)],
      ...(name === 'Version'
        ? ([
            ['VersionId', object.versionId],
            ['IsLatest', true],
          ] as const)
        : []),
      ['LastModified', object.storedAt],
      ['ETag', etagOf(object)],
      ['Size', object.size],
      ['StorageClass', 'STANDARD'],
    ],
  ];
}
