import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { readPlainFile } from './plain-file.ts';
import type { Isolation, SandboxCommand } from './isolation.ts';
import { makeOutputPipe } from './output-pipe.ts';
import { runCommand, type CommandResult, type OutputSink, type RunningCommand } from './run-command.ts';
import type { ProcessIdentity } from './processes.ts';

/**
 * One shell that runs commands one after the other, so that `cd`, variables and background processes carry over.
 * The driver reads the names of command files on standard input and answers each with its exit status on descriptor 4.
 * Commands see neither descriptor. A command that ends the shell (`exit 3`) ends the session with its status.
 */
export interface ShellSession {
  readonly identity: ProcessIdentity;
  run(command: string): Promise<CommandOutcome>;
  /** Exports a variable with a value that no shell reads as anything else. */
  set(name: string, value: number): Promise<CommandOutcome>;
  /** Values of shell variables; a variable that is not set is left out. */
  read(names: readonly string[]): Promise<Readonly<Record<string, string>>>;
  /** Ends the session and everything that its commands left running. */
  close(): Promise<CommandResult>;
}

/** `ended`: the shell is gone, because the command left it, or was killed, stopped or timed out. */
export type CommandOutcome =
  { readonly kind: 'finished'; readonly status: number } | { readonly kind: 'ended'; readonly result: CommandResult };

export interface SessionRequest {
  readonly isolation: Isolation;
  readonly command: Omit<SandboxCommand, 'argv'>;
  /** `/bin/sh` or `/bin/bash`. */
  readonly shell: string;
  /** An empty directory of ours for command files. Commands can read it, and write only to `kept` in it. */
  readonly control: string;
  readonly marker: string;
  readonly output: OutputSink;
  readonly deadlineMs: number;
  readonly graceMs?: number;
  /** Take over exported variables and directory from an earlier session with the same `control`, as they last were. */
  readonly restore?: boolean;
  /** Stops the shell; once it is aborted no command is begun any more, also when the shell was still being set up. */
  readonly signal?: AbortSignal;
}

/** What shells begin their messages with; no file of a repository can be meant by it. */
const shellName = '/codebuild/shell';

/**
 * Commands see none of its own descriptors, and none of its own lines when they trace theirs with `set -x`. It keeps away
 * from descriptors 3 to 6, which scripts like to use.
 */
const driver = `exec 7<&0 0</dev/null 2>&1 8>&4 3>&- 4>&-
PENSTOCK_CONTROL=$1
if [ "$2" = restore ] && [ -r "$1/kept/state" ]; then . "$1/kept/state"; cd "$(cat "$1/kept/directory")"; fi
shift 2
PENSTOCK_TRACE=
penstock_reply() { printf '%s %s\\n' "$1" "$2" >&8; }
penstock_reply ready 0
while IFS= read -r PENSTOCK_NEXT <&7; do
  case $PENSTOCK_NEXT in
    run\\ *) eval "$PENSTOCK_TRACE $(cat "$PENSTOCK_CONTROL/\${PENSTOCK_NEXT#run }")" 7<&- 8>&-
      { PENSTOCK_STATUS=$?; PENSTOCK_TRACE=; case $- in *x*) PENSTOCK_TRACE='set -x;'; set +x ;; esac; } 2>/dev/null
      export -p > "$PENSTOCK_CONTROL/kept/state" 2>/dev/null; pwd > "$PENSTOCK_CONTROL/kept/directory" 2>/dev/null
      penstock_reply "$PENSTOCK_NEXT" "$PENSTOCK_STATUS" ;;
    quietly\\ *) eval "$(cat "$PENSTOCK_CONTROL/\${PENSTOCK_NEXT#quietly }")" 7<&-; penstock_reply "$PENSTOCK_NEXT" $? ;;
  esac
done
`;

