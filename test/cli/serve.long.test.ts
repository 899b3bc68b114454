import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startStandIn, type StandIn } from '../../src/demo/github/stand-in.ts';
import { penstock, startPenstock, type Running } from './run-command.ts';

let directory: string;
let github: StandIn;
let running: Running | undefined;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'penstock-serve-'));
  github = await startStandIn({ webhookSecret: 'x'.repeat(40), directory: join(directory, 'git') });
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await github.stop();
  rmSync(directory, { recursive: true });
});

function environment(more: Record<string, string> = {}): Record<string, string> {
  const home = join(directory, 'home');
  return {
    PATH: process.env['PATH'] ?? '',
    GITHUB_URL: github.url,
    PORT: '0',
    PENSTOCK_HOME: home,
    LOG_LEVEL: 'silent',
    ...more,
  };
}

test('from nothing to a running App: the printed link, the registration, and the server goes on by itself', async () => {
  const env = environment({ NOTICES_KEY: 'n'.repeat(32) });
  const notices = '{ releases: { https: { url: https://hooks.example.org/a, key: { fromEnv: NOTICES_KEY } } } }';
  writeFileSync(join(directory, 'penstock.server.yml'), `notices: ${notices}\n`);
  running = startPenstock(['serve'], env, directory);
  const [link = ''] = await running.printed(/http:\/\/127\.0\.0\.1:\d+\/setup\?token=\w+/);
  expect((await fetch(new URL('/healthz', link))).status).toBe(200);
  expect((await fetch(new URL('/readyz', link))).status).toBe(503);

  const page = await fetch(link);
  const text = await page.text();
  const manifest = (/name="manifest" value="([^"]+)"/.exec(text)?.[1] ?? '').replaceAll('&quot;', '"');
  const action = /action="([^"]+settings\/apps\/new[^"]+)"/.exec(text)?.[1] ?? '';
  const answer = await fetch(action, { method: 'POST', body: new URLSearchParams({ manifest }), redirect: 'manual' });
  const cookie = page.headers.get('set-cookie')?.split(';')[0] ?? '';
  const done = await fetch(answer.headers.get('location') ?? '', { headers: { cookie } });
  expect(await done.text()).toContain('is registered');

  const [, url = ''] = await running.printed(/Penstock is up: (http\S+)/);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  expect((await fetch(`${url}/setup`)).status).toBe(404);
  expect((await penstock(['status'], { env })).out).toContain(`Penstock runs as process ${running.child.pid}`);
  expect(statSync(join(directory, 'home/control.sock')).mode & 0o777).toBe(0o600);
  const { code, all } = await running.stop();
  expect([code, all]).toEqual([0, expect.not.stringContaining(github.webhookSecret)]);
  expect(all).toContain(`Server configuration: ${join(directory, 'penstock.server.yml')}\n`);
  expect(existsSync(join(directory, 'home/control.sock'))).toBe(false);
}, 120_000);

test('SEC-E-01: a secret that is too short stops the start with the reason, before anything listens', async () => {
  running = startPenstock(
    ['serve'],
    environment({ APP_ID: '1', PRIVATE_KEY: github.privateKey, WEBHOOK_SECRET: 'short' }),
    directory,
  );
  const { all, code } = await ended(running);
  expect(code).toBe(1);
  expect(all).toContain('WEBHOOK_SECRET');
  expect(existsSync(join(directory, 'home'))).toBe(false);
});

test('a signal while it waits for an App ends it quietly', async () => {
  running = startPenstock(['serve'], environment(), directory);
  await running.printed(/npm run demo/);
  expect((await running.stop()).code).toBe(0);
});

async function ended(process: Running): Promise<{ code: number | null; all: string }> {
  await new Promise((resolve) => void process.child.once('close', resolve));
  return process.stop();
}
