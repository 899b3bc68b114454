import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './checkout.ts';

/** Without comments, which may say why something is not there. */
function codeOf(file: string): string {
  return readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
}

test('SEC-B-03 what GitHub says of the author of a comment is never read', () => {
  const files = globSync('src/**/*.ts', { cwd: root }).filter((file) => !file.startsWith('src/demo/'));
  expect(files.length).toBeGreaterThan(200);
  expect(files.filter((file) => /author_?association/i.test(codeOf(file)))).toEqual([]);
});
