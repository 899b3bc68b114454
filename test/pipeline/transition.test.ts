import { describe, expect, it } from 'vitest';
import { timeoutMinutes } from '../../src/pipeline/action-types.ts';
import { approvalNotification } from '../../src/pipeline/approval-notification.ts';
import { changes } from '../../src/pipeline/changes.ts';
import type { Execution, ExecutionId, LaneKey } from '../../src/pipeline/execution.ts';
import type { Given, Input, PipelineState } from '../../src/pipeline/protocol.ts';
import { executionStatus, waitingApprovals } from '../../src/pipeline/status.ts';
import { emptyState, transition } from '../../src/pipeline/transition.ts';
import { pipeline, type PipelineSpec } from './pipelines.ts';

const given: Given = { at: new Date('2026-01-05T10:00:00Z'), seed: 's', by: { kind: 'person', id: 1, login: 'ann' } };
const one = 'e1' as ExecutionId;
const stages = { Source: ['App'], Gate: ['Approve!', 'Lint'] };

describe('what an execution remembers', () => {
  it('CP-X-5, CP-X-9, CP-X-67, CP-X-72: revisions are those of the start until a source action says better', () => {
    let state = started({ stages });
    expect(execution(state).sourceRevisions).toEqual([{ actionName: 'App', revisionId: 'asked' }]);
    const revision = { actionName: 'ignored', revisionId: 'taken', revisionSummary: 'Fix the door' };
    state = after(state, { kind: 'action-succeeded', execution: one, action: actionId(state, 'App'), revision });
    expect(execution(state).sourceRevisions).toEqual([{ ...revision, actionName: 'App' }]);
  });

  it('CP-J-11, CP-J-12, CP-J-15: progress shows at once, and a failure keeps its type', () => {
    let state = started({ stages });
    const action = actionId(state, 'App');
    const details = {
      summary: 'half',
      percentComplete: 50,
      externalExecutionId: 'x',
      externalExecutionUrl: 'https://x',
    };
    state = after(state, { kind: 'action-running', execution: one, action, ...details });
    expect(execution(state).stages[0]?.actions[0]).toMatchObject({ phase: 'running', ...details });
    const error = { code: 'RevisionUnavailable', message: 'gone' };
    state = after(state, { kind: 'action-failed', execution: one, action, error });
    expect(execution(state).stages[0]?.actions[0]).toMatchObject({ status: 'Failed', error, summary: 'gone' });
  });

  it('CP-1.6, CP-F-23: an action that takes too long fails with its time, and its work is stopped', () => {
    const state = started({ stages });
    const action = actionId(state, 'App');
    const result = transition(state, { kind: 'deadline-passed', execution: one, action }, given);
    if (result.outcome !== 'moved') throw new Error(`it is ${result.outcome}`);
    expect(execution(result.state).stages[0]?.actions[0]).toMatchObject({
      status: 'Failed',
      error: { code: 'JobFailed', message: 'The action timed out after 60 minutes.' },
    });
    expect(result.effects).toContainEqual(expect.objectContaining({ kind: 'stop-action', action: 'App', id: action }));
  });

  it('CP-P-6: what cannot run here is refused to a caller, and recorded as failed when a trigger began it', () => {
    const { definition, digest } = pipeline({ stages });
    const notRunnable = "ActionType … in action 'Ship' is not available";
    const trigger = { type: 'WebhookV2', detail: 'push' } as const;
    const start: Input = {
      kind: 'start',
      execution: one,
      definition,
      digest,
      trigger,
      sourceRevisions: [],
      variables: [],
      notRunnable,
    };
    const empty = emptyState('1/web/main' as LaneKey, 'web');
    const byCall = transition(empty, start, { ...given, by: { kind: 'api', arn: 'arn' } });
    expect(byCall).toMatchObject({
      outcome: 'refused',
      refusal: { exception: 'InvalidActionDeclarationException', rule: 'CP-P-6', message: notRunnable },
    });
    const failed = after(empty, start);
    expect(execution(failed)).toMatchObject({ stages: [], ending: { as: 'Failed', summary: notRunnable } });
  });

  it('CP-X-53, CP-X-57: without an update the newest start that got into a stage has the declaration in force', () => {
    const onFailure = { result: 'ROLLBACK' };
    const before = pipeline({ stages: { Source: ['App'], Ship: ['Out'] }, conditions: { Ship: { onFailure } } });
    const edited = pipeline({
      stages: { Source: ['App'], Ship: ['Out', 'Tell'] },
      conditions: { Ship: { onFailure } },
    });
    let state = emptyState('1/web/main' as LaneKey, 'web');
    const start = (id: string, { definition, digest }: typeof before): void => {
      const trigger = { type: 'WebhookV2', detail: 'push' } as const;
      const more = { definition, digest, trigger, sourceRevisions: [], variables: [] };
      state = after(state, { kind: 'start', execution: id as ExecutionId, ...more });
    };
    const end = (id: string, action: string, kind: 'action-succeeded' | 'action-failed'): void => {
      const runs = state.executions[id]?.stages.flatMap((run) => run.actions) ?? [];
      const found = runs.find((run) => run.action === action)!.id;
      const how = kind === 'action-failed' ? { kind, error: { code: 'JobFailed', message: 'no' } } : { kind };
      state = after(state, { execution: id as ExecutionId, action: found, ...how });
    };
    start('e1', before);
    end('e1', 'App', 'action-succeeded');
    end('e1', 'Out', 'action-succeeded');
    start('e2', edited);
    const to = (target: string) =>
      transition(
        state,
        {
          kind: 'rollback',
          lane: state.lane,
          execution: 'r' as ExecutionId,
          stage: 'Ship',
          target: target as ExecutionId,
        },
        given,
      );
    expect(to('e1')).toMatchObject({ refusal: { exception: 'PipelineExecutionOutdatedException' } });
    end('e2', 'App', 'action-succeeded');
    end('e2', 'Out', 'action-succeeded');
    end('e2', 'Tell', 'action-failed');
    expect(Object.keys(state.executions), 'a success of the declaration before is no target').toEqual(['e1', 'e2']);
    expect(to('e1')).toMatchObject({ refusal: { exception: 'PipelineExecutionOutdatedException' } });
  });

  it('CP-X-53: a rollback puts no older declaration in force again', () => {
    const before = pipeline({ stages: { Source: ['App'], Ship: ['Out'] } });
    const edited = pipeline({ stages: { Source: ['App'], Ship: ['Out', 'Tell'] } });
    let state = emptyState(laneOf(), 'web');
    const start = (id: string, built: typeof before): void => {
      state = after(state, { ...startOf({ stages }, built), execution: id as ExecutionId });
    };
    const rollback = (id: string) =>
      ({ kind: 'rollback', lane: state.lane, execution: id as ExecutionId, stage: 'Ship', target: one }) as const;
    start('e1', before);
    for (const name of ['App', 'Out']) {
      state = after(state, { kind: 'action-succeeded', execution: one, action: actionId(state, name) });
    }
    const hold = { lane: state.lane, stage: 'Source', transition: 'Inbound', reason: 'freeze' } as const;
    state = after(state, { kind: 'disable-transition', ...hold });
    start('e2', edited);
    state = after(state, rollback('r1'));
    const rolled = state.executions['r1']!.stages[0]!.actions[0]!.id;
    state = after(state, { kind: 'action-succeeded', execution: 'r1' as ExecutionId, action: rolled });
    state = after(state, { ...hold, kind: 'enable-transition' });
    expect(transition(state, rollback('r2'), given)).toMatchObject({
      refusal: { exception: 'PipelineExecutionOutdatedException' },
    });
  });

  it('CP-X-29: a person holds with a reason on one line', () => {
    const hold = { kind: 'disable-transition', lane: laneOf(), stage: 'Gate', transition: 'Inbound' } as const;
    const answers = ['freeze: Ostern', ' ', 'one\ntwo', 'bell\u0007'].map(
      (reason) => transition(started({ stages }), { ...hold, reason }, given).outcome,
    );
    expect(answers).toEqual(['moved', 'refused', 'refused', 'refused']);
  });

  it('CP-X-61: a further update leaves alone what an update ends already', () => {
    const running = started({ stages });
    const updated = after(running, { kind: 'update-definition', ...pipeline({ stages: { ...stages, More: ['A'] } }) });
    const again = transition(
      updated,
      { kind: 'update-definition', ...pipeline({ stages: { ...stages, Most: ['A'] } }) },
      { ...given, at: new Date('2026-01-05T11:00:00Z') },
    );
    expect(again).toMatchObject({ outcome: 'moved' });
    expect(again.outcome === 'moved' && again.state.executions['e1']).toBe(updated.executions['e1']);
  });

  it('CP-C-12: fifty others in progress leave no room for an override of what has failed', () => {
    const rule = { name: 'Check', ruleTypeId: { category: 'Rule', provider: 'Commands' }, commands: ['true'] };
    const conditions = { Gate: { beforeEntry: { conditions: [{ result: 'FAIL', rules: [rule] }] } } };
    let state = started({ stages, mode: 'PARALLEL', conditions });
    state = after(state, { kind: 'action-succeeded', execution: one, action: actionId(state, 'App') });
    const run = execution(state).stages[1]?.conditions?.beforeEntry?.rules[0];
    const error = { code: 'x', message: 'no' };
    state = after(state, { kind: 'rule-failed', execution: one, rule: run!.id, error });
    const built = pipeline({ stages, mode: 'PARALLEL', conditions });
    const trigger = { type: 'WebhookV2', detail: 'push' } as const;
    for (let n = 0; n < 50; n += 1) {
      const start = { kind: 'start', execution: `x${n}` as ExecutionId, trigger, sourceRevisions: [], variables: [] };
      state = after(state, { ...start, ...built } as Input);
    }
    const override = { kind: 'override', lane: state.lane, execution: one, stage: 'Gate', condition: 'BEFORE_ENTRY' };
    expect(transition(state, override as Input, given)).toMatchObject({
      refusal: { exception: 'ConcurrentPipelineExecutionsLimitExceededException', rule: 'CP-C-12' },
    });
  });

  it('CP-X-36, CP-X-62: an approval that nobody can answer any more says so in the words of the service', () => {
    let state = started({ stages });
    state = after(state, { kind: 'action-succeeded', execution: one, action: actionId(state, 'App') });
    const canceled = 'The approval action has been canceled.';
    const gateOf = (of: PipelineState) =>
      execution(of).stages[1]?.actions.map(({ action, status, summary }) => [action, status, summary]);
    const stopped = after(state, { kind: 'stop', lane: state.lane, execution: one, abandon: true });
    expect(gateOf(stopped)).toEqual([
      ['Approve', 'Abandoned', canceled],
      ['Lint', 'Abandoned', undefined],
    ]);
    const updated = after(state, { kind: 'update-definition', ...pipeline({ stages: { ...stages, More: ['A'] } }) });
    expect(gateOf(updated)).toEqual([
      ['Approve', 'Failed', canceled],
      ['Lint', 'InProgress', undefined],
    ]);
  });

  it('CP-X-30, CP-X-35: why and by whom it was stopped', () => {
    const stop = { kind: 'stop', lane: laneOf(), execution: one, abandon: true, reason: 'wrong branch' } as const;
    expect(execution(after(started({ stages }), stop)).stop).toEqual({
      abandon: true,
      reason: 'wrong branch',
      at: given.at.toISOString(),
      by: given.by,
    });
  });

  it('CP-X-32, CP-X-35: an abandon that gives no reason keeps that of the stop before it', () => {
    const stop = { kind: 'stop', lane: laneOf(), execution: one } as const;
    const stopping = after(started({ stages }), { ...stop, abandon: false, reason: 'wrong branch' });
    expect(execution(after(stopping, { ...stop, abandon: true })).stop?.reason).toBe('wrong branch');
    expect(execution(after(stopping, { ...stop, abandon: true, reason: 'now' })).stop?.reason).toBe('now');
  });

  it('CP-X-24, CP-X-66: the lane knows who entered and who succeeded last, and who held a gate', () => {
    let state = started({ stages });
    state = after(state, { kind: 'action-succeeded', execution: one, action: actionId(state, 'App') });
    const hold = { lane: laneOf(), stage: 'Gate', transition: 'Inbound', reason: 'freeze' } as const;
    state = after(state, { kind: 'disable-transition', ...hold });
    expect(state.stages).toMatchObject({
      Source: { inbound: [], latestEntered: one, latestSucceeded: one },
      Gate: {
        latestEntered: one,
        inboundTransition: { enabled: false, reason: 'freeze', changedBy: given.by, changedAt: given.at.toISOString() },
      },
    });
    expect(state.stages['Gate']).not.toHaveProperty('latestSucceeded');
  });

  it('CP-X-22: it succeeds with its last stage', () => {
    let state = started({ stages: { Source: ['App'], Build: ['Unit'] } });
    state = after(state, { kind: 'action-succeeded', execution: one, action: actionId(state, 'App') });
    expect(status(state)).toBe('InProgress');
    state = after(state, { kind: 'action-succeeded', execution: one, action: actionId(state, 'Unit') });
    expect(status(state)).toBe('Succeeded');
  });

  it('CP-X-42: a second retry while the first is under way is refused', () => {
    let state = started({ stages });
    const error = { code: 'JobFailed', message: 'no' };
    state = after(state, { kind: 'action-failed', execution: one, action: actionId(state, 'App'), error });
    const retry = { kind: 'retry', lane: laneOf(), execution: one, stage: 'Source', mode: 'FAILED_ACTIONS' } as const;
    state = after(state, retry);
    expect(transition(state, retry, given)).toMatchObject({
      outcome: 'refused',
      refusal: { exception: 'StageNotRetryableException' },
    });
  });

  it('CP-A-1: an approval waits with its id as the token once its provider says so', () => {
    let state = started({ stages });
    state = after(state, { kind: 'action-succeeded', execution: one, action: actionId(state, 'App') });
    expect(waitingApprovals(execution(state))).toEqual([]);
    const id = actionId(state, 'Approve');
    state = after(state, { kind: 'action-waiting', execution: one, action: id });
    expect(waitingApprovals(execution(state))).toEqual([{ stage: 'Gate', action: 'Approve', token: id, id }]);
  });

  it('CP-A-11: what a topic is told of a waiting approval', () => {
    let state = started({ stages });
    const site = {
      region: 'eu-west-1',
      pipeline: 'web',
      stage: 'Gate',
      consoleLink: 'https://ci.example/web',
      reviewLink: 'https://ci.example/web/gate',
      configuration: { CustomData: 'Deploy?' },
    };
    const source = execution(state).stages[0]?.actions[0];
    expect(source && approvalNotification(source, site)).toBeUndefined();
    state = after(state, { kind: 'action-succeeded', execution: one, action: actionId(state, 'App') });
    const approval = execution(state).stages[1]?.actions[0];
    expect(approval && approvalNotification(approval, site)).toEqual({
      region: 'eu-west-1',
      consoleLink: 'https://ci.example/web',
      approval: {
        pipelineName: 'web',
        stageName: 'Gate',
        actionName: 'Approve',
        token: approval?.id,
        expires: '2026-01-12T10:00Z',
        approvalReviewLink: 'https://ci.example/web/gate',
        customData: 'Deploy?',
      },
    });
  });

  it('CP-C-9: conditions and rules stand with their stage', () => {
    const rule = {
      name: 'Check',
      ruleTypeId: { category: 'Rule', owner: 'AWS', provider: 'VariableCheck', version: '1' },
      configuration: { Variable: 'a', Value: 'b', Operator: 'EQ' },
    };
    const conditions = { Gate: { beforeEntry: { conditions: [{ result: 'FAIL', rules: [rule] }] } } };
    let state = started({ stages, conditions });
    state = after(state, { kind: 'action-succeeded', execution: one, action: actionId(state, 'App') });
    expect(execution(state).stages[1]?.conditions?.beforeEntry?.rules).toMatchObject([
      { rule: 'Check', status: 'InProgress', deadline: '2026-01-05T11:00:00.000Z' },
    ]);
  });
});

