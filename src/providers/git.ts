import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { TransientError } from '../errors.ts';

/** How git is called: never through a shell, never with the machine's or a user's configuration, never with hooks. */
export interface GitCall {
  readonly args: readonly string[];
  readonly path: string;
  /** `key=value` settings; they travel in the environment, so that a token is in no argument list and no file. */
  readonly config?: Readonly<Record<string, string>>;
  readonly protocols?: string;
  /** Proxy and certificate variables of our own process. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly timeoutMs: number;
}

export interface GitResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const fixedConfig: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'credential.helper': '',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'http.followRedirects': 'false',
  'i18n.logOutputEncoding': 'UTF-8',
  'submodule.recurse': 'false',
  'safe.directory': '*',
};

const maxOutput = 1024 * 1024;

/** Throws TransientError when it takes too long; a status other than 0 is a result. */
export function runGit(call: GitCall): Promise<GitResult> {
  const { stdout, ended } = startGit(call);
  let text = '';
  stdout.setEncoding('utf8').on('data', (chunk: string) => (text = (text + chunk).slice(0, maxOutput)));
  return ended.then((end) => ({ ...end, stdout: text }));
}

/** What git prints, as it comes. The stream fails when git does: what was read by then must not be used. */
export function readGit(call: GitCall): Readable {
  return Readable.from(chunksOf(call), { objectMode: false });
}

async function* chunksOf(call: GitCall): AsyncGenerator<Buffer> {
  const { stdout, ended } = startGit(call);
  yield* stdout as AsyncIterable<Buffer>;
  const { status, stderr } = await ended;
  if (status !== 0)
    throw new Error(`git ${call.args.find((word) => /^[a-z]/.test(word)) ?? ''} failed: ${stderr.trim()}`);
}

interface StartedGit {
  readonly stdout: Readable;
  readonly ended: Promise<Omit<GitResult, 'stdout'>>;
}

function startGit(call: GitCall): StartedGit {
  const child = spawn('git', call.args, {
    env: gitEnvironment(call),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let stderr = '';
  let late = false;
  const kill = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  };
  const timer = setTimeout(() => {
    late = true;
    kill();
  }, call.timeoutMs);
  call.signal?.addEventListener('abort', kill);
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr = (stderr + chunk).slice(-4096)));
  const ended = new Promise<Omit<GitResult, 'stdout'>>((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`git could not be started: ${error.message}`)));
    child.on('close', (status) => {
      clearTimeout(timer);
      call.signal?.removeEventListener('abort', kill);
      if (late) reject(new TransientError(`git took longer than ${Math.round(call.timeoutMs / 1000)} seconds`));
      else resolve({ status: status ?? -1, stderr });
    });
  });
  // Whoever reads the stream hears of it there first.
  ended.catch(() => {});
  return { stdout: child.stdout, ended };
}

function gitEnvironment(call: GitCall): Record<string, string> {
  const config = Object.entries({ ...fixedConfig, ...call.config });
  return {
    ...call.environment,
    PATH: call.path,
    HOME: '/nonexistent',
    LC_ALL: 'C.UTF-8',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: call.protocols ?? '',
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(
      config.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}
