import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkExists } from './buckets.ts';
import { respondXml } from './respond.ts';
import type { S3Request } from './s3-request.ts';
import { partFiles, partOf, uploadOf, uploadsOf } from './upload-files.ts';
import type { Element } from './xml.ts';

/** What came of an upload so far. Always one page: there are as many at most as S3 tells in ten. */
export async function listParts(request: S3Request): Promise<void> {
  const { bucket, key } = request;
  const { id, directory } = await uploadOf(request);
  const after = Number(request.query.get('part-number-marker') ?? 0);
  const names = (await partFiles(directory)).toSorted((a, b) => partOf(a).number - partOf(b).number);
  const parts: Element[] = [];
  for (const name of names.filter((one) => partOf(one).number > after)) {
    const { size, mtime } = await stat(join(directory, name));
    const { number, md5 } = partOf(name);
    parts.push([
      'Part',
      [
        ['PartNumber', number],
        ['LastModified', mtime.toISOString()],
        ['ETag', `"${md5}"`],
        ['Size', size],
      ],
    ]);
  }
  respondXml(request, 'ListPartsResult', [
    ['Bucket', bucket],
    ['Key', key],
    ['UploadId', id],
    ['StorageClass', 'STANDARD'],
    ['IsTruncated', false],
    ...parts,
  ]);
}

/** Uploads of a bucket that were neither completed nor aborted. */
export async function listUploads(request: S3Request): Promise<void> {
  await checkExists(request);
  const prefix = request.query.get('prefix') ?? '';
  const found = (await uploadsOf(request)).filter(({ about }) => about.key.startsWith(prefix));
  respondXml(request, 'ListMultipartUploadsResult', [
    ['Bucket', request.bucket],
    ['Prefix', prefix],
    ['IsTruncated', false],
    ...found.map(({ id, about }): Element => [
      'Upload',
      [
        ['Key', about.key],
        ['UploadId', id],
        ['StorageClass', 'STANDARD'],
        ['Initiated', about.at],
      ],
    ]),
  ]);
}
