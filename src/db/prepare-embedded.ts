import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { migrate } from './migrate.ts';
import { openOnPglite } from './open-embedded.ts';
import { preparedFile } from './prepared-embedded.ts';

// `npm ci` runs this in a checkout, `npm pack` in what it packs: see prepared-embedded.ts.
const file = preparedFile();
if (!existsSync(file)) {
  const lite = await PGlite.create();
  const open = await openOnPglite(lite);
  await migrate(open.db);
  await open.db.destroy();
  const dump = await lite.dumpDataDir('gzip');
  await lite.close();
  const draft = `${file}.${process.pid}`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(draft, Buffer.from(await dump.arrayBuffer()));
  await rename(draft, file);
}
