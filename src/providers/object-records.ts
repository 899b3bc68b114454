import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/**
 * The files of one object: a directory with a record `<order>.<version>.json` for each version, newest last by name, and
 * its bytes beside it as `<version>.data`. Records are never changed, so a version is there whole or not at all, and
 * puts that race both stay.
 */
const about = { bucket: z.string(), key: z.string(), versionId: z.uuid(), storedAt: z.iso.datetime() };
const ContentRecord = z.strictObject({
  ...about,
  size: z.number(),
  sha256: z.string(),
  etag: z.string(),
  headers: z.record(z.string(), z.string()),
});
/** Says that the object was deleted: older versions stay until they are pruned. */
const DeleteMark = z.strictObject({ ...about, deleted: z.literal(true) });
export type ContentRecord = z.infer<typeof ContentRecord>;
export type ObjectRecord = ContentRecord | z.infer<typeof DeleteMark>;
const ObjectRecord = z.union([ContentRecord, DeleteMark]);

export function isContent(record: ObjectRecord): record is ContentRecord {
  return 'sha256' in record;
}

/** Names of the records, newest first. */
export async function recordNames(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => []);
  return names
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .toReversed();
}

/** null: erased meanwhile. */
export async function readRecord(directory: string, name: string): Promise<ObjectRecord | null> {
  const text = await readFile(join(directory, name), 'utf8').catch(() => null);
  return text === null ? null : ObjectRecord.parse(JSON.parse(text));
}

/** Newest first. */
export async function readRecords(directory: string): Promise<readonly ObjectRecord[]> {
  const records = await Promise.all((await recordNames(directory)).map((name) => readRecord(directory, name)));
  return records.filter((record) => record !== null);
}

/** The newest, or that of one version. */
export async function findRecord(
  directory: string,
  version?: string,
): Promise<{ readonly record: ObjectRecord; readonly isLatest: boolean } | null> {
  const names = await recordNames(directory);
  for (const name of names) {
    if (version !== undefined && versionOf(name) !== version) continue;
    const record = await readRecord(directory, name);
    if (record) return { record, isLatest: name === names[0] };
  }
  return null;
}

/** Of a record's file name. */
export function versionOf(name: string): string {
  return name.split('.')[1] ?? '';
}

/** When it was stored; of a record's file name. */
export function storedMs(name: string): number {
  return Number(name.split('.')[0]) / 1000;
}

export function dataFile(directory: string, versionId: string): string {
  return join(directory, `${versionId}.data`);
}

/** Creates the directory, too. To be written and closed by the caller. */
export async function createData(directory: string, versionId: string): Promise<FileHandle> {
  for (let attempt = 1; ; attempt += 1) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    try {
      return await open(dataFile(directory, versionId), 'wx', 0o400);
    } catch (error) {
      // Whoever erased the last version took the empty directory away in between.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === 5) throw error;
    }
  }
}

/** Makes it the newest, whatever the clock says. */
export async function addRecord(directory: string, record: ObjectRecord): Promise<void> {
  const [newest = ''] = await recordNames(directory);
  const order = Math.max(Date.parse(record.storedAt) * 1000, Number(newest.split('.')[0]) + 1);
  const draft = join(directory, `${randomUUID()}.draft`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(draft, JSON.stringify(record), { mode: 0o600 });
  await rename(draft, join(directory, `${String(order).padStart(17, '0')}.${record.versionId}.json`));
}

/** The record first: what has no record is not there. */
export async function eraseRecord(directory: string, name: string): Promise<void> {
  await rm(join(directory, name), { force: true });
  await rm(dataFile(directory, versionOf(name)), { force: true });
  await rmdir(directory).catch(() => undefined);
}
