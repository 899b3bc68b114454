import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Deviation } from './checks.ts';

/** A real `penstock serve`, in a process of its own, with nothing but the environment that it is given. */
export interface PenstockProcess {
  readonly url: string;
  readonly pid: number;
  /** Which isolation is in force, in the words of the server. */
  readonly isolation: string;
  /** The end of what it printed. */
  lastLines(): readonly string[];
  /** Aborted with a Deviation when the process ends although nobody asked it to. */
  readonly lost: AbortSignal;
  /** Asks it to end, and kills it when it does not. Answers its exit code; null when it had to be killed. */
  stop(): Promise<number | null>;
}

const startWithinMs = 120_000;
const stopWithinMs = 12_000;
const keptLines = 30;

export async function startPenstock(
  env: Readonly<Record<string, string>>,
  directory: string,
  interrupted: AbortSignal,
): Promise<PenstockProcess> {
  const child = spawn(process.execPath, [cliFile(), 'serve'], {
    env,
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const killWithUs = () => void child.kill('SIGKILL');
  // Before the files are removed: whoever still runs would write new ones.
  process.prependOnceListener('exit', killWithUs);
  const lost = new AbortController();
  let stopping = false;
  const listening = listenTo(child);
  const { lines } = listening;
  // Not before its last words were read.
  child.once('close', (code, signal) => {
    process.off('exit', killWithUs);
    if (!stopping) lost.abort(unexpectedEnd(code ?? signal, lines));
  });
  const stop = async () => {
    stopping = true;
    child.kill('SIGTERM');
    const late = setTimeout(killWithUs, stopWithinMs);
    const [code] = await ended;
    clearTimeout(late);
    return code;
  };
  try {
    const url = await listening.said(/^Penstock is up: (http:\/\/\S+)$/, AbortSignal.any([lost.signal, interrupted]));
    const isolation = lines.map((line) => /^Isolation: (.*)$/.exec(line)?.[1]).find((words) => words !== undefined);
    return { url, pid: child.pid ?? 0, isolation: isolation ?? '', lastLines: () => lines, lost: lost.signal, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Beside this folder: TypeScript in a checkout, JavaScript in an installed package. */
function cliFile(): string {
  return fileURLToPath(new URL(`../cli${extname(import.meta.filename)}`, import.meta.url));
}

interface Listening {
  /** The newest ones; grows. */
  readonly lines: readonly string[];
  /** The first group of the first line that fits. */
  said(pattern: RegExp, signal: AbortSignal): Promise<string>;
}

function listenTo(child: ChildProcess): Listening {
  const lines: string[] = [];
  const listeners = new Set<(line: string) => void>();
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > keptLines) lines.shift();
      for (const listener of listeners) listener(line);
    });
  }
  return {
    lines,
    said: (pattern, signal) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(tooSlow(lines)), startWithinMs);
        const fail = () => {
          clearTimeout(late);
          reject(signal.reason as Error);
        };
        if (signal.aborted) return fail();
        signal.addEventListener('abort', fail, { once: true });
        listeners.add((line) => {
          const found = pattern.exec(line)?.[1];
          if (found === undefined) return;
          clearTimeout(late);
          signal.removeEventListener('abort', fail);
          resolve(found);
        });
      }),
  };
}

function unexpectedEnd(how: number | string | null, lines: readonly string[]): Deviation {
  const seen = typeof how === 'number' ? `it ended with exit code ${how}` : `it was ended by ${how ?? 'somebody'}`;
  return new Deviation('`penstock serve` to keep running', seen, [lastWords(lines)]);
}

function tooSlow(lines: readonly string[]): Deviation {
  const seen = 'it says nothing of the kind';
  return new Deviation(`\`penstock serve\` to be up within ${startWithinMs / 1000} s`, seen, [lastWords(lines)]);
}

export function lastWords(lines: readonly string[]): { heading: string; lines: readonly string[] } {
  return { heading: 'The last lines of `penstock serve`:', lines: lines.length === 0 ? ['(none)'] : lines };
}
