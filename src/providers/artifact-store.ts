import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  addRecord,
  createData,
  dataFile,
  eraseRecord,
  findRecord,
  isContent,
  readRecords,
  recordNames,
  versionOf,
  type ContentRecord,
} from './object-records.ts';
import { eachObject, hasObjects, newestOf } from './bucket-objects.ts';
import { inTurn } from './in-turn.ts';
import { checkDigest, rememberingCheck } from './digest-check.ts';
import type { ArtifactLocation } from './provider.ts';
import { pruneObjects } from './prune-objects.ts';
import { objectDirectory, objectOf, versionFrom, type StoredObject, type StoredVersion } from './stored-object.ts';

/**
 * A small object store in a directory: what S3 is to CodePipeline, every bucket with versions (docs/decisions/0094).
 * Names from outside never become paths: the files of an object lie in a directory named by digests of its bucket and key.
 * A put is atomic: the record, written last, names the data file. Contents are checked against their digest on every
 * hand-over, so a damaged or swapped file is an error and never a build of something else.
 */
export interface ArtifactStore {
  put(location: ArtifactLocation, content: ArtifactContent, options?: PutOptions): Promise<StoredObject>;
  /**
   * The newest version without `version`. null when there is no such object or version, or it says that the object was
   * deleted; throws DamagedArtifact when the content is not what was put.
   */
  get(location: ArtifactLocation, version?: string): Promise<StoredObject | null>;
  /** The newest version, or one by its id, also one that says that the object was deleted. */
  findVersion(location: ArtifactLocation, version?: string): Promise<StoredVersion | null>;
  /** Without reading the content: `check` it before the content counts. */
  describe(location: ArtifactLocation, version?: string): Promise<StoredObject | null>;
  /** Throws DamagedArtifact when the content is not what was put. */
  check(object: StoredObject): Promise<void>;
  /** As `check`, for a reader of parts: a file that was whole a minute ago and has not changed since is not read again. */
  checkForPart(object: StoredObject): Promise<void>;
  /** Whether anything was ever put into it and is not erased. */
  hasBucket(bucket: string): Promise<boolean>;
  /** Objects of a bucket whose key begins with the prefix, by key; not those that were deleted. */
  list(bucket: string, prefix?: string): Promise<readonly StoredObject[]>;
  /** All versions, by key, newest first. */
  versions(bucket: string, prefix?: string): Promise<readonly StoredVersion[]>;
  /** Older versions stay. Answers the id of the version that says so. */
  delete(location: ArtifactLocation): Promise<string>;
  /** For good: one version, or all of them. Answers those that were there. */
  erase(location: ArtifactLocation, version?: string): Promise<readonly StoredVersion[]>;
  /** Erases versions that were replaced before that time, in all buckets, and what broken puts left. */
  prune(replacedBefore: Date): Promise<number>;
}

/** `file` is copied, not moved. */
export type ArtifactContent = Buffer | Readable | { readonly file: string };

export interface PutOptions {
  /** What a reader over HTTP is told. Called when the content came whole; absent: an ETag that is no MD5, no headers. */
  readonly about?: () => Pick<StoredObject, 'etag' | 'headers'>;
  /** Throws for what must not be replaced; no other put of this process comes in between. */
  readonly unless?: (current: StoredObject | null) => void;
  /** false: what was there before goes at once. */
  readonly keepOlder?: boolean;
}

const maxKeyLength = 1024;
/** Of one object; the oldest go first. */
export const mostVersions = 100;