export async function openShellSession(request: SessionRequest): Promise<ShellSession> {
  const kept = join(request.control, 'kept');
  await mkdir(kept, { recursive: true });
  const running = await startDriver(request, kept);
  const ask = askerOf(running, request.signal);
  let count = 0;
  const send = async (verb: 'run' | 'quietly', text: string): Promise<CommandOutcome> => {
    count += 1;
    await writeFile(join(request.control, `c${count}`), text);
    return ask(`${verb} c${count}`);
  };
  return {
    identity: running.identity,
    run: (command) => send('run', command),
    set: (name, value) => send('quietly', `export ${name}=${value}`),
    read: async (names) => {
      const file = join(kept, 'values');
      await send('quietly', names.map((name) => readLine(name, file)).join('\n'));
      return valuesOf(names, file);
    },
    close: () => {
      running.input?.end();
      return running.result;
    },
  };
}

async function startDriver(request: SessionRequest, kept: string): Promise<RunningCommand> {
  const { isolation, control, marker, output, deadlineMs, graceMs, signal } = request;
  const pipe = await makeOutputPipe(join(control, 'output'));
  try {
    return runCommand({
      isolation,
      command: {
        ...request.command,
        readOnly: [...(request.command.readOnly ?? []), control],
        writable: [...request.command.writable, kept],
        argv: [request.shell, '-c', driver, shellName, control, request.restore === true ? 'restore' : 'fresh'],
      },
      marker,
      output,
      pipe,
      deadlineMs,
      ...(graceMs === undefined ? {} : { graceMs }),
      ...(signal === undefined ? {} : { signal }),
      control: true,
    });
  } catch (error) {
    pipe?.abandon();
    throw error;
  }
}

/**
 * Sends one line and waits for its answer, or for the end of the shell, whichever is first. Nothing is sent to a shell
 * that is not set up: its sandbox may be deaf to TERM until then, so that a command could begin after a stop.
 */
function askerOf(running: RunningCommand, signal: AbortSignal | undefined): (line: string) => Promise<CommandOutcome> {
  const waiting = new Map<string, (status: number) => void>();
  if (running.replies !== undefined) {
    onLine(running.replies, (line) => {
      const cut = line.lastIndexOf(' ');
      waiting.get(line.slice(0, cut))?.(Number(line.slice(cut + 1)));
    });
  }
  const ended = running.result.then((result): CommandOutcome => ({ kind: 'ended', result }));
  const answerTo = (line: string): Promise<CommandOutcome> =>
    new Promise<CommandOutcome>((resolve) => {
      // What the command printed before it answered may still wait to be read in this round of the event loop.
      waiting.set(line, (status) => setImmediate(() => resolve({ kind: 'finished', status })));
    });
  const ready = Promise.race([answerTo('ready'), ended]);
  return async (line) => {
    await ready;
    if (signal?.aborted === true) return ended;
    const answered = answerTo(line);
    running.input?.write(`${line}\n`);
    const outcome = await Promise.race([answered, ended]);
    waiting.delete(line);
    return outcome;
  };
}

const longestReply = 200;

/** What a command writes there by itself, without any line break, takes no memory. */
function onLine(stream: Readable, take: (line: string) => void): void {
  let rest = '';
  stream.on('error', () => {});
  stream.setEncoding('latin1').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(-longestReply);
    for (const line of lines) take(line);
  });
}

/** `name` has passed `refusedEnvironmentName` or the definition reader: letters, digits and underscores only. */
function readLine(name: string, file: string): string {
  const target = `'${file.replaceAll("'", `'\\''`)}'`;
  return `[ -z "\${${name}+set}" ] || printf '%s=%s\\0' ${name} "$${name}" >> ${target}`;
}

const mostOfValues = 1024 ** 2;

async function valuesOf(names: readonly string[], file: string): Promise<Readonly<Record<string, string>>> {
  const text = (await readPlainFile(file, mostOfValues)) ?? '';
  await rm(file, { recursive: true, force: true });
  const values: Record<string, string> = {};
  for (const entry of text.split('\0')) {
    const cut = entry.indexOf('=');
    const name = entry.slice(0, cut);
    if (cut > 0 && names.includes(name)) values[name] = entry.slice(cut + 1);
  }
  return values;
}
