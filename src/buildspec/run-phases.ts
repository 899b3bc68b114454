import { phaseNames, type Buildspec, type Phase } from './buildspec.ts';
import type { BuildStatus, PhaseContext, PhaseRecord, PhaseType } from './build-record.ts';
import { createLastingShell, type Cut, type LastingShell } from './lasting-shell.ts';
import type { ShellSession } from './shell-session.ts';

/** What a build needs from around it; the order of things is decided here. */
export interface BuildHost {
  /** Opens a shell for the rest of the build; `restore` when an earlier one was left by a command. */
  openSession(restore: boolean): Promise<ShellSession>;
  /** Writes a line of the build agent into the log. */
  say(line: string): void;
  /** Whether the build was stopped: nothing of it may begin any more. */
  stopped(): boolean;
  now(): Date;
  /** Told as a phase begins, and what became of it. */
  entered(phaseType: PhaseType): void;
  left(phase: PhaseRecord): void;
  /** Starts afresh the memory of what commands print. */
  forgetOutput(): void;
  /** Whether what commands printed since then matches an extended regular expression of the buildspec. */
  outputMatches(pattern: string): Promise<boolean>;
}

export interface PhasesResult {
  readonly phases: readonly PhaseRecord[];
  /** `cut`: timed out or stopped, and nothing may follow. */
  readonly end: 'done' | 'upload-skipped' | 'cut';
  readonly status: BuildStatus;
  readonly exported: Readonly<Record<string, string>>;
}

/** Runs install, pre_build, build and post_build as CodeBuild would (CP-B-1 to CP-B-4, CP-B-6). */
export async function runPhases(buildspec: Buildspec, host: BuildHost): Promise<PhasesResult> {
  const shell = createLastingShell((restore) => host.openSession(restore));
  const phases: PhaseRecord[] = [];
  let end: PhasesResult['end'] = 'done';
  for (const name of phaseNames) {
    const phase = buildspec.phases.find((written) => written.name === name) ?? emptyPhase(name);
    const record = await runPhase(buildspec, phase, { host, shell, succeeding: phases.every(succeeded) });
    phases.push(record);
    host.left(record);
    if (!succeeded(record) && record.phaseStatus !== 'FAILED') end = 'cut';
    else if (!succeeded(record) && endsBuild(phase)) end = 'upload-skipped';
    if (end !== 'done' || host.stopped()) break;
  }
  if (host.stopped()) end = 'cut';
  const exported = end === 'cut' ? {} : await shell.read(buildspec.env.exportedVariables);
  await shell.close();
  const worst = phases.find((record) => !succeeded(record))?.phaseStatus ?? 'SUCCEEDED';
  const status = end === 'cut' ? cutStatus(phases) : worst;
  return { phases, end, status, exported };
}

/** Whether nothing follows a phase that failed, not even artifacts (CP-B-2, CP-B-3). */
function endsBuild({ name, onFailure }: Phase): boolean {
  switch (onFailure.kind) {
    case 'abort':
      return true;
    case 'continue':
      return false;
    case 'default':
    case 'retry':
      return name === 'install' || name === 'pre_build';
  }
  return onFailure satisfies never;
}

/** A stop may also fall between two phases, or after the last. */
function cutStatus(phases: readonly PhaseRecord[]): BuildStatus {
  const last = phases.at(-1)?.phaseStatus;
  return last === undefined || last === 'SUCCEEDED' || last === 'FAILED' ? 'STOPPED' : last;
}

function emptyPhase(name: Phase['name']): Phase {
  return { name, onFailure: { kind: 'default' }, commands: [], finally: [] };
}

function succeeded({ phaseStatus }: PhaseRecord): boolean {
  return phaseStatus === 'SUCCEEDED';
}

interface Around {
  readonly host: BuildHost;
  readonly shell: LastingShell;
  readonly succeeding: boolean;
}

