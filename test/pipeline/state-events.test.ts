import { expect, test } from 'vitest';
import type { Execution } from '../../src/pipeline/execution.ts';
import type { Change } from '../../src/pipeline/changes.ts';
import type { PipelineState } from '../../src/pipeline/protocol.ts';
import { stateEvents } from '../../src/pipeline/state-events.ts';
import { aPipeline } from '../engine/a-pipeline.ts';

const definition = aPipeline({ Source: { Checkout: 'CodeStarSourceConnection' }, Build: { Unit: {} } });
const at = '2026-01-02T03:04:05.678Z';
const run = (stage: string, action: string, attempt = 1) => ({
  stage,
  attempt,
  startedAt: at,
  actions: [{ action, id: action, attempt: 1, status: 'InProgress', phase: 'running', startedAt: at }],
});
const execution = {
  id: 'e',
  lane: '42/web/main',
  pipeline: 'web',
  definition: 'd',
  startedAt: at,
  stages: [run('Source', 'Checkout'), run('Build', 'Unit', 2)],
} as unknown as Execution;

const change = (kind: Change['kind'], to: string, rest: object = {}): Change =>
  ({ kind, execution: 'e', from: 'InProgress', to, ...rest }) as Change;

function told(changes: readonly Change[], stop?: Execution['stop']): string[] {
  const subject = stop ? { ...execution, stop } : execution;
  const state = { executions: { e: subject }, definitions: { d: definition } } as unknown as PipelineState;
  return stateEvents(state, changes, new Date(at)).map(({ level, detail }) =>
    [level, detail['state'], detail['action'] ?? detail['stage'] ?? ''].join(' '),
  );
}

const stage = (to: string, name: string, attempt = 1): Change => change('stage', to, { stage: name, attempt });
const action = (to: string, place: string, name: string): Change =>
  change('action', to, { stage: place, action: name, id: name });

test.each<[string, readonly Change[], readonly string[]]>([
  ['one L in events, two in the API (CP-E-1)', [change('execution', 'Cancelled')], ['Pipeline CANCELED ']],
  ['superseded', [change('execution', 'Superseded')], ['Pipeline SUPERSEDED ']],
  ['a skipped stage and a held transition tell nothing (CP-E-6)', [stage('Skipped', 'Build'), held()], []],
  ['a state that did not change tells nothing', [change('execution', 'InProgress')], []],
  [
    'what ended comes before what began',
    [stage('InProgress', 'Build'), action('InProgress', 'Build', 'Unit'), stage('Succeeded', 'Source')].concat(
      action('Succeeded', 'Source', 'Checkout'),
    ),
    ['Action SUCCEEDED Checkout', 'Stage SUCCEEDED Source', 'Stage STARTED Build', 'Action STARTED Unit'],
  ],
  [
    'on a retry the stage resumes, then the pipeline',
    [change('execution', 'InProgress', { from: 'Failed' }), stage('InProgress', 'Build', 2)],
    ['Stage RESUMED Build', 'Pipeline RESUMED '],
  ],
])('%s', (_name, changes, wanted) => {
  expect(told(changes)).toEqual(wanted);
});

test('an abandoned execution is told as stopping and stopped, its stage first', () => {
  const stop = { abandon: true, at, by: { kind: 'penstock', why: 'test' } } as const;
  expect(told([change('execution', 'Stopped'), stage('Stopped', 'Build')], stop)).toEqual([
    'Stage STOPPING Build',
    'Stage STOPPED Build',
    'Pipeline STOPPING ',
    'Pipeline STOPPED ',
  ]);
});

test('the same change has the same id, another attempt another one', () => {
  const ids = (attempt: number): string[] => {
    const stages = [run('Source', 'Checkout'), run('Build', 'Unit', attempt)];
    const state = {
      executions: { e: { ...execution, stages } },
      definitions: { d: definition },
    } as unknown as PipelineState;
    return stateEvents(state, [stage('InProgress', 'Build', attempt)], new Date(at)).map(({ id }) => id);
  };
  expect(ids(2)).toEqual(ids(2));
  expect(ids(2)).not.toEqual(ids(3));
});

test('a second failure of the same attempt, after an override, is another event', () => {
  const ids = (overridden?: object): string[] => {
    const stages = [
      { ...run('Build', 'Unit'), conditions: { onSuccess: { startedAt: at, rules: [], ...overridden } } },
    ];
    const state = {
      executions: { e: { ...execution, stages } },
      definitions: { d: definition },
    } as unknown as PipelineState;
    return stateEvents(state, [change('execution', 'Failed')], new Date(at)).map(({ id }) => id);
  };
  expect(ids()).not.toEqual(ids({ overridden: { at, by: { kind: 'api', arn: 'arn' } } }));
});

function held(): Change {
  return { kind: 'transition', stage: 'Build', transition: 'Inbound', enabled: false };
}
