// `npm run bench -- core`: runs one benchmark of this folder. Each prints one line of JSON.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const names = ['api', 'comments', 'core', 'intake', 'isolation', 'jobs', 'source'] as const;
const [name] = process.argv.slice(2);
const file = join(import.meta.dirname, `${name}.ts`);
if (name === undefined || !names.some((one) => one === name) || !existsSync(file)) {
  console.error(`Name one benchmark: ${names.map((one) => `npm run bench -- ${one}`).join(', ')}.`);
  process.exit(2);
}
await import(file);
