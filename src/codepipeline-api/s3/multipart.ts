import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { noteBucket } from '../../db/api-buckets.ts';
import { writeCondition } from './conditions.ts';
import { copiedRange } from './copy.ts';
import { digestFor } from './digests.ts';
import { md5Of } from './md5-of.ts';
import { checksumPrefix, headersToKeep } from './object-headers.ts';
import { checkNames } from './objects.ts';
import { respondEmpty, respondXml } from './respond.ts';
import { S3Error } from './s3-error.ts';
import { headerOf, type S3Request } from './s3-request.ts';
import { instructions, uploadBody } from './upload-body.ts';
import { mostParts, partFiles, partOf, uploadOf, type About } from './upload-files.ts';

/** Uploads that nobody completed are thrown away after this time. */
const lifetimeMs = 24 * 60 * 60_000;

export async function createUpload(request: S3Request): Promise<void> {
  const { door, bucket, key } = request;
  checkNames(bucket, key);
  await removeForgotten(door.uploads, door.now());
  const id = randomUUID();
  const directory = join(door.uploads, id);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const about: About = { bucket, key, at: door.now().toISOString(), headers: headersToKeep(request) };
  await writeFile(join(directory, 'about.json'), JSON.stringify(about), { mode: 0o600 });
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
  const { directory } = await uploadOf(request);
  const number = Number(request.query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > mostParts) {
    throw new S3Error('InvalidArgument', `Part number must be an integer between 1 and ${mostParts}, inclusive`, 400);
  }
  const isCopy = headerOf(request, 'x-amz-copy-source') !== undefined;
  const draft = join(directory, `draft-${randomUUID()}`);
  try {
    const body = isCopy ? { ...md5Of(await copiedRange(request)), checksums: () => ({}) } : uploadBody(request);
    await pipeline(body.stream, createWriteStream(draft, { flags: 'wx', mode: 0o600 }));
    const md5 = body.md5();
    const file = `${number}.${md5}`;
    await rename(draft, join(directory, file));
    for (const name of await partFiles(directory, number)) {
      if (name !== file) await rm(join(directory, name), { force: true });
    }
    if (!isCopy) return respondEmpty(request, 200, { etag: `"${md5}"`, ...body.checksums() });
    respondXml(request, 'CopyPartResult', [
      ['LastModified', door.now().toISOString()],
      ['ETag', `"${md5}"`],
    ]);
  } finally {
    await rm(draft, { force: true });
  }
}

export async function completeUpload(request: S3Request): Promise<void> {
  const { door, bucket, key } = request;
  const { directory, about } = await uploadOf(request);
  // The checksums in its headers are those of the object.
  const wanted = readParts(await instructions(request, 1024 * 1024, { own: false }));
  const files: string[] = [];
  const md5s: string[] = [];
  for (const { number, etag } of wanted) {
    const [name] = await partFiles(directory, number);
    const md5 = name && partOf(name).md5;
    if (name === undefined || md5 !== etag) {
      throw new S3Error('InvalidPart', `Part ${number} was not found, or its ETag is another one.`, 400);
    }
    files.push(join(directory, name));
    md5s.push(md5);
  }
  const whole = createHash('md5')
    .update(Buffer.from(md5s.join(''), 'hex'))
    .digest('hex');
  const checksums = wholeChecksums(request);
  const unless = writeCondition(request);
  const content = Readable.from(joined(files, checksums), { objectMode: false });
  const stored = await door.artifacts.put({ bucket, key }, content, {
    about: () => ({ etag: `"${whole}-${files.length}"`, headers: { ...about.headers, ...checksums } }),
    ...(unless ? { unless } : {}),
  });
  await noteBucket(door.db, bucket);
  await rm(directory, { recursive: true, force: true });
  request.exchange.response.setHeader('x-amz-version-id', stored.versionId);
  respondXml(request, 'CompleteMultipartUploadResult', [
    ['Location', `${door.url()}/${bucket}/${encodeURIComponent(key)}`],
    ['Bucket', bucket],
    ['Key', key],
    ['ETag', stored.etag],
  ]);
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

export async function abortUpload(request: S3Request): Promise<void> {
  const { directory } = await uploadOf(request);
  await rm(directory, { recursive: true, force: true });
  respondEmpty(request, 204);
}
