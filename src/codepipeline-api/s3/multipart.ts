import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { noteBucket } from '../../db/api-buckets.ts';
import { readBody } from '../http-server.ts';
import { copiedRange } from './copy.ts';
import { checkNames, etagOf } from './objects.ts';
import { respondEmpty, respondXml } from './respond.ts';
import { S3Error } from './s3-error.ts';
import { headerOf, type S3Request } from './s3-request.ts';
import { uploadBody } from './upload-body.ts';

/**
 * Uploads in parts: a directory for each, with a file for each part. A part is renamed to `<number>.<digest>` when it
 * came whole; a part that is sent again replaces the one before.
 */

const about = z.object({ bucket: z.string(), key: z.string() });
const mostParts = 10_000;
/** Uploads that nobody completed are thrown away after this time. */
const lifetimeMs = 24 * 60 * 60_000;

export async function createUpload(request: S3Request): Promise<void> {
  const { door, bucket, key } = request;
  checkNames(bucket, key);
  await removeForgotten(door.uploads, door.now());
  const id = randomUUID();
  const directory = join(door.uploads, id);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(join(directory, 'about.json'), JSON.stringify({ bucket, key }), { mode: 0o600 });
  respondXml(request, 'InitiateMultipartUploadResult', [
    ['Bucket', bucket],
    ['Key', key],
    ['UploadId', id],
  ]);
}

async function removeForgotten(uploads: string, now: Date): Promise<void> {
  for (const name of await readdir(uploads).catch(() => [])) {
    const found = await stat(join(uploads, name)).catch(() => null);
    if (found && now.getTime() - found.mtimeMs > lifetimeMs)
      await rm(join(uploads, name), { recursive: true, force: true });
  }
}

export async function uploadPart(request: S3Request): Promise<void> {
  const { door } = request;
  const directory = await directoryOf(request);
  const number = Number(request.query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > mostParts) {
    throw new S3Error('InvalidArgument', `Part number must be an integer between 1 and ${mostParts}, inclusive`, 400);
  }
  const draft = join(directory, `draft-${randomUUID()}`);
  const hash = createHash('sha256');
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(await partOf(request), count, createWriteStream(draft, { flags: 'wx', mode: 0o600 }));
    const digest = hash.digest('hex');
    for (const name of await partFiles(directory, number)) await rm(join(directory, name), { force: true });
    await rename(draft, join(directory, `${number}.${digest}`));
    const etag = etagOf({ sha256: digest });
    if (headerOf(request, 'x-amz-copy-source') === undefined) return respondEmpty(request, 200, { etag });
    respondXml(request, 'CopyPartResult', [
      ['LastModified', door.now().toISOString()],
      ['ETag', etag],
    ]);
  } finally {
    await rm(draft, { force: true });
  }
}

/** What is sent, or a range of an object that is here already (UploadPartCopy). */
async function partOf(request: S3Request): Promise<Readable> {
  return headerOf(request, 'x-amz-copy-source') === undefined ? uploadBody(request) : copiedRange(request);
}

async function partFiles(directory: string, number: number): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.startsWith(`${number}.`));
}

export async function completeUpload(request: S3Request): Promise<void> {
  const { door, bucket, key } = request;
  const directory = await directoryOf(request);
  const wanted = readParts((await readBody(request.exchange, 1024 * 1024)).toString());
  const files: string[] = [];
  for (const { number, etag } of wanted) {
    const [name] = await partFiles(directory, number);
    if (name === undefined || etagOf({ sha256: name.split('.')[1] ?? '' }) !== etag) {
      throw new S3Error('InvalidPart', `Part ${number} was not found, or its ETag is another one.`, 400);
    }
    files.push(join(directory, name));
  }
  const stored = await door.artifacts.put({ bucket, key }, Readable.from(joined(files), { objectMode: false }));
  await noteBucket(door.db, bucket);
  await rm(directory, { recursive: true, force: true });
  request.exchange.response.setHeader('x-amz-version-id', stored.versionId);
  respondXml(request, 'CompleteMultipartUploadResult', [
    ['Bucket', bucket],
    ['Key', key],
    ['ETag', etagOf(stored)],
  ]);
}

async function* joined(files: readonly string[]): AsyncGenerator<Buffer> {
  for (const file of files) for await (const part of createReadStream(file) as AsyncIterable<Buffer>) yield part;
}

interface PartRef {
  readonly number: number;
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
      return { number: Number(number), etag: `"${etag}"` };
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

export async function abortUpload(request: S3Request): Promise<void> {
  await rm(await directoryOf(request), { recursive: true, force: true });
  respondEmpty(request, 204);
}

/** Only of this very object: an id of another one's upload does not exist here. */
async function directoryOf({ door, bucket, key, query }: S3Request): Promise<string> {
  const id = query.get('uploadId') ?? '';
  const directory = join(door.uploads, id);
  const text = /^[0-9a-f-]{36}$/.test(id)
    ? await readFile(join(directory, 'about.json'), 'utf8').catch(() => null)
    : null;
  const found = text === null ? null : about.parse(JSON.parse(text));
  if (found?.bucket === bucket && found.key === key) return directory;
  throw new S3Error('NoSuchUpload', 'The specified upload does not exist. It may have been aborted or completed.', 404);
}