async function runPhase(buildspec: Buildspec, phase: Phase, { host, shell, succeeding }: Around): Promise<PhaseRecord> {
  const phaseType = phase.name.toUpperCase() as PhaseType;
  const startTime = host.now().toISOString();
  host.entered(phaseType);
  host.say(`Entering phase ${phaseType}`);
  if (phase.commands.length + phase.finally.length > 0)
    await shell.set('CODEBUILD_BUILD_SUCCEEDING', succeeding ? 1 : 0);
  let attempts = 0;
  let failure: Failure | undefined;
  do {
    attempts += 1;
    if (attempts > 1) host.say(`Retrying phase ${phaseType}, attempt ${attempts}`);
    host.forgetOutput();
    failure = await runOnce(buildspec, phase, { host, shell });
  } while (failure !== undefined && (await mayRetry(phase, failure, attempts, host)));
  const phaseStatus = failure?.status ?? 'SUCCEEDED';
  const contexts = failure === undefined ? [] : [failure.context];
  host.say(`Phase complete: ${phaseType} State: ${phaseStatus}`);
  host.say(`Phase context status code: ${contexts[0]?.statusCode ?? ''} Message: ${contexts[0]?.message ?? ''}`);
  return { phaseType, phaseStatus, startTime, endTime: host.now().toISOString(), contexts, attempts };
}

interface Failure {
  readonly status: 'FAILED' | 'FAULT' | 'TIMED_OUT' | 'STOPPED';
  readonly context: PhaseContext;
}

/** `finally` always runs; when it fails and the commands did not, the phase fails all the same. */
async function runOnce(
  buildspec: Buildspec,
  phase: Phase,
  around: Omit<Around, 'succeeding'>,
): Promise<Failure | undefined> {
  const failure = await runList(buildspec, phase.commands, around);
  if (failure !== undefined && failure.status !== 'FAILED') return failure;
  const atEnd = await runList(buildspec, phase.finally, around);
  return atEnd?.status === 'FAILED' ? (failure ?? atEnd) : (atEnd ?? failure);
}

async function runList(
  buildspec: Buildspec,
  commands: readonly string[],
  { host, shell }: Omit<Around, 'succeeding'>,
): Promise<Failure | undefined> {
  for (const command of commands) {
    if (host.stopped()) return cutBy({ kind: 'stopped', leftOver: 0 });
    host.say(`Running command ${command.trimEnd()}`);
    const alone = buildspec.version === '0.1';
    const outcome = await shell.run(alone ? `${buildspec.env.shell} -c ${quoted(command)}` : command);
    if (outcome.kind === 'status' && outcome.status === 0) continue;
    if (outcome.kind === 'cut') return cutBy(outcome.result);
    host.say(`Command did not exit successfully ${command.trimEnd()} exit status ${outcome.status}`);
    const message = `Error while executing command: ${command.trimEnd().slice(0, 500)}. Reason: exit status ${outcome.status}`;
    return { status: 'FAILED', context: { statusCode: 'COMMAND_EXECUTION_ERROR', message } };
  }
  return undefined;
}

function cutBy(result: Cut): Failure {
  switch (result.kind) {
    case 'timed-out': {
      const minutes = Math.round(result.afterMs / 60_000);
      const message = `Build timed out after ${minutes} minutes. Raise timeoutInMinutes of the project, or find out what hangs.`;
      return { status: 'TIMED_OUT', context: { statusCode: 'TIMED_OUT', message } };
    }
    case 'stopped':
      return { status: 'STOPPED', context: { statusCode: 'CLIENT_ERROR', message: 'The build was stopped.' } };
    case 'over-limit':
      return {
        status: 'FAULT',
        context: { statusCode: 'CLIENT_ERROR', message: `The build was ended, because ${result.reason}.` },
      };
    case 'not-started':
      return {
        status: 'FAULT',
        context: { statusCode: 'CLIENT_ERROR', message: `The shell could not be started: ${result.reason}` },
      };
  }
  return result satisfies never;
}

async function mayRetry({ onFailure }: Phase, failure: Failure, attempts: number, host: BuildHost): Promise<boolean> {
  if (onFailure.kind !== 'retry' || failure.status !== 'FAILED' || attempts > onFailure.count) return false;
  return onFailure.pattern === undefined || host.outputMatches(onFailure.pattern);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
