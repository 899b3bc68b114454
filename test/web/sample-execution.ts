import type { ExecutionContext } from '../../src/engine/engine.ts';
import type { ActionDeclaration, PipelineDefinition, StageDeclaration } from '../../src/pipeline/definition.ts';
import {
  laneKey,
  type ActionExecutionId,
  type ActionRun,
  type Execution,
  type ExecutionId,
} from '../../src/pipeline/execution.ts';
import type { PageSource } from '../../src/web/page-data.ts';

/** A pull request's execution of three stages: tests side by side, one of them failed once, then a gate. */
export const executionId = '5f0c2f5e-2a35-5a0e-9a5f-0d6f6b9d1c11' as ExecutionId;
export const headSha = '3f2a91c0d4b5a69788776655443322110ffeeddc';

export function actionId(name: string, attempt = 1): ActionExecutionId {
  return `${name.toLowerCase()}-${attempt}-aaaa-bbbb` as ActionExecutionId;
}

function action(name: string, provider: string, runOrder: number): ActionDeclaration {
  const category = { Commands: 'Compute', Manual: 'Approval', S3: 'Deploy' }[provider] ?? 'Source';
  return {
    name,
    actionTypeId: { category: category as 'Compute', owner: 'AWS', provider, version: '1' },
    runOrder,
    configuration: {},
    commands: [],
    environmentVariables: [],
    outputVariables: [],
    inputArtifacts: [],
    outputArtifacts: [],
  };
}

function stage(name: string, actions: readonly ActionDeclaration[]): StageDeclaration {
  return { name, blockers: [], actions };
}

export const definition: PipelineDefinition = {
  name: 'web',
  roleArn: 'arn:aws:iam::111122223333:role/web',
  version: 1,
  pipelineType: 'V2',
  executionMode: 'SUPERSEDED',
  variables: [],
  triggers: [],
  stages: [
    stage('Source', [action('Checkout', 'CodeStarSourceConnection', 1)]),
    stage('Test', [action('unit', 'Commands', 1), action('lint', 'Commands', 1)]),
    stage('Release', [action('Approve', 'Manual', 1), action('Publish', 'S3', 2)]),
  ],
};

const context: ExecutionContext = {
  headSha,
  headBranch: 'longer-fridays',
  pullRequest: 12,
  baseRef: 'main',
  configSha: 'b'.repeat(40),
  configDigest: 'c'.repeat(64),
  fork: false,
  title: 'Open longer on Fridays <script>alert(1)</script>',
  authors: [{ id: 7, login: 'ada' }],
  unmappedAuthors: [],
  cause: 'pull request updated',
  gates: {},
  bareCommands: true,
};

export function run(name: string, change: Partial<ActionRun> = {}): ActionRun {
  const attempt = change.attempt ?? 1;
  return {
    action: name,
    id: actionId(name, attempt),
    attempt,
    status: 'Succeeded',
    phase: 'ended',
    startedAt: '2026-11-23T04:00:02.000Z',
    endedAt: '2026-11-23T04:00:04.500Z',
    ...change,
  };
}

/** Waits for approval: everything before it has ended. */
export function waitingExecution(): Execution {
  return {
    id: executionId,
    lane: laneKey(1, 'web', 12),
    pipeline: 'web',
    order: 2,
    definition: 'd'.repeat(64),
    mode: 'SUPERSEDED',
    type: 'STANDARD',
    trigger: { type: 'WebhookV2', detail: '{}' },
    sourceRevisions: [{ actionName: 'Checkout', revisionId: headSha }],
    variables: [],
    startedAt: '2026-11-23T04:00:00.000Z',
    startedBy: { kind: 'person', id: 7, login: 'ada' },
    updatedAt: '2026-11-23T04:00:05.000Z',
    stages: [
      {
        stage: 'Source',
        attempt: 1,
        startedAt: '2026-11-23T04:00:00.000Z',
        endedAt: '2026-11-23T04:00:01.000Z',
        actions: [run('Checkout', { summary: 'Open longer on Fridays' })],
      },
      {
        stage: 'Test',
        attempt: 2,
        startedAt: '2026-11-23T04:00:02.000Z',
        endedAt: '2026-11-23T04:00:04.500Z',
        actions: [run('unit', { attempt: 2 }), run('lint')],
      },
      {
        stage: 'Release',
        attempt: 1,
        startedAt: '2026-11-23T04:00:05.000Z',
        actions: [run('Approve', { status: 'InProgress', phase: 'waiting', startedAt: '2026-11-23T04:00:05.000Z' })],
      },
    ],
  };
}

/** `unit` runs; nothing has failed yet. */
export function runningExecution(): Execution {
  const waiting = waitingExecution();
  const [source, test] = waiting.stages;
  if (source === undefined || test === undefined) throw new Error('the sample has lost its stages');
  const { endedAt: _ended, ...open } = test;
  const running = run('unit', { status: 'InProgress', phase: 'running' });
  const { endedAt: _over, ...unit } = running;
  return { ...waiting, stages: [source, { ...open, attempt: 1, actions: [unit, run('lint')] }] };
}

export function failedExecution(): Execution {
  const waiting = waitingExecution();
  const [source, test] = waiting.stages;
  if (source === undefined || test === undefined) throw new Error('the sample has lost its stages');
  const error = { code: 'JobFailed', message: 'node --test ended with code 1' };
  return {
    ...waiting,
    stages: [source, { ...test, attempt: 1, actions: [run('unit', { status: 'Failed', error }), run('lint')] }],
  };
}

export function pageSource(execution: Execution, live: boolean): PageSource {
  return {
    repository: { owner: 'acme', name: 'web' },
    githubWebUrl: 'https://github.com',
    execution,
    definition,
    context,
    live,
    earlierAttempts: execution.stages.some(({ stage: name, attempt }) => name === 'Test' && attempt === 2)
      ? [
          {
            id: actionId('unit'),
            stage: 'Test',
            action: 'unit',
            attempt: 1,
            status: 'Failed',
            startedAt: '2026-11-23T04:00:02.000Z',
            endedAt: '2026-11-23T04:00:03.000Z',
          },
        ]
      : [],
  };
}
