import type { ActionExecutionDetail, GetPipelineStateOutput, PipelineExecution } from '@aws-sdk/client-codepipeline';
import { expect, test } from 'vitest';
import type { AwsExecution } from '../../src/engine/aws/aws-execution.ts';
import { observeExecution } from '../../src/engine/aws/observe-execution.ts';
import type { Observed } from '../../src/engine/aws/seen-stage.ts';
import { readDeclaration } from '../../src/engine/aws/read-declaration.ts';
import { laneKey, type ExecutionId } from '../../src/pipeline/execution.ts';
import { executionStatus, isLive, stageStatus } from '../../src/pipeline/status.ts';
import { shop } from './bench.ts';
import { role } from './fake-aws.ts';

const definition = readDeclaration(shop);
const awsId = '7e1f0000-0000-4000-8000-000000000001';
const at = '2026-05-01T10:30:00.000Z';
const look = { at, roleArn: role };

const prior: AwsExecution = {
  id: 'our-id' as ExecutionId,
  lane: laneKey(42, 'shop', 12),
  pipeline: 'shop',
  order: 1,
  definition: 'digest',
  mode: 'SUPERSEDED',
  type: 'STANDARD',
  trigger: { type: 'StartPipelineExecution', detail: '' },
  sourceRevisions: [{ actionName: 'App', revisionId: 'a'.repeat(40) }],
  variables: [],
  startedAt: '2026-05-01T10:00:00.000Z',
  startedBy: { kind: 'person', id: 1, login: 'dev' },
  updatedAt: '2026-05-01T10:00:00.000Z',
  stages: [],
  aws: { executionId: awsId, askedAt: '2026-05-01T10:00:00.000Z' },
};

let made = 0;
function action(stageName: string, actionName: string, status: string, more: Partial<ActionExecutionDetail> = {}) {
  made += 1;
  const time = new Date(Date.parse('2026-05-01T10:00:00Z') + made * 1000);
  return {
    pipelineExecutionId: awsId,
    actionExecutionId: `action-${made}`,
    stageName,
    actionName,
    startTime: time,
    lastUpdateTime: time,
    status: status as 'Succeeded',
    ...more,
  };
}

function seen(status: string, actions: readonly ActionExecutionDetail[], more: Partial<Observed> = {}): Observed {
  const execution: PipelineExecution = {
    pipelineName: 'shop-prod',
    pipelineVersion: 3,
    pipelineExecutionId: awsId,
    status: status as 'InProgress',
  };
  return { execution, actions, rules: [], stories: {}, ...more };
}

function statuses(execution: AwsExecution): readonly string[] {
  const stages = execution.stages.map((run) => `${run.stage} ${stageStatus(run, execution, definition)}`);
  return [executionStatus(execution, definition), ...stages];
}

const built = [
  action('Source', 'App', 'Succeeded'),
  action('Build', 'Unit', 'Succeeded'),
  action('Build', 'Lint', 'Succeeded'),
];

function stateOf(stageStates: GetPipelineStateOutput['stageStates']): GetPipelineStateOutput {
  return { pipelineName: 'shop-prod', pipelineVersion: 3, stageStates };
}

