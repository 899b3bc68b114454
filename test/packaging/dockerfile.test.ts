import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './checkout.ts';
import { allOf, environmentOf, readDockerfile, wordsOf } from './dockerfile.ts';

test('every file that is copied exists, and the ignore file lets it through', () => {
  const sources = allOf('COPY').flatMap((rest) => rest.split(/\s+/).slice(0, -1));
  const allowed = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
  expect(allowed[0]).toBe('*');
  for (const source of sources) {
    expect([source, existsSync(join(root, source))]).toEqual([source, true]);
    expect(allowed).toContain(`!${source}`);
  }
});

test('the server runs as a user without rights, and Node gets its signals itself (SEC-H-04)', () => {
  const names = readDockerfile().map(({ name }) => name);
  expect(allOf('USER')).toEqual(['node']);
  expect(names.indexOf('USER')).toBeLessThan(names.indexOf('CMD'));
  expect(wordsOf(allOf('CMD')[0] ?? '')).toEqual(['node', 'src/cli.ts', 'serve']);
  expect(environmentOf()).toMatchObject({ HOST: '0.0.0.0', PENSTOCK_HOME: '/data' });
});

test('git and bubblewrap are inside, tests and the optional Node are not', () => {
  const runs = allOf('RUN').join('\n');
  expect(runs).toMatch(/apt-get install .*\bbubblewrap\b.*\bgit\b/);
  expect(runs).toContain('npm ci --omit=dev --omit=optional --ignore-scripts');
});

test('no install script of a dependency is needed: the lock names none that would have to run', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean; dev?: boolean }>;
  };
  const needed = Object.entries(lock.packages).filter(([, entry]) => entry.hasInstallScript && !entry.dev);
  expect(needed.map(([name]) => name)).toEqual([]);
});

test('the launcher can be started as a program', () => {
  const mode = execFileSync('git', ['ls-files', '-s', 'src/penstock.mjs'], { cwd: root, encoding: 'utf8' });
  expect(mode).toMatch(/^100755 /);
});