export function openArtifactStore(home: string): ArtifactStore {
  const root = join(home, 'artifacts');
  return {
    put: (location, content, options) => putObject(root, location, content, options ?? {}),
    get: async (location, version) => {
      const found = await describeObject(root, location, version);
      if (found !== null) await checkDigest(found);
      return found;
    },
    describe: (location, version) => describeObject(root, location, version),
    findVersion: (location, version) => findVersion(root, location, version),
    check: checkDigest,
    checkForPart: rememberingCheck(),
    hasBucket: (bucket) => hasObjects(root, bucket),
    list: async (bucket, prefix = '') =>
      (await eachObject(root, bucket, prefix, newestOf)).flatMap(({ directory, records: [record] }) =>
        record && isContent(record) ? [objectOf(directory, record)] : [],
      ),
    versions: async (bucket, prefix = '') =>
      (await eachObject(root, bucket, prefix, readRecords)).flatMap(({ directory, records }) =>
        records.map((record, at) => versionFrom(directory, record, at === 0)),
      ),
    delete: (location) => deleteObject(root, location),
    erase: (location, version) => eraseObject(root, location, version),
    prune: (replacedBefore) => pruneObjects(root, replacedBefore),
  };
}

/** `<pipeline, 20 characters>/<artifact, 10>/<7 alphanumerics>` (CP-D-25); the same seed gives the same place. */
export function allotLocation(bucket: string, pipeline: string, artifactName: string, seed: string): ArtifactLocation {
  const digest = createHash('sha256').update(`${bucket}\0${pipeline}\0${artifactName}\0${seed}`).digest();
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  const name = [...digest.subarray(0, 7)].map((byte) => letters[byte % letters.length]).join('');
  return { bucket, key: `${pipeline.slice(0, 20)}/${artifactName.slice(0, 10)}/${name}` };
}

async function putObject(
  root: string,
  location: ArtifactLocation,
  content: ArtifactContent,
  { about, unless, keepOlder = true }: PutOptions,
): Promise<StoredObject> {
  checkNames(location);
  const directory = objectDirectory(root, location);
  const versionId = randomUUID();
  const { size, sha256 } = await writeContent(directory, versionId, content);
  return inTurn(directory, async () => {
    try {
      if (unless) unless(await describeObject(root, location));
      const record: ContentRecord = {
        ...location,
        versionId,
        storedAt: new Date().toISOString(),
        size,
        sha256,
        ...(about?.() ?? { etag: `"${sha256.slice(0, 32)}-1"`, headers: {} }),
      };
      await addRecord(directory, record);
      for (const name of (await recordNames(directory)).slice(keepOlder ? mostVersions : 1)) {
        await eraseRecord(directory, name);
      }
      return objectOf(directory, record);
    } catch (error) {
      await rm(dataFile(directory, versionId), { force: true });
      throw error;
    }
  });
}

async function writeContent(
  directory: string,
  versionId: string,
  content: ArtifactContent,
): Promise<{ size: number; sha256: string }> {
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
  const handle = await createData(directory, versionId);
  try {
    await pipeline(source, count, handle.createWriteStream());
  } catch (error) {
    await rm(dataFile(directory, versionId), { force: true });
    throw error;
  }
  return { size, sha256: hash.digest('hex') };
}

async function deleteObject(root: string, location: ArtifactLocation): Promise<string> {
  checkNames(location);
  const directory = objectDirectory(root, location);
  const versionId = randomUUID();
  const mark = { ...location, versionId, storedAt: new Date().toISOString(), deleted: true } as const;
  await inTurn(directory, () => addRecord(directory, mark));
  return versionId;
}

async function eraseObject(
  root: string,
  location: ArtifactLocation,
  version: string | undefined,
): Promise<readonly StoredVersion[]> {
  const directory = objectDirectory(root, location);
  return inTurn(directory, async () => {
    const records = await readRecords(directory);
    const wanted = (id: string): boolean => version === undefined || id === version;
    for (const name of await recordNames(directory)) {
      if (wanted(versionOf(name))) await eraseRecord(directory, name);
    }
    return records
      .map((record, at) => versionFrom(directory, record, at === 0))
      .filter(({ versionId }) => wanted(versionId));
  });
}

async function describeObject(
  root: string,
  location: ArtifactLocation,
  version?: string,
): Promise<StoredObject | null> {
  return (await findVersion(root, location, version))?.object ?? null;
}

async function findVersion(
  root: string,
  location: ArtifactLocation,
  version: string | undefined,
): Promise<StoredVersion | null> {
  const directory = objectDirectory(root, location);
  const found = await findRecord(directory, version);
  return found && versionFrom(directory, found.record, found.isLatest);
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