test.each<[string, Observed, readonly string[]]>([
  ['nothing is to be seen yet', seen('InProgress', []), ['InProgress']],
  ['the source runs', seen('InProgress', [action('Source', 'App', 'InProgress')]), ['InProgress', 'Source InProgress']],
  [
    'one of two builds has ended',
    seen('InProgress', built.slice(0, 2)),
    ['InProgress', 'Source Succeeded', 'Build InProgress'],
  ],
  ['both have', seen('InProgress', built), ['InProgress', 'Source Succeeded', 'Build Succeeded']],
  [
    'it failed and a sibling still runs: failed already, live until the sibling ends (CP-X-20)',
    seen('Failed', [
      action('Source', 'App', 'Succeeded'),
      action('Build', 'Unit', 'Failed'),
      action('Build', 'Lint', 'InProgress'),
    ]),
    ['Failed', 'Source Succeeded', 'Build Failed'],
  ],
  [
    'stopping while an action may end (CP-X-31)',
    seen('Stopping', [action('Source', 'App', 'Succeeded'), action('Build', 'Unit', 'InProgress')]),
    ['Stopping', 'Source Succeeded', 'Build Stopping'],
  ],
  [
    'overtaken while it waited (CP-X-13)',
    seen('Superseded', built),
    ['Superseded', 'Source Succeeded', 'Build Succeeded'],
  ],
  ['updated while it ran (CP-X-61)', seen('Cancelled', built), ['Cancelled', 'Source Succeeded', 'Build Succeeded']],
  [
    'it succeeded half an hour ago: stages without an action were skipped (CP-C-5)',
    seen('Succeeded', built.slice(0, 1)),
    ['Succeeded', 'Source Succeeded', 'Build Skipped', 'Release Skipped'],
  ],
  [
    'a status that nobody knows yet counts as running',
    seen('Hibernating', [action('Source', 'App', 'Dreaming')]),
    ['InProgress', 'Source InProgress'],
  ],
])('%s', (_name, observed, expected) => {
  expect(statuses(observeExecution(prior, definition, observed, look))).toEqual(expected);
});

test('right after its end a missing stage is late, and later it was skipped (CP-X-69, CP-C-5)', () => {
  const observed = seen('Succeeded', built);
  const [last] = built.slice(-1);
  const soon = new Date((last?.lastUpdateTime?.getTime() ?? 0) + 5_000).toISOString();
  expect(statuses(observeExecution(prior, definition, observed, { ...look, at: soon }))[0]).toBe('InProgress');
  expect(statuses(observeExecution(prior, definition, observed, look))).toContain('Release Skipped');
});

test('a failure without a failed action keeps what CodePipeline says of it (CP-X-7)', () => {
  const statusSummary = "Values for required variables haven't been provided: STAGE";
  const observed = seen('Failed', []);
  const failed = { ...observed, execution: { ...observed.execution, statusSummary } };
  expect(observeExecution(prior, definition, failed, look).ending).toMatchObject({
    as: 'Failed',
    summary: statusSummary,
  });
});

test('another execution’s state is not ours: its green and its token are left alone (CP-X-66)', () => {
  const waits = action('Release', 'Approve', 'InProgress');
  const latestExecution = {
    actionExecutionId: waits.actionExecutionId,
    status: 'InProgress',
    token: 'a-token',
  } as const;
  const actionStates = [{ actionName: 'Approve', latestExecution }];
  const foreign = {
    stageName: 'Release',
    actionStates,
    latestExecution: { pipelineExecutionId: 'another', status: 'InProgress' as const },
  };
  const ours = { ...foreign, latestExecution: { ...foreign.latestExecution, pipelineExecutionId: awsId } };
  const token = (state: typeof ours) =>
    observeExecution(
      prior,
      definition,
      seen('InProgress', [...built, waits], { state: stateOf([state]) }),
      look,
    ).stages.at(-1)?.actions[0]?.token;
  expect([token(foreign), token(ours)]).toEqual([undefined, 'a-token']);
});

test('waiting at a stage’s entrance is read from its inbound executions', () => {
  const inboundExecutions = [{ pipelineExecutionId: awsId, status: 'InProgress' as const }];
  const state = stateOf([{ stageName: 'Release', inboundExecutions, inboundTransitionState: { enabled: false } }]);
  expect(observeExecution(prior, definition, seen('InProgress', built, { state }), look).waitingAt).toBe('Release');
});

test('the same documents again change nothing, whatever order they list their actions in', () => {
  const first = observeExecution(prior, definition, seen('InProgress', built), look);
  const again = observeExecution(first, definition, seen('InProgress', built.toReversed()), {
    ...look,
    at: '2026-05-01T11:00:00.000Z',
  });
  expect(again).toBe(first);
});