describe('ids and changes', () => {
  it('the same input with the same seed makes the same ids, all of them version 5', () => {
    const ids = [started({ stages }), started({ stages })].map((state) => actionId(state, 'App'));
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('executions that a transition does not touch stay the same objects', () => {
    const before = started({ stages });
    const input = { ...startOf({ stages }), execution: 'e2' as ExecutionId };
    const after2 = after(before, input);
    expect(after2.executions['e1']).toBe(before.executions['e1']);
    expect(changes(before, after2).every((change) => 'execution' in change && change.execution === 'e2')).toBe(true);
  });

  it('a change inside an execution is reported although no status moved', () => {
    const before = started({ stages });
    const running = {
      kind: 'action-running',
      execution: one,
      action: actionId(before, 'App'),
      summary: 'half',
    } as const;
    expect(changes(before, after(before, running))).toEqual([
      { kind: 'execution', execution: one, from: 'InProgress', to: 'InProgress' },
    ]);
  });
});

describe('CP-J-1, CP-J-16: custom actions', () => {
  it('are taken as they are and have a day', () => {
    const actionTypeId = { category: 'Build', owner: 'Custom', provider: 'Mill', version: '7' };
    const actions = { 'Build/Unit': { actionTypeId, configuration: { Any: 'key' }, commands: [] } };
    const { definition } = pipeline({ stages: { Source: ['App'], Build: ['Unit'] }, actions });
    const action = definition.stages[1]?.actions[0];
    if (!action) throw new Error('the action is declared');
    expect(timeoutMinutes(action)).toBe(24 * 60);
  });
});

function laneOf(): LaneKey {
  return '1/web/main' as LaneKey;
}

function startOf(spec: PipelineSpec, built = pipeline(spec)): Extract<Input, { kind: 'start' }> {
  return {
    kind: 'start',
    execution: one,
    ...built,
    trigger: { type: 'WebhookV2', detail: 'push' },
    sourceRevisions: [{ actionName: 'App', revisionId: 'asked' }],
    variables: [],
  };
}

function started(spec: PipelineSpec): PipelineState {
  return after(emptyState(laneOf(), 'web'), startOf(spec));
}

function after(state: PipelineState, input: Input): PipelineState {
  const result = transition(state, input, given);
  if (result.outcome !== 'moved') throw new Error(JSON.stringify(result));
  return result.state;
}

function execution(state: PipelineState): Execution {
  const found = state.executions['e1'];
  if (!found) throw new Error('e1 was started');
  return found;
}

function status(state: PipelineState): string {
  const definition = Object.values(state.definitions)[0];
  if (!definition) throw new Error('the definition was given');
  return executionStatus(execution(state), definition);
}

function actionId(state: PipelineState, name: string) {
  const found = execution(state)
    .stages.flatMap((run) => run.actions)
    .find((action) => action.action === name);
  if (!found) throw new Error(`${name} has not begun`);
  return found.id;
}
