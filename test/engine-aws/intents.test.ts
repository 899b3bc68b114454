import { expect, test } from 'vitest';
import {
  attributed,
  intentOf,
  openIntent,
  otherIntents,
  stopIntent,
  tookEffect,
  type Intent,
  type OnceCommand,
} from '../../src/engine/aws/intents.ts';
import { readDeclaration } from '../../src/engine/aws/read-declaration.ts';
import {
  laneKey,
  type ActionExecutionId,
  type ActionRun,
  type Actor,
  type ConditionRun,
  type Execution,
  type ExecutionId,
  type StageRun,
} from '../../src/pipeline/execution.ts';
import { shop } from './bench.ts';

const definition = readDeclaration(shop);
const lane = laneKey(42, 'shop', 12);
const id = 'our-id' as ExecutionId;
const ann: Actor = { kind: 'person', id: 2, login: 'ann' };
const bob: Actor = { kind: 'person', id: 3, login: 'bob' };
const nobody: Actor = { kind: 'penstock', why: 'CodePipeline says so' };
const roleArn = 'arn:aws:sts::111122223333:assumed-role/penstock/repo-1';
const role: Actor = { kind: 'api', arn: roleArn };
const anna: Actor = { kind: 'api', arn: 'arn:aws:iam::111122223333:user/anna' };

/** The clock of the stories: the command is given at 10:30. */
const before = '2026-05-01T10:10:00.000Z';
const asked = '2026-05-01T10:30:00.000Z';
const after = '2026-05-01T10:30:05.000Z';

function run(name: string, status: ActionRun['status'], more: Partial<ActionRun> = {}): ActionRun {
  const phase = status === 'InProgress' ? ('running' as const) : ('ended' as const);
  const ended = status === 'InProgress' ? {} : { endedAt: before };
  const base = { action: name, id: `${name}-1` as ActionExecutionId, attempt: 1, status, phase, startedAt: before };
  return { ...base, ...ended, ...more };
}

function again(name: string, status: ActionRun['status'], startedAt = after): ActionRun {
  return run(name, status, { id: `${name}-2` as ActionExecutionId, attempt: 2, startedAt });
}

function stage(name: string, actions: readonly ActionRun[], more: Partial<StageRun> = {}): StageRun {
  return { stage: name, attempt: 1, startedAt: before, actions, ...more };
}

function execution(stages: readonly StageRun[], more: Partial<Execution> = {}): Execution {
  return {
    id,
    lane,
    pipeline: 'shop',
    order: 1,
    definition: 'digest',
    mode: 'SUPERSEDED',
    type: 'STANDARD',
    trigger: { type: 'StartPipelineExecution', detail: '' },
    sourceRevisions: [],
    variables: [],
    startedAt: before,
    startedBy: ann,
    updatedAt: before,
    stages,
    ...more,
  };
}

function unmet(overriddenBy?: Actor): ConditionRun {
  const rule = { rule: 'Freeze', id: 'rule-1' as ActionExecutionId, status: 'Failed' as const, startedAt: before };
  const overridden = overriddenBy && { at: after, by: overriddenBy };
  return { startedAt: before, rules: [rule], ...(overridden ? { overridden } : {}) };
}

const source = stage('Source', [run('App', 'Succeeded')], { endedAt: before });
const built = stage('Build', [run('Unit', 'Succeeded'), run('Lint', 'Succeeded')], { endedAt: before });
const broken = stage('Build', [run('Unit', 'Failed'), run('Lint', 'Succeeded')], { endedAt: before });
const gate = run('Approve', 'InProgress', { phase: 'waiting', token: 'Approve-1' });

const commands = {
  approve: {
    kind: 'approve',
    lane,
    execution: id,
    stage: 'Release',
    action: 'Approve',
    token: 'Approve-1',
    summary: '@ann',
  },
  reject: {
    kind: 'reject',
    lane,
    execution: id,
    stage: 'Release',
    action: 'Approve',
    token: 'Approve-1',
    summary: '@ann',
  },
  retry: { kind: 'retry', lane, execution: id, stage: 'Build', mode: 'FAILED_ACTIONS' },
  stop: { kind: 'stop', lane, execution: id, abandon: false, reason: 'wrong commit' },
  abandon: { kind: 'stop', lane, execution: id, abandon: true },
  rollback: { kind: 'rollback', lane, stage: 'Build', execution: 'next' as ExecutionId, target: id },
  enter: { kind: 'override', lane, execution: id, stage: 'Build', condition: 'BEFORE_ENTRY' },
  leave: { kind: 'override', lane, execution: id, stage: 'Build', condition: 'ON_SUCCESS' },
} as const satisfies Record<string, OnceCommand>;

