import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { copiedRange } from './copy.ts';
import { md5Of } from './md5-of.ts';
import { headersToKeep } from './object-headers.ts';
import { checkNames } from './objects.ts';
import { respondEmpty, respondXml } from './respond.ts';
import { S3Error } from './s3-error.ts';
import { headerOf, type S3Request } from './s3-request.ts';
import { uploadBody } from './upload-body.ts';
import { mostParts, partFiles, uploadOf, type About } from './upload-files.ts';

/** What is left of uploads, completed or not, is thrown away after this time. */
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

export async function abortUpload(request: S3Request): Promise<void> {
  const { directory } = await uploadOf(request);
  await rm(directory, { recursive: true, force: true });
  respondEmpty(request, 204);
}
