import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detectIsolation } from '../buildspec/isolation.ts';
import { webhookPath } from '../intake.ts';
import { startPenstock, type PenstockProcess } from './penstock-process.ts';
import { startStandIn, type StandIn } from './github/stand-in.ts';

/** Everything that the demo starts, in one temporary directory. */
export interface StageSet {
  readonly directory: string;
  /** PENSTOCK_HOME */
  readonly home: string;
  readonly github: StandIn;
  readonly penstock: PenstockProcess;
  /** Namespaces do not work here: the server was told that plain process groups will do. */
  readonly uncontained: boolean;
  /** Stops everything. Answers the server's exit code. Removes every file unless they are kept. */
  strike(): Promise<number | null>;
}

export interface StageOptions {
  readonly path: string;
  readonly keep: boolean;
  readonly interrupted: AbortSignal;
}

/** Starts the stand-in GitHub here and `penstock serve` beside it, as an operator would: by its environment. */
export async function raiseStage({ path, keep, interrupted }: StageOptions): Promise<StageSet> {
  const directory = await mkdtemp(join(await realpath(tmpdir()), 'penstock-demo-'));
  const removeAtExit = () => rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  if (!keep) process.once('exit', removeAtExit);
  const undo: (() => Promise<unknown>)[] = [];
  const strike = async () => {
    const codes: (number | null)[] = [];
    for (const step of undo.splice(0)) codes.push((await step()) as number | null);
    if (!keep) await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    process.off('exit', removeAtExit);
    return codes[0] ?? null;
  };
  try {
    const home = join(directory, 'home');
    const scratch = join(directory, 'tmp');
    await Promise.all([mkdir(home), mkdir(scratch)]);
    const webhookSecret = randomBytes(24).toString('hex');
    const [github, uncontained] = await Promise.all([
      startStandIn({ webhookSecret, directory: join(directory, 'github') }),
      isUncontained(path, scratch),
    ]);
    undo.unshift(() => github.stop());
    // The stand-in has no rate limit: nobody waits for its writes.
    const lines = ['github: { writesAtOnce: 1000, writesPerSecond: 1000 }'];
    if (uncontained) lines.push('embedded: { isolation: process }');
    await writeFile(join(directory, 'penstock.server.yml'), `${lines.join('\n')}\n`);
    const env = {
      PATH: path,
      HOME: home,
      TMPDIR: scratch,
      APP_ID: String(github.appId),
      PRIVATE_KEY: github.privateKey,
      WEBHOOK_SECRET: webhookSecret,
      GITHUB_URL: github.url,
      PENSTOCK_HOME: home,
      PORT: '0',
      LOG_LEVEL: 'warn',
    };
    const penstock = await startPenstock(env, directory, interrupted);
    undo.unshift(() => penstock.stop());
    github.setWebhook(`${penstock.url}${webhookPath}`);
    return { directory, home, github, penstock, uncontained, strike };
  } catch (error) {
    await strike();
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** A server builds without namespaces only when its operator says so; in the demo the operator is the demo. */
async function isUncontained(path: string, scratch: string): Promise<boolean> {
  const isolation = await detectIsolation({ path, scratch: join(scratch, 'probe') });
  return !isolation.contained;
}