type Name = keyof typeof commands;

function intent(name: Name, known: Execution, by: Actor = ann): Intent {
  return intentOf(known, commands[name], by, asked);
}

const waiting = execution([source, built, stage('Release', [gate])]);
const failed = execution([source, broken]);
const running = execution([source, stage('Build', [run('Unit', 'InProgress')])]);
const held = execution([source, stage('Build', [], { endedAt: before, conditions: { beforeEntry: unmet() } })]);
const kept = execution([source, { ...built, conditions: { onSuccess: unmet() } }]);

function answered(more: Partial<ActionRun>): Execution {
  const answer = { summary: '@ann', answeredBy: ann, endedAt: after, ...more };
  return execution([source, built, stage('Release', [run('Approve', more.status ?? 'Succeeded', answer)])]);
}

const stopped = { abandon: false, at: after, by: nobody } as const;
const abandoned = run('Unit', 'Abandoned', { endedAt: after });

function entered(more: Partial<StageRun>, actions: readonly ActionRun[] = []): Execution {
  return execution([source, stage('Build', actions, more)]);
}

function left(later: readonly StageRun[], by?: Actor, more: Partial<Execution> = {}): Execution {
  return execution([source, { ...built, conditions: { onSuccess: unmet(by) } }, ...later], more);
}

const parallel = { mode: 'PARALLEL' } as const;

