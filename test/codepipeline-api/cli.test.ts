import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { penstock } from '../cli/run-command.ts';

const home = mkdtempSync(join(tmpdir(), 'penstock-api-'));
const env = { PENSTOCK_HOME: home, PATH: process.env['PATH'] ?? '', LOG_LEVEL: 'warn' };

afterAll(() => rm(home, { recursive: true, force: true }));

test.each([
  [['api-key', 'create'], 2, '--repository owner/name or --admin'],
  [['api-key', 'create', '--admin', '--repository', 'a/b'], 2, '--repository owner/name or --admin'],
  [['api-key', 'drop'], 2, 'Say api-key create'],
  [['api'], 2, '--port has to be a number'],
  [['api', '--port', '70000'], 2, '--port has to be a number'],
  [['api', '--port', '0', '--host', '0.0.0.0', '--anonymous'], 2, '--anonymous works on a loopback address only'],
])('penstock %j says what to do', async (argv, code, text) => {
  const ran = await penstock(argv, { env });
  expect([ran.code, ran.err]).toEqual([code, expect.stringContaining(text)]);
});

test('penstock api takes no database of a server', async () => {
  const ran = await penstock(['api', '--port', '0'], {
    env: { ...env, DATABASE_URL: 'postgres://127.0.0.1/penstock' },
  });
  expect([ran.code, ran.err]).toEqual([1, expect.stringContaining('Unset DATABASE_URL')]);
});
