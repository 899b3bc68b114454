import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { ArtifactLocation } from './provider.ts';

/**
 * A small object store in a directory: what S3 is to CodePipeline. Names from outside never become paths: the file of
 * an object is named by a digest of its bucket and key, and a record beside it says what it is.
 * A put is atomic: the record, written last, names the data file. Contents are checked against their digest on every
 * hand-over, so a damaged or swapped file is an error and never a build of something else.
 */
export interface ArtifactStore {
  put(location: ArtifactLocation, content: ArtifactContent): Promise<StoredObject>;
  /** null when there is no such object; throws DamagedArtifact when the content is not what was put. */
  get(location: ArtifactLocation): Promise<StoredObject | null>;
  /** Without reading the content: `check` it before the content counts. */
  describe(location: ArtifactLocation): Promise<StoredObject | null>;
  /** Throws DamagedArtifact when the content is not what was put. */
  check(object: StoredObject): Promise<void>;
  /** Objects of a bucket whose key begins with the prefix, by key. */
  list(bucket: string, prefix?: string): Promise<readonly StoredObject[]>;
  delete(location: ArtifactLocation): Promise<void>;
}

/** `file` is copied, not moved. */
export type ArtifactContent = Buffer | Readable | { readonly file: string };

export interface StoredObject {
  readonly location: ArtifactLocation;
  /** Where the bytes are; read-only for everybody. */
  readonly file: string;
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly versionId: string;
  /** ISO 8601. */
  readonly storedAt: string;
}

export class DamagedArtifact extends Error {
  override readonly name = 'DamagedArtifact';
}

const Stored = z.strictObject({
  bucket: z.string(),
  key: z.string(),
  data: z.string().regex(/^[0-9a-f-]+\.data$/),
  size: z.number(),
  sha256: z.string(),
  versionId: z.string(),
  storedAt: z.string(),
});
type Stored = z.infer<typeof Stored>;

const maxKeyLength = 1024;

export function openArtifactStore(home: string): ArtifactStore {
  const root = join(home, 'artifacts');
  return {
    put: (location, content) => putObject(root, location, content),
    get: async (location) => {
      const found = await describeObject(root, location);
      if (found !== null) await checkDigest(found);
      return found;
    },
    describe: (location) => describeObject(root, location),
    check: checkDigest,
    list: (bucket, prefix = '') => listObjects(root, bucket, prefix),
    delete: async (location) => {
      const stored = await readRecord(recordFile(root, location));
      await rm(recordFile(root, location), { force: true });
      if (stored !== null) await rm(join(bucketDirectory(root, location.bucket), stored.data), { force: true });
    },
  };
}

/** `<pipeline, 20 characters>/<artifact, 10>/<7 alphanumerics>` (CP-D-25); the same seed gives the same place. */
export function allotLocation(bucket: string, pipeline: string, artifactName: string, seed: string): ArtifactLocation {
  const digest = createHash('sha256').update(`${bucket}\0${pipeline}\0${artifactName}\0${seed}`).digest();
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  const name = [...digest.subarray(0, 7)].map((byte) => letters[byte % letters.length]).join('');
  return { bucket, key: `${pipeline.slice(0, 20)}/${artifactName.slice(0, 10)}/${name}` };
}

async function putObject(root: string, location: ArtifactLocation, content: ArtifactContent): Promise<StoredObject> {
  checkNames(location);
  const directory = bucketDirectory(root, location.bucket);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const versionId = randomUUID();
  const data = `${versionId}.data`;
  const { size, sha256 } = await writeContent(join(directory, data), content);
  const stored: Stored = { ...location, data, size, sha256, versionId, storedAt: new Date().toISOString() };
  const record = recordFile(root, location);
  const before = await readRecord(record);
  await writeFile(`${record}.${versionId}`, JSON.stringify(stored), { mode: 0o600 });
  await rename(`${record}.${versionId}`, record);
  if (before !== null) await rm(join(directory, before.data), { force: true });
  return objectOf(directory, stored);
}

async function writeContent(file: string, content: ArtifactContent): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256');
  let size = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  const source = Buffer.isBuffer(content)
    ? Readable.from([content])
    : 'file' in content
      ? createReadStream(content.file)
      : content;
  try {
    await pipeline(source, count, createWriteStream(file, { flags: 'wx', mode: 0o400 }));
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
  return { size, sha256: hash.digest('hex') };
}

async function checkDigest(found: StoredObject): Promise<void> {
  const where = `s3://${found.location.bucket}/${found.location.key}`;
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(found.file), hash);
  } catch (error) {
    throw new DamagedArtifact(`The artifact ${where} cannot be read. Retry the action that made it.`, { cause: error });
  }
  if (hash.digest('hex') === found.sha256) return;
  throw new DamagedArtifact(
    `The artifact ${where} is not what was stored: its digest differs. Retry the action that made it.`,
  );
}

async function describeObject(root: string, location: ArtifactLocation): Promise<StoredObject | null> {
  const stored = await readRecord(recordFile(root, location));
  return stored === null ? null : objectOf(bucketDirectory(root, location.bucket), stored);
}

async function listObjects(root: string, bucket: string, prefix: string): Promise<readonly StoredObject[]> {
  const directory = bucketDirectory(root, bucket);
  const names = await readdir(directory).catch(() => []);
  const records = await Promise.all(
    names.filter((name) => name.endsWith('.json')).map((name) => readRecord(join(directory, name))),
  );
  return records
    .filter((record) => record !== null && record.key.startsWith(prefix))
    .map((record) => objectOf(directory, record!))
    .sort((a, b) => (a.location.key < b.location.key ? -1 : 1));
}

function objectOf(directory: string, stored: Stored): StoredObject {
  const { bucket, key, data, ...rest } = stored;
  return { location: { bucket, key }, file: join(directory, data), ...rest };
}

async function readRecord(file: string): Promise<Stored | null> {
  const found = await stat(file).catch(() => null);
  return found === null ? null : Stored.parse(JSON.parse(await readFile(file, 'utf8')));
}

function checkNames(location: ArtifactLocation): void {
  for (const name of [location.bucket, location.key]) {
    if (name === '' || name.length > maxKeyLength) {
      throw new Error(
        `a bucket or key must have 1 to ${maxKeyLength} characters: ${JSON.stringify(name.slice(0, 80))}`,
      );
    }
  }
}

function bucketDirectory(root: string, bucket: string): string {
  return join(root, digestName(bucket));
}

function recordFile(root: string, location: ArtifactLocation): string {
  return join(bucketDirectory(root, location.bucket), `${digestName(location.key)}.json`);
}

function digestName(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 40);
}