test('an execution that an update left behind is over after ten quiet minutes (CP-X-62)', () => {
  const state: GetPipelineStateOutput = { ...stateOf([]), pipelineVersion: 4 };
  const observed = seen('InProgress', built, { state });
  const [last] = built.slice(-1);
  const soon = new Date((last?.lastUpdateTime?.getTime() ?? 0) + 5 * 60_000).toISOString();
  expect(statuses(observeExecution(prior, definition, observed, { ...look, at: soon }))[0]).toBe('InProgress');
  const over = observeExecution(prior, definition, observed, look);
  expect([statuses(over)[0], isLive(over, definition)]).toEqual(['Cancelled', false]);
});

const grouped = readDeclaration({
  ...shop,
  stages: (shop.stages ?? []).map((stage) =>
    stage.name === 'Build'
      ? { ...stage, actions: (stage.actions ?? []).map((one, index) => ({ ...one, runOrder: index + 1 })) }
      : stage,
  ),
});

test('a retry of all actions takes the failure of a later group away at once (CP-X-44)', () => {
  const failed = [...built.slice(0, 2), action('Build', 'Lint', 'Failed')];
  const first = observeExecution(prior, grouped, seen('Failed', failed), look);
  expect(statuses(first)).toEqual(['Failed', 'Source Succeeded', 'Build Failed']);
  const again = seen('InProgress', [...failed, action('Build', 'Unit', 'InProgress')]);
  const retried = observeExecution(first, grouped, again, look);
  expect(statuses(retried)).toEqual(['InProgress', 'Source Succeeded', 'Build InProgress']);
  expect(retried.stages[1]?.actions.map((run) => `${run.action} ${run.attempt}`)).toEqual(['Unit 2']);
});

const frozen = readDeclaration({
  ...shop,
  stages: (shop.stages ?? []).map((stage) => {
    const ruleTypeId = { category: 'Rule', owner: 'AWS', provider: 'DeploymentWindow', version: '1' } as const;
    const beforeEntry = { conditions: [{ result: 'FAIL' as const, rules: [{ name: 'Freeze', ruleTypeId }] }] };
    return stage.name === 'Build' ? { ...stage, beforeEntry } : stage;
  }),
});

test('in PARALLEL mode an override in the console shows in what it let in (CP 2.2, CP-C-9)', () => {
  const parallel: AwsExecution = { ...prior, mode: 'PARALLEL' };
  const source = action('Source', 'App', 'Succeeded');
  const { actionExecutionId: ruleExecutionId, actionName: _, ...told } = action('Build', '', 'Failed');
  const rules = [{ ...told, status: 'Failed' as const, ruleExecutionId, ruleName: 'Freeze' }];
  const read = (before: AwsExecution, status: string, ...actions: ActionExecutionDetail[]) => {
    const after = observeExecution(before, frozen, seen(status, [source, ...actions], { rules }), look);
    const words = [executionStatus(after, frozen), ...after.stages.map((run) => stageStatus(run, after, frozen))];
    return { after, words: words.join(' ') };
  };
  const held = read(parallel, 'Failed');
  expect(held.words).toBe('Failed Succeeded Failed');
  const letIn = read(held.after, 'InProgress', action('Build', 'Unit', 'InProgress'));
  expect(letIn.words).toBe('InProgress Succeeded InProgress');
  const done = read(
    letIn.after,
    'InProgress',
    action('Build', 'Unit', 'Succeeded'),
    action('Build', 'Lint', 'Succeeded'),
  );
  expect(done.words).toBe('InProgress Succeeded Succeeded');
  // What ran before the rule said no was let in by an earlier attempt.
  const early = { ...action('Build', 'Unit', 'Failed'), startTime: new Date('2026-05-01T10:00:00Z') };
  expect(read(parallel, 'Failed', early).words).toBe('Failed Succeeded Failed');
  expect(read(parallel, 'Failed', early).after.stages[1]?.conditions?.beforeEntry?.overridden).toBeUndefined();
});

