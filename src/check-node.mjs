// Plain JavaScript on purpose: an old Node has to be able to read the file that tells it that it is old.
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Node runs TypeScript by itself from here on. */
export const neededNode = '22.18';

/** @param {string} version such as `v20.20.2` */
export function runsTypeScript(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

/** @param {string} version the Node that was found instead */
export function whatToDo(version) {
  return [
    `Penstock needs Node ${neededNode} or newer; this is Node ${version.replace(/^v/, '')}.`,
    '',
    'In a checkout, `npm ci` brings Node 24 along on Linux, and npm scripts use it:',
    '  npm ci',
    '  npm start            # or: npm run demo, npm test, npm run -s penstock -- --help',
    'If `npm ci` was run with --omit=optional, run it again without, or install Node 24 from https://nodejs.org.',
  ].join('\n');
}

const calledAs = process.argv[1];
if (calledAs !== undefined && realpathSync(calledAs) === fileURLToPath(import.meta.url)) {
  if (!runsTypeScript(process.version)) {
    console.error(whatToDo(process.version));
    process.exitCode = 1;
  }
}
