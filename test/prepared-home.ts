import { randomUUID } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { migrate } from '../src/db/migrate.ts';
import { openDatabase } from '../src/db/open.ts';
import { cacheFile } from './db/test-cache.ts';

/**
 * Puts a migrated, empty embedded database into a directory: the first start of one takes seconds of computing, a copy
 * of 40 MB does not. What the first start itself does is shown by the stories of `serve` and `demo`.
 */
export async function prepareDatabase(directory: string): Promise<void> {
  const template = cacheFile('pglite', '.d');
  if (!existsSync(template)) await makeTemplate(template);
  mkdirSync(dirname(directory), { recursive: true, mode: 0o700 });
  cpSync(template, directory, { recursive: true });
}

async function makeTemplate(template: string): Promise<void> {
  const draft = `${template}.${randomUUID()}`;
  const open = await openDatabase({ kind: 'embedded', directory: draft });
  await migrate(open.db);
  await open.close();
  try {
    renameSync(draft, template);
  } catch (error) {
    // Another worker was first: it has the same in it.
    if (!existsSync(template)) throw error;
  }
}
