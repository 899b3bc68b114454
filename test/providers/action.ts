import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ActionDeclaration } from '../../src/pipeline/definition.ts';
import type { ActionExecutionId, ExecutionId } from '../../src/pipeline/execution.ts';
import { openActionLog, logPath } from '../../src/providers/action-log.ts';
import type { ActionProvider, ActionReport, NamedArtifact, StartedAction } from '../../src/providers/provider.ts';

export type ActionChange = Partial<Omit<StartedAction<unknown>, 'declaration' | 'configuration'>> & {
  readonly declaration?: Partial<ActionDeclaration>;
  readonly configuration?: Readonly<Record<string, string>>;
};

export type TestAction<C> = StartedAction<C> & { readonly logFile: string; changes(): number };

/** An action as the engine would start it; what a test cares about is in `change`. */
export function anAction<C>(home: string, provider: ActionProvider<C>, change: ActionChange = {}): TestAction<C> {
  const execution = (change.execution ?? randomUUID()) as ExecutionId;
  const actionExecution = (change.actionExecution ?? randomUUID()) as ActionExecutionId;
  const logFile = logPath(home, execution, actionExecution);
  let changes = 0;
  const declaration: ActionDeclaration = {
    name: 'Act',
    actionTypeId: provider.type,
    runOrder: 1,
    configuration: change.configuration ?? {},
    commands: [],
    environmentVariables: [],
    outputVariables: [],
    inputArtifacts: (change.inputs ?? []).map(({ name }) => ({ name })),
    outputArtifacts: (change.outputs ?? []).map(({ name }) => ({ name })),
    ...change.declaration,
  };
  return {
    token: `${execution}/Stage/Act/1`,
    execution,
    actionExecution,
    pipeline: 'web',
    stage: 'Stage',
    attempt: 1,
    repository: { id: 42, owner: 'acme', name: 'web', installationId: 7 },
    inputs: [],
    outputs: [],
    origin: { headSha: 'a'.repeat(40), branch: 'main' },
    trust: 'repository',
    secrets: {},
    log: openActionLog({ file: logFile, mask: Object.values(change.secrets ?? {}) }),
    changed: () => {
      changes += 1;
    },
    ...change,
    declaration,
    configuration: provider.configuration.parse(change.configuration ?? {}),
    logFile,
    changes: () => changes,
  };
}

/** Starts an action and polls until it has ended, as a worker would. */
export async function finish<C>(provider: ActionProvider<C>, action: StartedAction<C>): Promise<ActionReport> {
  return untilEnded(provider, action, await provider.start(action));
}

export async function untilEnded<C>(
  provider: ActionProvider<C>,
  action: StartedAction<C>,
  first: ActionReport,
): Promise<ActionReport> {
  let report = first;
  while (report.kind === 'running') {
    await new Promise((resolve) => setTimeout(resolve, 10));
    report = (await provider.poll?.({ ...action, externalId: report.externalId })) ?? report;
  }
  return report;
}

export function artifact(name: string): NamedArtifact {
  return { name, location: { bucket: 'artifacts', key: join('web', name, randomUUID()) } };
}