test('what a success condition said of the attempt before a retry says nothing of the new one', () => {
  const [, build] = shop.stages ?? [];
  const ruleTypeId = { category: 'Rule', owner: 'AWS', provider: 'LambdaInvoke', version: '1' } as const;
  const onSuccess = { conditions: [{ result: 'FAIL' as const, rules: [{ name: 'Smoke', ruleTypeId }] }] };
  const checked = readDeclaration({
    ...shop,
    stages: (shop.stages ?? []).map((stage) => (stage === build ? { ...stage, onSuccess } : stage)),
  });
  const { startTime, lastUpdateTime } = action('Build', '', 'Failed');
  const rules = [
    {
      stageName: 'Build',
      ruleName: 'Smoke',
      ruleExecutionId: 'r',
      status: 'Failed' as const,
      startTime,
      lastUpdateTime,
    },
  ];
  const words = (one: AwsExecution) => one.stages.map((run) => stageStatus(run, one, checked)).join(' ');
  const first = observeExecution(prior, checked, seen('Failed', built, { rules }), look);
  expect(words(first)).toBe('Succeeded Failed');
  const again = [...built, action('Build', 'Unit', 'InProgress'), action('Build', 'Lint', 'InProgress')];
  expect(words(observeExecution(first, checked, seen('InProgress', again, { rules }), look))).toBe(
    'Succeeded InProgress',
  );
});

test('a stop that AWS does not know of a minute later was none (CP-X-69)', () => {
  const by = { kind: 'person', id: 2, login: 'reviewer' } as const;
  const asked = (stopAt: string) =>
    observeExecution(
      { ...prior, stop: { abandon: false, at: stopAt, by } },
      definition,
      seen('InProgress', built),
      look,
    );
  expect(asked('2026-05-01T10:29:30.000Z').stop?.by).toEqual(by);
  expect(asked('2026-05-01T10:28:59.000Z').stop).toBeUndefined();
});

test('a list of rules from before a retry does not take back what the rule says now (CP-X-69)', () => {
  const judged = (id: string, second: number, status: 'Failed' | 'InProgress') => {
    const startTime = new Date(Date.parse('2026-05-01T10:20:00Z') + second * 1000);
    const ended = status === 'Failed' ? { lastUpdateTime: startTime } : {};
    return { stageName: 'Build', ruleName: 'Freeze', ruleExecutionId: id, startTime, status, ...ended };
  };
  const held = seen('Failed', [built[0]!], { rules: [judged('rule-1', 0, 'Failed')] });
  const first = observeExecution(prior, frozen, held, look);
  const again = seen('InProgress', [built[0]!], { rules: [held.rules[0]!, judged('rule-2', 60, 'InProgress')] });
  const retried = observeExecution(first, frozen, again, look);
  const entrance = (one: AwsExecution) => one.stages[1]?.conditions?.beforeEntry?.rules.map(({ id }) => id);
  expect(entrance(retried)).toEqual(['rule-2']);
  expect(entrance(observeExecution(retried, frozen, held, look))).toEqual(['rule-2']);
});

test('a read that is older than the one before takes nothing back (CP-X-69)', () => {
  const failed = action('Build', 'Lint', 'Failed');
  const known = observeExecution(prior, definition, seen('Failed', [...built.slice(0, 2), failed]), look);
  const late = [...built.slice(0, 2), { ...failed, status: 'InProgress' as const }];
  expect(observeExecution(known, definition, seen('InProgress', late), look)).toBe(known);
  expect(observeExecution(known, definition, seen('InProgress', built.slice(0, 1)), look)).toBe(known);
});

test('the failure before a retry ends nothing while the retry runs (CP-X-69)', () => {
  const failed = [...built.slice(0, 2), action('Build', 'Lint', 'Failed')];
  const known = observeExecution(prior, definition, seen('Failed', failed), look);
  const retried = seen('Failed', [...failed, action('Build', 'Lint', 'InProgress')]);
  expect(statuses(observeExecution(known, definition, retried, look))[0]).toBe('InProgress');
});

test('an approval that an update took away cancels its stage before AWS says so (CP-X-62)', () => {
  const output = { executionResult: { externalExecutionSummary: 'The approval action has been canceled.' } };
  const observed = seen('InProgress', [...built, action('Release', 'Approve', 'Failed', { output })]);
  expect(statuses(observeExecution(prior, definition, observed, look)).at(-1)).toBe('Release Cancelled');
});
