import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commands } from '../../src/cli/command-list.ts';
import { runCli } from '../../src/cli/run-cli.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Options {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly interrupted?: AbortSignal;
}

/** Runs a command in this process, with an environment of its own. */
export async function penstock(argv: readonly string[], options: Options = {}): Promise<Ran> {
  let out = '';
  let err = '';
  const code = await runCli(argv, commands, {
    out: (text) => void (out += `${text}\n`),
    write: (text) => void (out += text),
    err: (text) => void (err += `${text}\n`),
    color: false,
    cwd: options.cwd ?? process.cwd(),
    env: options.env ?? {},
    interrupted: options.interrupted ?? new AbortController().signal,
  });
  return { code, out, err };
}

export interface Running {
  readonly child: ChildProcess;
  /** Resolves with the first match in what it printed, also from before. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends SIGTERM and answers the exit code and everything it printed. */
  stop(): Promise<{ code: number | null; all: string }>;
}

/** Starts a real process of the CLI. */
export function startPenstock(argv: readonly string[], env: Readonly<Record<string, string>>, cwd: string): Running {
  const cli = join(import.meta.dirname, '../../src/cli.ts');
  const child = spawn(process.execPath, [cli, ...argv], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let all = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      all += chunk.toString();
      for (const listener of listeners) listener();
    });
  }
  const gone = once(child, 'exit');
  return {
    child,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(all);
          if (found === null) return;
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        look();
        child.once('exit', () => reject(new Error(`it ended without ${pattern}: ${all}`)));
      }),
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await gone;
      return { code: child.exitCode, all };
    },
  };
}

/** Files below /proc of the processes whose command line holds these words. */
export function processesWith(words: string): readonly string[] {
  return globSync('/proc/[0-9]*/cmdline').filter((file) => {
    try {
      return readFileSync(file, 'utf8').includes(words);
    } catch {
      return false;
    }
  });
}
