import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { inKeyOrder } from './key-order.ts';
import { findRecord, type ObjectRecord } from './object-records.ts';
import { digestName } from './stored-object.ts';

/** One object, with the records that were asked for. */
interface Found {
  readonly directory: string;
  readonly records: readonly ObjectRecord[];
}

export async function hasObjects(root: string, bucket: string): Promise<boolean> {
  return (await readdir(join(root, digestName(bucket))).catch(() => [])).length > 0;
}

export async function newestOf(directory: string): Promise<readonly ObjectRecord[]> {
  const found = await findRecord(directory);
  return found ? [found.record] : [];
}

/** How many directories are read at a time: each takes a few open files. */
const atOnce = 64;

export async function eachObject(
  root: string,
  bucket: string,
  prefix: string,
  read: (directory: string) => Promise<readonly ObjectRecord[]>,
): Promise<readonly Found[]> {
  const place = join(root, digestName(bucket));
  const names = await readdir(place).catch(() => []);
  const found: Found[] = [];
  for (let at = 0; at < names.length; at += atOnce) {
    const directories = names.slice(at, at + atOnce).map((name) => join(place, name));
    const all = await Promise.all(
      directories.map(async (directory) => ({ directory, records: await read(directory) })),
    );
    found.push(...all.filter(({ records: [first] }) => first?.key.startsWith(prefix)));
  }
  return found.toSorted((a, b) => inKeyOrder(a.records[0]?.key ?? '', b.records[0]?.key ?? ''));
}