test.each<[Name, string, Execution, Execution, boolean]>([
  ['approve', 'it was approved in these words', waiting, answered({}), true],
  ['approve', 'it waits still', waiting, waiting, false],
  ['approve', 'another person approved', waiting, answered({ answeredBy: bob }), false],
  ['approve', 'somebody in the console did, in the same words', waiting, answered({ answeredBy: anna }), false],
  ['approve', 'in other words', waiting, answered({ summary: '@ann, @bob' }), false],
  ['approve', 'it was rejected', waiting, answered({ status: 'Failed' }), false],
  [
    'approve',
    'a later attempt was approved',
    waiting,
    answered({ id: 'Approve-2' as ActionExecutionId, attempt: 2 }),
    false,
  ],
  [
    'approve',
    'a retry replaced the attempt that it approved',
    waiting,
    execution([
      source,
      built,
      stage('Release', [again('Approve', 'InProgress')], {
        earlier: [run('Approve', 'Succeeded', { summary: '@ann', answeredBy: ann })],
      }),
    ]),
    true,
  ],
  ['reject', 'it was rejected', waiting, answered({ status: 'Failed' }), true],
  ['reject', 'it was approved', waiting, answered({}), false],
  ['retry', 'a new attempt runs', failed, execution([source, stage('Build', [again('Unit', 'InProgress')])]), true],
  [
    'retry',
    'the new attempt has failed and a further one replaced it',
    failed,
    execution([
      source,
      stage('Build', [run('Unit', 'InProgress', { id: 'Unit-3' as ActionExecutionId, startedAt: after })], {
        earlier: [run('Unit', 'Failed'), again('Unit', 'Failed')],
      }),
    ]),
    true,
  ],
  ['retry', 'nothing new', failed, failed, false],
  [
    'retry',
    'an attempt from long before, which no read had shown yet',
    failed,
    execution([source, stage('Build', [again('Unit', 'Failed', before)])]),
    false,
  ],
  [
    'retry',
    'another stage began',
    failed,
    execution([source, broken, stage('Release', [again('Approve', 'InProgress')])]),
    false,
  ],
  ['stop', 'it is stopping', running, { ...running, stop: stopped }, true],
  ['stop', 'it has stopped', failed, { ...failed, stop: stopped }, true],
  ['stop', 'it runs on', running, running, false],
  ['stop', 'it failed by itself', running, failed, false],
  ['abandon', 'it is only stopping', running, { ...running, stop: stopped }, false],
  ['abandon', 'what ran was abandoned', running, execution([source, stage('Build', [abandoned])]), true],
  [
    'abandon',
    'something was abandoned long ago',
    running,
    execution([source, stage('Build', [{ ...abandoned, endedAt: before }, run('Lint', 'InProgress')])]),
    false,
  ],
  ['abandon', 'it has stopped', running, { ...failed, stop: stopped }, true],
  ['rollback', 'an execution of its own never shows in this one', failed, failed, false],
  ['enter', 'AWS shows the override', held, entered({ conditions: { beforeEntry: unmet(nobody) } }), true],
  ['enter', 'it is remembered as theirs', held, entered({ conditions: { beforeEntry: unmet(ann) } }), true],
  [
    'enter',
    'another person overrode it, and the stage runs',
    held,
    entered({ conditions: { beforeEntry: unmet(bob) } }, [run('Unit', 'InProgress', { startedAt: after })]),
    false,
  ],
  ['enter', 'it is held still', held, held, false],
  [
    'enter',
    'in PARALLEL mode its actions run',
    { ...held, ...parallel },
    {
      ...entered({ conditions: { beforeEntry: unmet() } }, [run('Unit', 'InProgress', { startedAt: after })]),
      ...parallel,
    },
    true,
  ],
  [
    'enter',
    'in PARALLEL mode its actions ran already',
    { ...running, ...parallel },
    { ...running, ...parallel },
    false,
  ],
  [
    'enter',
    'in PARALLEL mode only an old attempt is listed late',
    { ...held, ...parallel },
    { ...entered({ conditions: { beforeEntry: unmet() } }, [run('Unit', 'Failed')]), ...parallel },
    false,
  ],
  ['enter', 'there is no such stage', execution([source]), execution([source]), false],
  ['leave', 'AWS shows the override', kept, left([], nobody), true],
  [
    'leave',
    'the other condition of the stage is overridden',
    kept,
    entered({ conditions: { beforeEntry: unmet(nobody) } }),
    false,
  ],
  ['leave', 'another person overrode it, and the next stage runs', kept, left([stage('Release', [gate])], bob), false],
  ['leave', 'it is held still', kept, kept, false],
  [
    'leave',
    'in PARALLEL mode the next stage begins',
    { ...kept, ...parallel },
    left([stage('Release', [], { startedAt: after })], undefined, parallel),
    true,
  ],
  [
    'leave',
    'in PARALLEL mode the next stage had begun before',
    { ...waiting, ...parallel },
    { ...waiting, ...parallel },
    false,
  ],
  ['leave', 'there is no such stage', execution([source]), execution([source]), false],
])('%s, and now %s', (name, _now, then, now, expected) => {
  expect(tookEffect(intent(name, then), now, definition)).toBe(expected);
});

test('an override of the last stage’s success shows only in that the execution succeeded (PARALLEL)', () => {
  const command = { ...commands.leave, stage: 'Release' } as const;
  const approved = stage('Release', [run('Approve', 'Succeeded')], { endedAt: before });
  const then = execution([source, built, { ...approved, conditions: { onSuccess: unmet() } }], parallel);
  const one = intentOf(then, command, ann, asked);
  expect(tookEffect(one, then, definition)).toBe(false);
  expect(tookEffect(one, execution([source, built, approved], parallel), definition)).toBe(true);
});

const variants: Record<Name, readonly [string, object, boolean][]> = {
  approve: [
    ['other words', { summary: 'fine' }, true],
    ['another token', { token: 'other' }, false],
    ['the opposite', { kind: 'reject' }, false],
  ],
  reject: [['another token', { token: 'other' }, false]],
  retry: [
    ['another stage', { stage: 'Release' }, false],
    ['all actions', { mode: 'ALL_ACTIONS' }, false],
  ],
  stop: [
    ['another reason', { reason: 'too late' }, true],
    ['abandoning', { abandon: true }, false],
  ],
  abandon: [['waiting for what runs', { abandon: false }, false]],
  rollback: [
    ['another target', { target: 'other' }, true],
    ['from another execution', { execution: 'other' }, false],
  ],
  enter: [
    ['another stage', { stage: 'Release' }, false],
    ['the other condition', { condition: 'ON_SUCCESS' }, false],
  ],
  leave: [['the other condition', { condition: 'BEFORE_ENTRY' }, false]],
};

const pairs = (Object.keys(variants) as Name[]).flatMap((name) =>
  variants[name].map(([what, change, isSame]) => ({ name, what, change, isSame })),
);

