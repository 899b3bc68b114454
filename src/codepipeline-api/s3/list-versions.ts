import type { StoredVersion } from '../../providers/stored-object.ts';
import { inKeyOrder } from '../../providers/key-order.ts';
import { checkExists } from './buckets.ts';
import { commonPrefix, commonPrefixOf, headOf, questionOf, type Question } from './list-question.ts';
import { respondXml } from './respond.ts';
import { S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';
import type { Element } from './xml.ts';

interface Row {
  readonly name: string;
  /** Absent: a common prefix. */
  readonly version?: StoredVersion;
}

/** ListObjectVersions: all of them and the marks of deletions, by key, newest first. */
export async function listVersions(request: S3Request): Promise<void> {
  const { query, door, bucket } = request;
  const question = questionOf(request);
  const [key, version] = [query.get('key-marker') ?? '', query.get('version-id-marker') ?? ''];
  if (key === '' && version !== '') {
    throw new S3Error('InvalidArgument', 'A version-id marker cannot be specified without a key marker.', 400);
  }
  await checkExists(request);
  const all = rowsOf(await door.artifacts.versions(bucket, question.prefix), question);
  const rows = all.slice(beginning(all, key, version));
  const shown = rows.slice(0, question.size);
  const last = rows.length > shown.length ? shown.at(-1) : undefined;
  respondXml(request, 'ListVersionsResult', [
    ...headOf(request, question, last !== undefined),
    ['KeyMarker', question.encode(key)],
    ['VersionIdMarker', version],
    ...(last ? [['NextKeyMarker', question.encode(last.name)] as const] : []),
    ...(last?.version ? [['NextVersionIdMarker', last.version.versionId] as const] : []),
    ...shown.map((row) => element(row, question)),
  ]);
}

function rowsOf(versions: readonly StoredVersion[], question: Question): readonly Row[] {
  const rows: Row[] = [];
  for (const version of versions) {
    const { key } = version.location;
    const group = commonPrefixOf(key, question);
    if (group === undefined) rows.push({ name: key, version });
    else if (rows.at(-1)?.name !== group) rows.push({ name: group });
  }
  return rows;
}

/** Where the page begins: behind that version of the key, or behind all of its versions. */
function beginning(rows: readonly Row[], key: string, version: string): number {
  if (key === '') return 0;
  const at = version === '' ? -1 : rows.findIndex((row) => row.name === key && row.version?.versionId === version);
  if (at >= 0) return at + 1;
  const next = rows.findIndex(({ name }) => inKeyOrder(name, key) > 0);
  return next < 0 ? rows.length : next;
}

function element({ name, version }: Row, question: Question): Element {
  if (!version) return commonPrefix(name, question);
  const { object } = version;
  return [
    object ? 'Version' : 'DeleteMarker',
    [
      ['Key', question.encode(name)],
      ['VersionId', version.versionId],
      ['IsLatest', version.isLatest],
      ['LastModified', version.storedAt],
      ...(object
        ? ([
            ['ETag', object.etag],
            ['Size', object.size],
            ['StorageClass', 'STANDARD'],
          ] as const)
        : []),
    ],
  ];
}
