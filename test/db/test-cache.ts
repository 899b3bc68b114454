import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** Where something that follows from the migrations and the embedded database is kept; another state, another name. */
export function cacheFile(stem: string, ending: string): string {
  const cache = join(root, 'node_modules/.cache/penstock');
  mkdirSync(cache, { recursive: true });
  return join(cache, `${stem}-${fingerprint()}${ending}`);
}

function fingerprint(): string {
  const hash = createHash('sha256');
  const inputs = [
    ...globSync(join(root, 'migrations/*.ts')),
    join(root, 'node_modules/@electric-sql/pglite/package.json'),
  ];
  for (const path of inputs.toSorted()) hash.update(path).update(readFileSync(path));
  return hash.digest('hex').slice(0, 16);
}
