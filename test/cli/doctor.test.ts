import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { penstock } from './run-command.ts';

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'penstock-doctor-test-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** What `penstock doctor` finds on a machine with neither bubblewrap nor unshare. */
async function doctor(serverFile?: string) {
  const path = join(directory, 'bin');
  mkdirSync(path);
  symlinkSync('/bin/sh', join(path, 'sh'));
  symlinkSync(process.execPath, join(path, 'node'));
  const config = join(directory, 'penstock.server.yml');
  if (serverFile !== undefined) writeFileSync(config, serverFile);
  const env = { PATH: `${path}:${dirname(process.execPath)}`, PENSTOCK_HOME: join(directory, 'home') };
  const { code, out } = await penstock(['doctor', '--json'], {
    env: serverFile === undefined ? env : { ...env, PENSTOCK_CONFIG: config },
  });
  const findings = JSON.parse(out) as readonly { what: string; ok: boolean; found: string; mend?: string }[];
  return { code, of: (what: string) => findings.find((finding) => finding.what === what) };
}

test('a machine that cannot keep builds apart has to be mended, because a server refuses them there', async () => {
  const { code, of } = await doctor();
  expect(code).toBe(1);
  expect(of('Isolation of builds')).toMatchObject({
    ok: false,
    mend: expect.stringMatching(/Install bubblewrap, or set embedded\.isolation: process/) as string,
  });
  expect(of('Server configuration')?.found).toBe(
    'no penstock.server.yml, so the defaults: every repository of the App',
  );
  expect(of('Environment')).toMatchObject({ ok: false, found: 'no GitHub App yet' });
  expect(of('Database')).toMatchObject({ ok: true, found: expect.stringContaining('embedded; ') as string });
});

test('unless the operator wants it so', async () => {
  const { of } = await doctor('embedded: { isolation: process }\n');
  expect(of('Isolation of builds')).toMatchObject({ ok: true });
  expect(of('Server configuration')?.found).toContain(join(directory, 'penstock.server.yml'));
});
