import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../buildspec/run-command.ts';
import type { BuildHost } from '../buildspec/run-phases.ts';
import { openShellSession } from '../buildspec/shell-session.ts';
import type { NetworkAccess, SandboxCommand } from '../buildspec/isolation.ts';
import { nameOfToken } from './action-record.ts';
import type { WorkContext } from './background.ts';
import type { BuildArea } from './build-area.ts';
import { say } from './build-log.ts';
import type { BuildConfiguration, BuildDeps } from './build-project.ts';
import type { Timeline } from './build-timeline.ts';
import type { Expand } from './cache-keys.ts';
import { keyPrinted, keyScript, type KeyPrinted } from './key-commands.ts';
import { UserError } from '../errors.ts';
import { createKeptEnd } from './kept-end.ts';
import type { ActionLog, StartedAction } from './provider.ts';

export interface BuildHostRequest {
  readonly deps: BuildDeps;
  readonly action: StartedAction<BuildConfiguration>;
  readonly area: BuildArea;
  readonly network: NetworkAccess;
  readonly env: Readonly<Record<string, string>>;
  readonly log: ActionLog;
  readonly shell: '/bin/sh' | '/bin/bash';
  /** Milliseconds since the epoch at which the build times out. */
  readonly deadline: number;
  readonly context: WorkContext;
  readonly timeline: Pick<Timeline, 'enter' | 'add'>;
}

export interface CodeBuildHost extends BuildHost {
  readonly expand: Expand;
}

const rememberedBytes = 256 * 1024;

/** The machine below a build: shells in the sandbox, the log, and a memory of the output for RETRY patterns. */
export function createBuildHost(request: BuildHostRequest): CodeBuildHost {
  const { action, area, context, log, timeline } = request;
  const recent = createKeptEnd(rememberedBytes);
  return {
    openSession: async (restore) => {
      const session = await openShellSession({
        isolation: request.deps.isolation,
        command: sandboxOf(request),
        shell: request.shell,
        control: area.control,
        marker: nameOfToken(action.token),
        output: (chunk) => {
          log.write(chunk);
          recent.add(chunk);
        },
        deadlineMs: Math.max(1, request.deadline - Date.now()),
        restore,
        signal: context.signal,
      });
      if (session.identity.pid !== 0) await context.recordProcess(session.identity);
      return session;
    },
    say: (line) => say(log, line),
    stopped: () => context.signal.aborted,
    now: () => new Date(),
    entered: timeline.enter,
    left: timeline.add,
    forgetOutput: () => recent.clear(),
    outputMatches: (pattern) => matchesInSandbox(request, pattern, recent.bytes()),
    expand: (text) => expandInSandbox(request, text),
  };
}

function sandboxOf({ area, env, network }: BuildHostRequest): Omit<SandboxCommand, 'argv'> {
  return {
    cwd: area.primary,
    writable: [area.sources],
    home: area.home,
    temporary: area.temporary,
    env,
    network,
  };
}

/** The pattern comes from the repository: a hostile one may take for ever, so it is tried by grep in the sandbox. */
async function matchesInSandbox(request: BuildHostRequest, pattern: string, output: Buffer): Promise<boolean> {
  const directory = join(request.area.control, 'match');
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'pattern'), pattern.split('\n')[0] ?? '');
  await writeFile(join(directory, 'output'), output);
  const { isolation } = request.deps;
  const { result } = runCommand({
    isolation,
    command: {
      ...sandboxOf(request),
      writable: [],
      readOnly: [directory],
      cwd: directory,
      env: {},
      network: isolation.contained ? 'none' : 'host',
      argv: ['/bin/sh', '-c', 'exec grep -a -E -q -f pattern output'],
    },
    marker: nameOfToken(request.action.token),
    output: () => {},
    signal: request.context.signal,
    deadlineMs: 5_000,
    graceMs: 100,
  });
  const ended = await result;
  return ended.kind === 'exited' && ended.status === 0;
}

async function expandInSandbox(request: BuildHostRequest, text: string): Promise<string> {
  const chunks: Buffer[] = [];
  const { result } = runCommand({
    isolation: request.deps.isolation,
    command: { ...sandboxOf(request), argv: [request.shell, '-c', keyScript(text)] },
    marker: nameOfToken(request.action.token),
    output: (chunk) => void (chunks.length < 100 && chunks.push(chunk)),
    signal: request.context.signal,
    deadlineMs: 30_000,
    graceMs: 100,
  });
  const ended = await result;
  const output = Buffer.concat(chunks).toString('utf8');
  const printed: KeyPrinted = ended.kind === 'exited' ? keyPrinted(output) : { ok: false, why: ended.kind };
  if (printed.ok) return printed.key;
  throw new UserError(
    `The cache key ${text.slice(0, 100)} cannot be worked out: ${printed.why}. Mend cache: in the buildspec.`,
  );
}
