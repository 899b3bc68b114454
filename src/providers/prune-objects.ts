import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { eraseRecord, isContent, readRecord, recordNames, storedMs, versionOf } from './object-records.ts';

/** A put that has not come to its end after this time never will. */
const longestPutMs = 24 * 60 * 60_000;

/** Erases what was replaced before that time, in all buckets of the store, and what broken puts left. Says how much. */
export async function pruneObjects(root: string, replacedBefore: Date): Promise<number> {
  let count = 0;
  for (const bucket of await readdir(root).catch(() => [])) {
    for (const object of await readdir(join(root, bucket)).catch(() => [])) {
      count += await pruneObject(join(root, bucket, object), replacedBefore.getTime());
    }
  }
  return count;
}

async function pruneObject(directory: string, before: number): Promise<number> {
  await removeStrays(directory);
  const names = await recordNames(directory);
  // Each was replaced by the one that is newer.
  const gone = names.filter((_, at) => at > 0 && storedMs(names[at - 1] ?? '') < before);
  const [newest] = names;
  if (newest !== undefined && gone.length === names.length - 1 && (await isOldMark(directory, newest, before)))
    gone.push(newest);
  for (const name of gone) await eraseRecord(directory, name);
  return gone.length;
}

/** Says that something was deleted of which nothing is left. */
async function isOldMark(directory: string, name: string, before: number): Promise<boolean> {
  if (storedMs(name) >= before) return false;
  const record = await readRecord(directory, name);
  return record !== null && !isContent(record);
}

async function removeStrays(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  const known = new Set(names.filter((name) => name.endsWith('.json')).map(versionOf));
  for (const name of names) {
    if (name.endsWith('.json') || known.has(name.split('.')[0] ?? '')) continue;
    const file = join(directory, name);
    const found = await stat(file).catch(() => null);
    if (found && Date.now() - found.mtimeMs > longestPutMs) await rm(file, { force: true });
  }
}
