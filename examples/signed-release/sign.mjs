// Usage: node sign.mjs <file> <signature file>; the key is $SIGNING_KEY.
import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const [file, to] = process.argv.slice(2);
const key = process.env.SIGNING_KEY;
if (!key) {
  console.error('sign.mjs: SIGNING_KEY is empty');
  process.exit(1);
}
const signature = createHmac('sha256', key).update(readFileSync(file)).digest('hex');
writeFileSync(to, `${signature}  ${file}\n`);
console.log(`signed ${file}`);
