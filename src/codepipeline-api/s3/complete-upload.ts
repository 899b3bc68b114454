import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { noteBucket } from '../../db/api-buckets.ts';
import { inTurn } from '../../providers/in-turn.ts';
import { writeCondition } from './conditions.ts';
import { digestFor } from './digests.ts';
import { checksumPrefix } from './object-headers.ts';
import { respondXml } from './respond.ts';
import { S3Error } from './s3-error.ts';
import { headerOf, type S3Request } from './s3-request.ts';
import { instructions } from './upload-body.ts';
import {
  findUpload,
  mostParts,
  noteCompleted,
  partFiles,
  partOf,
  type Completed,
  type Upload,
} from './upload-files.ts';

/** Of every part but the last. */
const leastBytes = 5 * 1024 * 1024;

/**
 * Makes one object of the parts. A client that lost the answer, or did not wait for it, asks again: it gets the same
 * answer, and no second version.
 */
export async function completeUpload(request: S3Request): Promise<void> {
  const { door, bucket, key } = request;
  const { directory } = await findUpload(request);
  // The checksums in its headers are those of the object.
  const wanted = readParts(await instructions(request, 1024 * 1024, { own: false }));
  const { etag, versionId } = await inTurn(directory, async () => {
    const upload = await findUpload(request);
    return upload.about.completed ?? (await complete(request, upload, wanted));
  });
  request.exchange.response.setHeader('x-amz-version-id', versionId);
  respondXml(request, 'CompleteMultipartUploadResult', [
    ['Location', `${door.url()}/${bucket}/${encodeURIComponent(key)}`],
    ['Bucket', bucket],
    ['Key', key],
    ['ETag', etag],
  ]);
}

async function complete(request: S3Request, upload: Upload, wanted: readonly PartRef[]): Promise<Completed> {
  const { door, bucket, key } = request;
  const files = await filesOf(upload, wanted);
  const whole = createHash('md5')
    .update(Buffer.from(wanted.map(({ etag }) => etag).join(''), 'hex'))
    .digest('hex');
  const checksums = wholeChecksums(request);
  const unless = writeCondition(request);
  const content = Readable.from(joined(files, checksums), { objectMode: false });
  const { etag, versionId } = await door.artifacts.put({ bucket, key }, content, {
    about: () => ({ etag: `"${whole}-${files.length}"`, headers: { ...upload.about.headers, ...checksums } }),
    ...(unless ? { unless } : {}),
  });
  await noteBucket(door.db, bucket);
  await noteCompleted(upload, { etag, versionId });
  for (const name of await partFiles(upload.directory)) await rm(join(upload.directory, name), { force: true });
  return { etag, versionId };
}

async function filesOf({ directory }: Upload, wanted: readonly PartRef[]): Promise<readonly string[]> {
  const names = new Map((await partFiles(directory)).map((name) => [partOf(name).number, name]));
  const files: string[] = [];
  for (const { number, etag } of wanted) {
    const name = names.get(number);
    if (name === undefined || partOf(name).md5 !== etag) {
      throw new S3Error('InvalidPart', `Part ${number} was not found, or its ETag is another one.`, 400);
    }
    files.push(join(directory, name));
  }
  for (const file of files.slice(0, -1)) {
    if ((await stat(file)).size >= leastBytes) continue;
    throw new S3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', 400);
  }
  return files;
}

/** Those of the whole object. A checksum made from those of the parts ends in their number, and is not kept. */
function wholeChecksums(request: S3Request): Readonly<Record<string, string>> {
  const names = Object.keys(request.exchange.request.headers).filter(
    (name) => name.startsWith(checksumPrefix) && digestFor(name) !== undefined,
  );
  const given = names.map((name) => [name, headerOf(request, name) ?? ''] as const);
  return Object.fromEntries(given.filter(([, value]) => !value.includes('-')));
}

/** Fails at the end when a checksum is not that of the whole. */
async function* joined(files: readonly string[], checksums: Readonly<Record<string, string>>): AsyncGenerator<Buffer> {
  const digests = Object.entries(checksums).map(([name, value]) => ({ name, value, digest: digestFor(name) }));
  for (const file of files) {
    for await (const part of createReadStream(file) as AsyncIterable<Buffer>) {
      for (const { digest } of digests) digest?.update(part);
      yield part;
    }
  }
  const wrong = digests.find(({ value, digest }) => digest?.value() !== value);
  if (!wrong) return;
  throw new S3Error('BadDigest', `The ${wrong.name} you specified did not match the calculated checksum.`, 400);
}

interface PartRef {
  readonly number: number;
  /** Without its quotes. */
  readonly etag: string;
}

/** `<Part><PartNumber>1</PartNumber><ETag>"…"</ETag></Part>…`, in ascending order. */
function readParts(body: string): readonly PartRef[] {
  const parts = body
    .split('</Part>')
    .slice(0, -1)
    .map((piece): PartRef => {
      const number = /<PartNumber>\s*(\d{1,5})\s*<\/PartNumber>/.exec(piece)?.[1];
      const etag = /<ETag>([^<]{1,200})<\/ETag>/
        .exec(piece)?.[1]
        ?.replaceAll(/&quot;|&#34;|"/g, '')
        .trim();
      if (number === undefined || etag === undefined) throw malformed();
      return { number: Number(number), etag };
    });
  if (parts.length === 0 || parts.length > mostParts) throw malformed();
  if (parts.some(({ number }, index) => index > 0 && number <= (parts[index - 1]?.number ?? 0))) {
    throw new S3Error('InvalidPartOrder', 'The list of parts was not in ascending order.', 400);
  }
  return parts;
}

function malformed(): S3Error {
  return new S3Error('MalformedXML', 'The XML you provided was not well-formed or did not name any part.', 400);
}
