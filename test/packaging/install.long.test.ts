import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { copyCheckout, pack, plainEnvironment } from './checkout.ts';

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'penstock-install-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('the tarball, installed in an empty folder by npm, runs', () => {
  copyCheckout(join(directory, 'checkout'));
  const tarball = pack(join(directory, 'checkout'), directory);
  const elsewhere = join(directory, 'elsewhere');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'package.json'), '{ "name": "elsewhere", "private": true }');
  const options = { cwd: elsewhere, encoding: 'utf8', env: { ...process.env, ...plainEnvironment() } } as const;
  const install = spawnSync(
    'npm',
    ['install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', tarball],
    options,
  );
  expect([install.status, install.stderr]).toEqual([0, expect.any(String)]);
  const help = spawnSync(join(elsewhere, 'node_modules/.bin/penstock'), ['--help'], options);
  expect([help.status, help.stdout]).toEqual([0, expect.stringContaining('Commands:')]);
  const migrated = spawnSync(join(elsewhere, 'node_modules/.bin/penstock'), ['migrate'], options);
  expect([migrated.status, migrated.stdout]).toEqual([0, 'The embedded database has the newest schema.\n']);
});