test.each(pairs)('$name again, with $what: the same wish? $isSame', ({ name, change, isSame }) => {
  const one = intent(name, waiting);
  const other = { ...one, command: { ...one.command, ...change } as OnceCommand };
  expect(openIntent([one], other) === one).toBe(isSame);
  expect(otherIntents([one], other)).toEqual(isSame ? [] : [one]);
});

test.each(Object.keys(commands) as Name[])(
  '%s by somebody else is another wish, and an hour later a new one',
  (name) => {
    const one = intent(name, waiting);
    expect(openIntent([one], { ...one, by: bob })).toBeUndefined();
    expect(openIntent([one], { ...one, at: '2026-05-01T11:29:59.000Z' })).toBe(one);
    expect(openIntent([one], { ...one, at: '2026-05-01T11:30:00.000Z' })).toBeUndefined();
    expect(openIntent(undefined, one)).toBeUndefined();
    expect(otherIntents(undefined, one)).toEqual([]);
  },
);

function isOurs(arn: string): boolean {
  return arn === roleArn;
}

test.each<[string, Name, Execution, Actor]>([
  ['our role answered in these words: it was that person', 'approve', answered({ answeredBy: role }), ann],
  ['our role answered in other words', 'approve', answered({ answeredBy: role, summary: '@bob' }), role],
  ['somebody in the console answered', 'approve', answered({ answeredBy: anna }), anna],
  ['another person is known', 'approve', answered({ answeredBy: bob }), bob],
  ['our role approved while the rejection is open', 'reject', answered({ answeredBy: role }), role],
  ['our role rejected', 'reject', answered({ answeredBy: role, status: 'Failed' }), ann],
])('%s', (_what, name, now, who) => {
  const stages = attributed([intent(name, waiting)], now.stages, isOurs);
  expect(stages[2]?.actions[0]?.answeredBy).toEqual(who);
  // Without anything open it stays as AWS tells it.
  expect(attributed(undefined, now.stages, isOurs)).toBe(now.stages);
});

test.each<[string, Name, Partial<StageRun>, readonly (Actor | undefined)[]]>([
  ['who asked overrode it', 'enter', { conditions: { beforeEntry: unmet(nobody) } }, [ann, undefined]],
  ['another person did', 'enter', { conditions: { beforeEntry: unmet(bob) } }, [bob, undefined]],
  ['nobody did yet', 'enter', { conditions: { beforeEntry: unmet() } }, [undefined, undefined]],
  [
    'only the condition that was asked for',
    'leave',
    { conditions: { beforeEntry: unmet(nobody), onSuccess: unmet(nobody) } },
    [nobody, ann],
  ],
])('of an override whose answer was lost: %s', (_what, name, more, who) => {
  const other = stage('Release', [], { conditions: { beforeEntry: unmet(nobody), onSuccess: unmet(nobody) } });
  const [mine, theirs] = attributed([intent(name, held)], [stage('Build', [], more), other], isOurs);
  expect([mine?.conditions?.beforeEntry?.overridden?.by, mine?.conditions?.onSuccess?.overridden?.by]).toEqual(who);
  expect(theirs).toEqual(other);
});

test('the stop that AWS shows was asked for by whoever has a stop open, with its reason', () => {
  const open = [intent('retry', failed), intent('stop', running)];
  expect(stopIntent(open)).toEqual({ abandon: false, at: asked, by: ann, reason: 'wrong commit' });
  expect(stopIntent([intent('abandon', running, bob)])).toEqual({ abandon: true, at: asked, by: bob });
  expect(stopIntent([intent('retry', failed)])).toBeUndefined();
  expect(stopIntent(undefined)).toBeUndefined();
});

test('of an answer the attempt that waits is remembered, and of all what is on record', () => {
  expect(intent('approve', waiting)).toMatchObject({
    answers: 'Approve-1',
    known: ['App-1', 'Unit-1', 'Lint-1', 'Approve-1'],
  });
  const retried = execution([source, stage('Build', [again('Unit', 'Failed')], { earlier: [run('Unit', 'Failed')] })]);
  expect(intent('retry', retried)).not.toHaveProperty('answers');
  expect(intent('retry', retried).known).toEqual(['App-1', 'Unit-1', 'Unit-2']);
});
