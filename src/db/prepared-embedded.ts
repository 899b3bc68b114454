import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

const here = import.meta.dirname;

/**
 * A new embedded database with today's schema, packed: `npm ci` makes it in a checkout, a package brings it along.
 * Without it the first start computes for seconds what is the same everywhere.
 */
export function preparedEmbedded(): Blob | undefined {
  const file = preparedFile();
  return existsSync(file) ? new Blob([readFileSync(file)]) : undefined;
}

/** Of another PGlite or other migrations, another name. */
export function preparedFile(): string {
  const isCheckout = extname(import.meta.filename) === '.ts';
  const folder = join(here, '../..', isCheckout ? 'node_modules/.cache/penstock' : '.');
  return join(folder, `embedded-${fingerprint()}.tar.gz`);
}

function fingerprint(): string {
  const pglite = new URL('../package.json', import.meta.resolve('@electric-sql/pglite'));
  const hash = createHash('sha256').update(readFileSync(pglite));
  for (const file of globSync(join(here, '../../migrations/*')).toSorted()) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}
