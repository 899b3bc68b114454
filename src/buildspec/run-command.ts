import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { markerVariable } from './environment.ts';
import type { Isolation, SandboxCommand } from './isolation.ts';
import type { CommandLimits } from './limits.ts';
import type { OutputPipe } from './output-pipe.ts';
import { killMarked, signalGroup, startTimeOf, type ProcessIdentity } from './processes.ts';
import { watchLimits } from './watch-limits.ts';

/**
 * One command in its own process group. Contract:
 * - `result` never rejects and always settles: at the latest a grace period after the deadline or `stop`.
 * - It settles on the exit of the command, not on the closing of its pipes, which a daemon could hold for ever.
 * - After it has settled nothing of the command runs, as far as the rung can promise; `leftOver` counts what had to
 *   be searched for and killed.
 */
export interface RunningCommand {
  readonly identity: ProcessIdentity;
  readonly result: Promise<CommandResult>;
  /** Lines for the command, on its standard input; present when `control` was asked for. */
  readonly input?: Writable;
  /** What the command writes to file descriptor 4; present when `control` was asked for. */
  readonly replies?: Readable;
  /** TERM to the group, then KILL after the grace period. */
  stop(): void;
}

export type CommandEnd =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'timed-out'; readonly afterMs: number }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'over-limit'; readonly reason: string }
  | { readonly kind: 'not-started'; readonly reason: string };

export type CommandResult = CommandEnd & { readonly leftOver: number };

/** Gets every byte of output; a promise holds the command back until it settles. */
export type OutputSink = (chunk: Buffer) => void | Promise<void>;

export interface RunRequest {
  readonly isolation: Isolation;
  readonly command: SandboxCommand;
  readonly marker: string;
  readonly output: OutputSink;
  /** Takes what the command prints, standard output and errors alike; two streams of spawn when absent. */
  readonly pipe?: OutputPipe | undefined;
  readonly deadlineMs: number;
  /** Between TERM and KILL; 2 seconds when absent. */
  readonly graceMs?: number;
  readonly control?: boolean;
  readonly limits?: CommandLimits;
  /** Aborted: `stop` is called; when it is aborted before the start, nothing is started. */
  readonly signal?: AbortSignal;
}

const pipeGraceMs = 300;

export function runCommand(request: RunRequest): RunningCommand {
  const { pipe } = request;
  if (request.signal?.aborted === true) return stoppedBefore(request);
  const wrapped = request.isolation.wrap({ ...request.command, marker: request.marker });
  const stdin = request.control === true ? ('pipe' as const) : ('ignore' as const);
  const child = spawn(wrapped.file, wrapped.args, {
    cwd: request.command.cwd,
    env: { ...wrapped.env, [markerVariable]: request.marker },
    detached: true,
    stdio: [
      stdin,
      pipe?.descriptor ?? 'pipe',
      pipe?.descriptor ?? 'pipe',
      'ignore',
      request.control === true ? 'pipe' : 'ignore',
    ],
  });
  pipe?.release();
  const outputs = pipe === undefined ? [child.stdout, child.stderr] : [pipe.stream];
  let ending: CommandEnd | undefined;
  const end = (why: CommandEnd): void => {
    ending ??= why;
    void endGroup(child, request.graceMs ?? 2_000);
  };
  const stop = (): void => end({ kind: 'stopped' });
  request.signal?.addEventListener('abort', stop);
  const timer = setTimeout(() => end({ kind: 'timed-out', afterMs: request.deadlineMs }), request.deadlineMs);
  const pid = child.pid ?? 0;
  const identity = { pid, startTime: pid === 0 ? '' : (startTimeOf(pid) ?? ''), marker: request.marker };
  const closed = closingOf(child, pipe);
  for (const stream of outputs) if (stream) pump(stream, request.output);
  child.stdin?.on('error', () => {}); // EPIPE: the command ended; its exit tells more.
  const stopWatching = pid === 0 ? () => {} : watch(pid, request, (reason) => end({ kind: 'over-limit', reason }));
  const result = exitOf(child).then(async (exit): Promise<CommandResult> => {
    clearTimeout(timer);
    stopWatching();
    request.signal?.removeEventListener('abort', stop);
    const leftOver = exit.kind === 'not-started' ? 0 : await clearUp(child, request, { exit, closed });
    pipe?.stream.destroy();
    return { ...(ending ?? exit), leftOver };
  });
  return { identity, result, stop, ...controlOf(child) };
}

function stoppedBefore({ marker, pipe }: RunRequest): RunningCommand {
  pipe?.abandon();
  const identity = { pid: 0, startTime: '', marker };
  return { identity, result: Promise.resolve({ kind: 'stopped', leftOver: 0 }), stop: () => {} };
}

function watch(pid: number, request: RunRequest, exceeded: (reason: string) => void): () => void {
  const { home, temporary, writable } = request.command;
  const watched = { pid, contained: request.isolation.contained, marker: request.marker };
  return watchLimits(
    { ...watched, directories: [...writable, home, temporary] },
    request.limits ?? request.isolation.limits,
    exceeded,
  );
}

function controlOf(child: ChildProcess): { input?: Writable; replies?: Readable } {
  const replies = child.stdio[4];
  return {
    ...(child.stdin === null ? {} : { input: child.stdin }),
    ...(replies ? { replies: replies as Readable } : {}),
  };
}

/** Aborted when nothing more can be printed. */
function closingOf(child: ChildProcess, pipe: OutputPipe | undefined): AbortSignal {
  const closed = new AbortController();
  const ends = [child, ...(pipe === undefined ? [] : [pipe.stream])];
  void Promise.all(ends.map((end) => new Promise((resolve) => void end.once('close', resolve)))).then(() =>
    closed.abort(),
  );
  return closed.signal;
}

function exitOf(child: ChildProcess): Promise<CommandEnd> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ kind: 'not-started', reason: error.message }));
    child.once('exit', (status, signal) => resolve(endOf(status, signal)));
  });
}

function endOf(status: number | null, signal: NodeJS.Signals | null): CommandEnd {
  if (status !== null) return { kind: 'exited', status };
  return { kind: 'signalled', signal: signal ?? 'unknown' };
}

async function endGroup(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.pid === undefined) return;
  signalGroup(child.pid, 'SIGTERM');
  const exited = new AbortController();
  child.once('exit', () => exited.abort());
  await sleep(graceMs, undefined, { signal: exited.signal }).catch(() => {});
  signalGroup(child.pid, 'SIGKILL');
}

interface Ended {
  readonly exit: CommandEnd;
  /** Aborted when the pipes are closed. */
  readonly closed: AbortSignal;
}

/** Kills the rest of the group and everything that left it; then gives the pipes a moment to run dry. */
async function clearUp(child: ChildProcess, request: RunRequest, { exit, closed }: Ended): Promise<number> {
  child.stdin?.destroy();
  if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
  const { contained } = request.isolation;
  // A rung that exits by itself has waited for its namespace. One that was killed has not: the kernel still ends it.
  const left = contained && exit.kind === 'exited' ? 0 : await killMarked(request.marker);
  await sleep(pipeGraceMs, undefined, { signal: closed }).catch(() => {});
  for (const stream of child.stdio) stream?.destroy();
  return contained ? 0 : left;
}

function pump(stream: Readable, sink: OutputSink): void {
  stream.on('error', () => {});
  stream.on('data', (chunk: Buffer) => {
    const taken = sink(chunk);
    if (taken === undefined) return;
    stream.pause();
    void taken.catch(() => {}).then(() => stream.resume());
  });
}
