import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkExists } from './buckets.ts';
import { respondXml } from './respond.ts';
import { pageSize } from './list-question.ts';
import { S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';
import { partFiles, partOf, uploadOf, uploadsOf, type Upload } from './upload-files.ts';
import type { Element } from './xml.ts';

/** What came of an upload so far, by number. */
export async function listParts(request: S3Request): Promise<void> {
  const { bucket, key, query } = request;
  const size = pageSize(query, 'max-parts');
  const after = Number(query.get('part-number-marker') ?? 0);
  if (!Number.isInteger(after) || after < 0) {
    throw new S3Error('InvalidArgument', 'Argument part-number-marker must be an integer of 0 or more', 400);
  }
  const { id, directory } = await uploadOf(request);
  const names = (await partFiles(directory)).toSorted((a, b) => partOf(a).number - partOf(b).number);
  const rest = names.filter((one) => partOf(one).number > after);
  const shown = rest.slice(0, size);
  const last = shown.at(-1);
  respondXml(request, 'ListPartsResult', [
    ['Bucket', bucket],
    ['Key', key],
    ['UploadId', id],
    ['StorageClass', 'STANDARD'],
    ['PartNumberMarker', after],
    ...(last === undefined ? [] : [['NextPartNumberMarker', partOf(last).number] as const]),
    ['MaxParts', size],
    ['IsTruncated', rest.length > shown.length],
    ...(await Promise.all(shown.map((name) => partElement(directory, name)))),
  ]);
}

async function partElement(directory: string, name: string): Promise<Element> {
  const { size, mtime } = await stat(join(directory, name));
  const { number, md5 } = partOf(name);
  return [
    'Part',
    [
      ['PartNumber', number],
      ['LastModified', mtime.toISOString()],
      ['ETag', `"${md5}"`],
      ['Size', size],
    ],
  ];
}

/** Uploads of a bucket that were neither completed nor aborted. */
export async function listUploads(request: S3Request): Promise<void> {
  const { query } = request;
  const size = pageSize(query, 'max-uploads');
  await checkExists(request);
  const prefix = query.get('prefix') ?? '';
  const found = (await uploadsOf(request)).filter(({ about }) => about.key.startsWith(prefix));
  const rest = found.slice(firstAfter(found, query));
  const shown = rest.slice(0, size);
  const next = rest.length > shown.length ? shown.at(-1) : undefined;
  respondXml(request, 'ListMultipartUploadsResult', [
    ['Bucket', request.bucket],
    ['Prefix', prefix],
    ['KeyMarker', query.get('key-marker') ?? ''],
    ['UploadIdMarker', query.get('upload-id-marker') ?? ''],
    ...(next
      ? ([
          ['NextKeyMarker', next.about.key],
          ['NextUploadIdMarker', next.id],
        ] as const)
      : []),
    ['MaxUploads', size],
    ['IsTruncated', next !== undefined],
    ...shown.map(uploadElement),
  ]);
}

/** Behind the upload that the markers name; behind every upload of the key when its id is not told or is gone. */
function firstAfter(found: readonly Upload[], query: URLSearchParams): number {
  const key = query.get('key-marker') ?? '';
  const id = query.get('upload-id-marker') ?? '';
  const named = found.findIndex((one) => one.about.key === key && one.id === id);
  if (named >= 0) return named + 1;
  const later = found.findIndex(({ about }) => key === '' || about.key > key);
  return later < 0 ? found.length : later;
}

function uploadElement({ id, about }: Upload): Element {
  return [
    'Upload',
    [
      ['Key', about.key],
      ['UploadId', id],
      ['StorageClass', 'STANDARD'],
      ['Initiated', about.at],
    ],
  ];
}
