import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { root } from './checkout.ts';
import { allOf, environmentOf, wordsOf } from './dockerfile.ts';

/** There is no Docker engine here: the steps of the Dockerfile are done in a directory, the server's as another user. */

const nobody = 65_534;
const isRoot = process.getuid?.() === 0;
let directory: string;
let server: ChildProcess | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'penstock-image-'));
  chmodSync(directory, 0o755);
});
afterEach(async () => {
  if (server !== undefined && server.exitCode === null && server.signalCode === null) {
    server.kill('SIGKILL');
    await once(server, 'exit');
  }
  rmSync(directory, { recursive: true, force: true });
});

test('what the Dockerfile builds starts as a user without rights and answers its health check', async () => {
  if (!isRoot) console.log('not run as root: the server is started as the same user');
  const app = join(directory, 'app');
  copyFiles(app);
  const environment = { PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter) };
  for (const step of allOf('RUN').filter((rest) => /^(?:npm|node) /.test(rest))) {
    const done = spawnSync('sh', ['-c', step], {
      cwd: app,
      // What npm ci has fetched is not asked for again.
      env: { ...process.env, ...environment, npm_config_prefer_offline: 'true' },
      encoding: 'utf8',
    });
    expect([step, done.status, done.stderr]).toEqual([step, 0, expect.any(String)]);
  }
  expect(globSync(join(app, 'node_modules/.cache/penstock/embedded-*.tar.gz'))).toHaveLength(1);

  const home = join(directory, 'data');
  mkdirSync(home);
  if (isRoot) chownSync(home, nobody, nobody);
  const env = {
    ...environment,
    ...environmentOf(),
    ...credentials(),
    PENSTOCK_HOME: home,
    PORT: String(await freePort()),
  };
  const [command = '', ...args] = wordsOf(allOf('CMD')[0] ?? '');
  const user = isRoot ? { uid: nobody, gid: nobody } : {};
  server = spawn(command, args, { cwd: app, env, ...user, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [server.stdout, server.stderr])
    stream?.on('data', (chunk: Buffer) => (printed += chunk.toString()));

  const [check = '', ...checkArgs] = wordsOf(allOf('HEALTHCHECK')[0] ?? '');
  let healthy = false;
  for (let tries = 0; tries < 120 && !healthy && server.exitCode === null; tries += 1) {
    await sleep(500);
    healthy = spawnSync(check, checkArgs, { env, ...user }).status === 0;
  }
  expect([healthy, server.exitCode, printed]).toEqual([true, null, expect.any(String)]);
  await vi.waitFor(() => expect(printed).toContain('Penstock is up'), { timeout: 30_000 });
  expect((await fetch(`http://127.0.0.1:${env.PORT}/readyz`)).status).toBe(200);
  server.kill('SIGTERM');
  expect(await once(server, 'exit')).toEqual([0, null]);
});

function copyFiles(app: string): void {
  mkdirSync(app);
  for (const rest of allOf('COPY')) {
    const words = rest.split(/\s+/);
    const target = words.pop() ?? '';
    for (const source of words) {
      cpSync(join(root, source), target === './' ? join(app, source) : join(app, target), { recursive: true });
    }
  }
}

/** Nothing listens at that address: the server has to come up while GitHub is away. */
function credentials(): Record<string, string> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    APP_ID: '1',
    PRIVATE_KEY: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    WEBHOOK_SECRET: '0123456789abcdef0123456789abcdef01234567',
    GITHUB_URL: 'http://127.0.0.1:9',
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
