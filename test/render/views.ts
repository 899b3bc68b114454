import type { GateVerdict } from '../../src/commands/gate.ts';
import type { ActionCategory, ActionDeclaration, PipelineDefinition } from '../../src/pipeline/definition.ts';
import type {
  ActionExecutionId,
  ActionRun,
  Execution,
  ExecutionId,
  LaneKey,
  StageRun,
} from '../../src/pipeline/execution.ts';
import type { CheckRunView, ExecutionView } from '../../src/render/view.ts';

/** A pipeline with every kind of stage, and executions of it at any point, for the tests of rendering. */

export const headSha = '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d';
export const alice = { kind: 'person', id: 1, login: 'alice' } as const;
export const bob = { kind: 'person', id: 2, login: 'bob' } as const;

/** Seconds after the start, as a stored time. */
export function at(seconds: number): string {
  return new Date(Date.UTC(2026, 10, 23, 4, 0, seconds)).toISOString();
}

export const definition: PipelineDefinition = {
  name: 'web',
  roleArn: '',
  version: 1,
  pipelineType: 'V2',
  executionMode: 'SUPERSEDED',
  variables: [],
  triggers: [],
  stages: [
    stage('Source', [declare('Checkout', 'Source')]),
    stage('Test', [declare('Unit', 'Build'), declare('Lint', 'Build')]),
    stage('Release', [declare('Approve', 'Approval')]),
    stage('Deploy', [declare('Site', 'Deploy')]),
  ],
};

function stage(name: string, actions: readonly ActionDeclaration[]): PipelineDefinition['stages'][number] {
  return { name, blockers: [], actions };
}

export function declare(
  name: string,
  category: ActionCategory,
  configuration: Readonly<Record<string, string>> = {},
): ActionDeclaration {
  return {
    name,
    actionTypeId: { category, owner: 'AWS', provider: category === 'Approval' ? 'Manual' : 'Commands', version: '1' },
    runOrder: 1,
    configuration,
    commands: [],
    environmentVariables: [],
    outputVariables: [],
    inputArtifacts: [],
    outputArtifacts: [],
  };
}

export function action(name: string, more: Partial<ActionRun> = {}): ActionRun {
  const ended = more.status !== 'InProgress';
  return {
    action: name,
    id: `${name}-${more.attempt ?? 1}` as ActionExecutionId,
    attempt: 1,
    status: 'Succeeded',
    phase: ended ? 'ended' : 'running',
    startedAt: at(5),
    ...(ended ? { endedAt: at(12) } : {}),
    ...more,
  };
}

export function ran(name: string, actions: readonly ActionRun[], more: Partial<StageRun> = {}): StageRun {
  const isOpen = actions.some((run) => run.status === 'InProgress');
  return { stage: name, attempt: 1, startedAt: at(4), ...(isOpen ? {} : { endedAt: at(12) }), actions, ...more };
}

export const source = ran('Source', [action('Checkout', { startedAt: at(1), endedAt: at(3) })], {
  startedAt: at(1),
  endedAt: at(3),
});
export const tested = ran('Test', [action('Unit'), action('Lint')]);
export const gateRun = action('Approve', {
  status: 'InProgress',
  phase: 'waiting',
  token: 'Approve-1',
  startedAt: at(13),
  deadline: at(13 + 7 * 86_400),
});
export const failedUnit = action('Unit', {
  status: 'Failed',
  error: { code: 'JobFailed', message: 'Command `npm test` ended with exit code 1.' },
  endedAt: at(134),
});

export function execution(stages: readonly StageRun[], more: Partial<Execution> = {}): Execution {
  return {
    id: '0f8fad5b-d9cb-469f-a165-70867728950e' as ExecutionId,
    lane: '1/web/pr-7' as LaneKey,
    pipeline: 'web',
    order: 1,
    definition: 'digest',
    mode: 'SUPERSEDED',
    type: 'STANDARD',
    trigger: { type: 'WebhookV2', detail: '' },
    sourceRevisions: [{ actionName: 'Checkout', revisionId: headSha }],
    variables: [],
    startedAt: at(0),
    startedBy: alice,
    updatedAt: at(200),
    stages,
    ...more,
  };
}

export function view(run: Execution, more: Partial<ExecutionView> = {}): ExecutionView {
  return {
    pipeline: 'web',
    execution: run,
    definition,
    headSha,
    detailsUrl: 'https://penstock.example/executions/0f8fad5b',
    cause: 'pull request opened',
    startedBy: alice,
    earlierAttempts: [],
    logTails: {},
    gates: {},
    fork: false,
    annotations: [],
    reports: {},
    phases: {},
    bareCommands: true,
    pullRequest: 7,
    rollbackTo: {},
    ...more,
  };
}

export const waitingVerdict: GateVerdict = {
  outcome: 'waiting',
  needed: 2,
  had: 1,
  counted: [{ person: bob, answer: 'approve', channel: 'comment', reason: 'checked on staging', at: at(60) }],
  notCounted: [{ person: alice, answer: 'approve', at: at(50), why: 'an author does not count for their own change' }],
  explanation: {
    holds: false,
    text: '2 members of team `acme/release` with write access',
    countedLogins: ['bob'],
    couldLogins: ['carol'],
    children: [],
  },
  whoCould: ['carol'],
  warnings: [],
};

export const freshVerdict: GateVerdict = {
  outcome: 'waiting',
  needed: 1,
  had: 0,
  counted: [],
  notCounted: [],
  explanation: {
    holds: false,
    text: '1 person with write access',
    countedLogins: [],
    couldLogins: ['bob', 'carol'],
    children: [],
  },
  whoCould: ['bob', 'carol'],
  warnings: [],
};

export function find(runs: readonly CheckRunView[], stage: string): CheckRunView {
  const found = runs.find((run) => run.stage === stage);
  if (!found) throw new Error(`there is no check run for '${stage}': ${runs.map((run) => run.name).join(', ')}`);
  return found;
}
