import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StandIn } from '../../src/demo/github/stand-in.ts';
import { webhookPath } from '../../src/intake.ts';
import { webhookSecret } from '../world.ts';

/** `penstock serve` as a process of its own, which a test may kill. */
export interface RealServer {
  readonly process: ChildProcess;
  readonly url: string;
  /** Everything that it printed so far. */
  output(): string;
  /** As if the machine lost it: no handler runs. */
  kill(): Promise<void>;
  /** As an operator stops it. Resolves to the exit code. */
  terminate(): Promise<number | null>;
}

const root = join(import.meta.dirname, '../..');

/** Starts the server on `home` and points the stand-in's webhooks at it. */
export async function startRealServer(
  github: StandIn,
  home: string,
  env: Readonly<Record<string, string>> = {},
): Promise<RealServer> {
  // The stand-in has no rate limit: a long story need not wait for its writes.
  const file = join(home, 'penstock.server.yml');
  await mkdir(home, { recursive: true });
  await writeFile(file, 'github: { writesAtOnce: 1000, writesPerSecond: 1000 }\n');
  const child = spawn(process.execPath, [join(root, 'src/cli.ts'), 'serve'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      APP_ID: String(github.appId),
      PRIVATE_KEY: github.privateKey,
      WEBHOOK_SECRET: webhookSecret,
      GITHUB_URL: github.url,
      PENSTOCK_HOME: home,
      PORT: '0',
      LOG_LEVEL: 'warn',
      PENSTOCK_CONFIG: file,
      ...env,
    },
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const url = await untilUp(child, () => printed);
  github.setWebhook(`${url}${webhookPath}`);
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exited = once(child, 'exit');
    child.kill(signal);
    const [code] = (await exited) as [number | null];
    return code;
  };
  return {
    process: child,
    url,
    output: () => printed,
    kill: async () => void (await end('SIGKILL')),
    terminate: () => end('SIGTERM'),
  };
}

async function untilUp(child: ChildProcess, printed: () => string): Promise<string> {
  for (let tries = 0; tries < 600; tries += 1) {
    const found = /Penstock is up: (\S+)/.exec(printed());
    if (found?.[1]) return found[1];
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill('SIGKILL');
  throw new Error(`penstock serve did not come up:\n${printed()}`);
}
