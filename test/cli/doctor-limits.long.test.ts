import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../buildspec/rungs.ts';

const cwd = await temporaryDirectory();
const cli = join(import.meta.dirname, '../../src/cli.ts');

/** What `penstock doctor` prints with these limits. */
async function doctor(limits: string): Promise<string> {
  await writeFile(join(cwd, 'penstock.server.yml'), `embedded:\n  limits: { ${limits} }\n`);
  const env = { PATH: process.env['PATH'], PENSTOCK_HOME: join(cwd, 'home') };
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, 'doctor'], { cwd, env, timeout: 120_000 }, (_error, stdout) => resolve(stdout));
  });
}

test('penstock doctor says the limits that are in force, and which cannot be', async () => {
  const told = await doctor(
    'memory: 2GiB, processes: 99, disk: 1GiB, logSize: 8MiB, defaultTime: 15m, maximumTime: 1h',
  );
  for (const words of [
    '2 GiB of memory',
    'more than 99 of them',
    'hold 1 GiB or',
    'take 15 minutes',
    'at most 60;',
    '8 MiB',
  ])
    expect(told).toContain(words);
  const refused = await doctor('memory: 2GB');
  expect(refused).toMatch(/MEND +Server configuration/);
  expect(refused).toContain('`embedded.limits.memory` is not a size that can be used here.');
});
