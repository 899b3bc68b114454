import { join } from 'node:path';
import { createLastingShell, type Cut, type LastingShell } from '../buildspec/lasting-shell.ts';
import type { NetworkAccess } from '../buildspec/isolation.ts';
import { openShellSession, type ShellSession } from '../buildspec/shell-session.ts';
import type { CommandResult } from '../buildspec/run-command.ts';
import { valuesOf } from './action-environment.ts';
import { nameOfToken } from './action-record.ts';
import { localId, type WorkContext } from './background.ts';
import { say } from './build-log.ts';
import { minutesFor, withNetwork, type CommandDeps, type CommandsConfiguration } from './command-deps.ts';
import { saveFindings } from './findings-file.ts';
import { maskText } from './mask.ts';
import { maskedLog } from './masked-log.ts';
import { storeOutput } from './store-output.ts';
import type { StartedAction } from './provider.ts';
import { failed, type EndReport } from './reports.ts';
import { makeWorkArea, unpackInputs, type WorkArea } from './work-area.ts';

type Action = StartedAction<CommandsConfiguration>;

const defaultTimeoutMinutes = 55;
const maxVariableBytes = 122_880;

export async function runCommands(deps: CommandDeps, started: Action, context: WorkContext): Promise<EndReport> {
  const area = await makeWorkArea(deps.home, started.actionExecution);
  try {
    const { variables, secrets } = await valuesOf(started.declaration.environmentVariables, started, deps.secretSource);
    const log = maskedLog(started.log, secrets);
    const lookedUp = Object.fromEntries(secrets.map((secret, index) => [`looked up ${index}`, secret]));
    const action = { ...started, log, secrets: { ...started.secrets, ...lookedUp } };
    const directories = await unpackInputs(deps.artifacts, area, action.inputs);
    const primary = directories.get(action.inputs[0]?.name ?? '') ?? area.sources;
    say(log, deps.isolation.describe());
    const machine = { deps, action, area, variables, primary, directories, context };
    const { failure, values } = await withNetwork(deps, action.trust, (network) => runIn({ ...machine, network }));
    await saveFindings({ home: deps.home, action, primary, groups: [], secrets: Object.values(action.secrets) });
    const report = failure ?? (await finish(deps, action, primary, values));
    log.finish();
    return report;
  } finally {
    await area.remove();
  }
}

interface Machine {
  readonly deps: CommandDeps;
  readonly action: Action;
  readonly area: WorkArea;
  readonly network: NetworkAccess;
  readonly variables: Readonly<Record<string, string>>;
  readonly primary: string;
  readonly directories: ReadonlyMap<string, string>;
  readonly context: WorkContext;
}

interface Ran {
  readonly failure: EndReport | undefined;
  readonly values: Readonly<Record<string, string>>;
}

async function runIn(machine: Machine): Promise<Ran> {
  const { action, context, deps } = machine;
  const { minutes, note } = minutesFor(action.declaration.timeoutInMinutes, defaultTimeoutMinutes, deps.times);
  if (note !== undefined) say(action.log, note);
  const deadline = Date.now() + minutes * 60_000;
  const shell = createLastingShell(async (restore) => {
    const session = await openSession(machine, deadline, restore);
    if (session.identity.pid !== 0) await context.recordProcess(session.identity);
    return session;
  });
  const failure = await runAll(shell, action, context.signal);
  const values = failure === undefined ? await shell.read(action.declaration.outputVariables) : {};
  tellLeftOver(action, await shell.close());
  return { failure, values };
}

async function openSession(
  { deps, action, area, network, variables, primary, directories, context }: Machine,
  deadline: number,
  restore: boolean,
): Promise<ShellSession> {
  const others = [...directories].map(([name, directory]) => [`CODEBUILD_SRC_DIR_${name}`, directory] as const);
  return openShellSession({
    isolation: deps.isolation,
    command: {
      cwd: primary,
      writable: [area.sources],
      home: area.home,
      temporary: area.temporary,
      env: {
        ...variables,
        CODEBUILD_SRC_DIR: primary,
        ...Object.fromEntries(others),
        CODEBUILD_INITIATOR: `codepipeline/${action.pipeline}`,
        CODEBUILD_RESOLVED_SOURCE_VERSION: action.origin.headSha,
      },
      network,
    },
    shell: '/bin/sh',
    control: area.control,
    marker: nameOfToken(action.token),
    output: (chunk) => action.log.write(chunk),
    deadlineMs: Math.max(1, deadline - Date.now()),
    restore,
    signal: context.signal,
  });
}

/** Stops at the first command that does not succeed. */
async function runAll(shell: LastingShell, action: Action, stop: AbortSignal): Promise<EndReport | undefined> {
  for (const command of action.declaration.commands) {
    if (stop.aborted) return failed('JobFailed', 'The action was stopped.');
    say(action.log, `Running command ${command}`);
    const outcome = await shell.run(command);
    if (outcome.kind === 'status' && outcome.status === 0) continue;
    const failure = outcome.kind === 'status' ? `exit status ${outcome.status}` : describeCut(outcome.result);
    say(action.log, `Command did not exit successfully ${command} ${failure}`);
    return failed('JobFailed', maskText(messageOf(command, failure), Object.values(action.secrets)));
  }
  return undefined;
}

function messageOf(command: string, failure: string): string {
  return `The command "${command.length > 200 ? `${command.slice(0, 200)}…` : command}" ended with ${failure}.`;
}

function describeCut(result: Cut): string {
  switch (result.kind) {
    case 'timed-out':
      return `a timeout after ${Math.round(result.afterMs / 60_000)} minutes`;
    case 'stopped':
      return 'a stop that was asked for';
    case 'over-limit':
      return `a limit: ${result.reason}`;
    case 'not-started':
      return `an error before it started: ${result.reason}`;
  }
  return result satisfies never;
}

function tellLeftOver(action: Action, end: CommandResult | undefined): void {
  if (end === undefined || end.leftOver === 0) return;
  const many = end.leftOver === 1 ? 'One process' : `${end.leftOver} processes`;
  say(action.log, `${many} had left the group of the commands and had to be searched for and killed.`);
}

async function finish(
  deps: CommandDeps,
  action: Action,
  primary: string,
  values: Readonly<Record<string, string>>,
): Promise<EndReport> {
  const secrets = Object.values(action.secrets);
  const outputVariables = Object.fromEntries(
    action.declaration.outputVariables.map((name) => [name, maskText(values[name] ?? '', secrets)]),
  );
  if (Buffer.byteLength(JSON.stringify(outputVariables)) > maxVariableBytes) {
    return failed(
      'JobFailed',
      `The output variables take more than ${maxVariableBytes} bytes. Write large values to a file of the output artifact.`,
    );
  }
  const [output] = action.outputs;
  if (output !== undefined) {
    const files = action.declaration.outputArtifacts[0]?.files ?? ['**/*'];
    const to = join(deps.home, 'work', action.actionExecution, `${nameOfToken(action.token)}.zip`);
    const problem = await storeOutput(deps.artifacts, output, { directory: primary, files, to, log: action.log });
    if (problem !== undefined) return failed('JobFailed', problem);
  }
  const count = action.declaration.commands.length;
  return {
    kind: 'succeeded',
    outputVariables,
    externalId: localId(action.token),
    summary: count === 1 ? '1 command' : `${count} commands`,
  };
}
