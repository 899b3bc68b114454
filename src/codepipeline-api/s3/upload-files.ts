import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';

/**
 * Uploads in parts: a directory for each, with a file for each part. A part is renamed to `<number>.<md5>` when it came
 * whole; a part that is sent again replaces the one before. Of a completed upload only its answer stays.
 */

const Completed = z.object({ etag: z.string(), versionId: z.string() });
export type Completed = z.infer<typeof Completed>;

const About = z.object({
  bucket: z.string(),
  key: z.string(),
  at: z.iso.datetime(),
  headers: z.record(z.string(), z.string()),
  completed: Completed.optional(),
});
export type About = z.infer<typeof About>;

export const mostParts = 10_000;

export interface Upload {
  readonly id: string;
  readonly directory: string;
  readonly about: About;
}

/** Completed or not. Only of this very object: an id of another one's upload does not exist here. */
export async function findUpload({ door, bucket, key, query }: S3Request): Promise<Upload> {
  const found = await readUpload(door.uploads, query.get('uploadId') ?? '');
  if (found?.about.bucket === bucket && found.about.key === key) return found;
  throw noSuchUpload();
}

/** One that still takes parts. */
export async function uploadOf(request: S3Request): Promise<Upload> {
  const found = await findUpload(request);
  if (found.about.completed) throw noSuchUpload();
  return found;
}

function noSuchUpload(): S3Error {
  return new S3Error(
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    404,
  );
}

export async function noteCompleted({ directory, about }: Upload, completed: Completed): Promise<void> {
  const draft = join(directory, 'completed.json');
  await writeFile(draft, JSON.stringify({ ...about, completed } satisfies About), { mode: 0o600 });
  await rename(draft, join(directory, 'about.json'));
}

/** Of a bucket and not completed, by key and then by time. */
export async function uploadsOf({ door, bucket }: S3Request): Promise<readonly Upload[]> {
  const ids = await readdir(door.uploads).catch(() => []);
  const found = (await Promise.all(ids.map((id) => readUpload(door.uploads, id)))).filter((one) => one !== null);
  const order = ({ about }: Upload): string => `${about.key}\0${about.at}`;
  const open = found.filter(({ about }) => about.bucket === bucket && !about.completed);
  return open.toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
}

async function readUpload(uploads: string, id: string): Promise<Upload | null> {
  if (!/^[0-9a-f-]{36}$/.test(id)) return null;
  const directory = join(uploads, id);
  const text = await readFile(join(directory, 'about.json'), 'utf8').catch(() => null);
  return text === null ? null : { id, directory, about: About.parse(JSON.parse(text)) };
}

/** Of one part, or of all. */
export async function partFiles(directory: string, number?: number): Promise<readonly string[]> {
  const names = await readdir(directory);
  return names.filter((name) => /^\d+\./.test(name) && (number === undefined || partOf(name).number === number));
}

export function partOf(file: string): { readonly number: number; readonly md5: string } {
  const [number, md5 = ''] = file.split('.');
  return { number: Number(number), md5 };
}
