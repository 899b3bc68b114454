import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const home = mkdtempSync(join(tmpdir(), 'penstock-full-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Runs shell lines where `home` is a disk of that size: a mount of this process alone. */
function onDiskOf(size: string, lines: readonly string[]) {
  const script = ['set -e', `mount -t tmpfs -o size=${size} tmpfs '${home}'`, 'set +e', ...lines].join('\n');
  const words = ['-rm', 'sh', '-c', script];
  const { status, stdout, stderr } = spawnSync('unshare', words, {
    cwd: home,
    env: { PATH: process.env['PATH'], PENSTOCK_HOME: join(home, 'penstock') },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const penstock = `'${process.execPath}' '${join(root, 'src/cli.ts')}'`;
const isPossible = onDiskOf('1m', ['true']).status === 0;
if (!isPossible) console.log('skipped: a full disk (this machine does not let unshare mount one)');

test.skipIf(!isPossible)(
  'a disk without room for the database is told, nothing half is left, and with room it starts',
  () => {
    const { status, stdout, stderr } = onDiskOf('60m', [
      `head -c 48m /dev/zero > '${home}/filler'`,
      `${penstock} migrate`,
      `ls '${home}/penstock'`,
      `rm '${home}/filler'`,
      `${penstock} migrate`,
    ]);
    expect(stderr).toBe(
      `There is no room on the disk of ${home}/penstock/database (the embedded database begins with 40 MB). ` +
        'Make room, or set PENSTOCK_HOME to a directory on another disk.\n',
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'The embedded database has the newest schema.\n' });
  },
);

test.skipIf(!isPossible)('penstock run on a full disk says so in one line', () => {
  const declaration = join(root, 'examples/c-program/pipeline.json');
  const { status, stderr } = onDiskOf('1m', [
    `head -c 2m /dev/zero > '${home}/filler' 2>/dev/null`,
    `${penstock} run '${declaration}' --source '${join(root, 'examples/c-program')}'`,
  ]);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^penstock run: the disk is full \(.*ENOSPC.*\)\. Make room, or set PENSTOCK_HOME/);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});
