import { describe, expect, it } from 'vitest';
import type { ActionExecutionId, ExecutionId } from '../../src/pipeline/execution.ts';
import type { TestReport } from '../../src/pipeline/test-report.ts';
import { renderExecution } from '../../src/render/check-run.ts';
import type { ExecutionView, GateStory } from '../../src/render/view.ts';
import {
  action,
  alice,
  at,
  bob,
  declare,
  definition,
  execution,
  failedUnit,
  find,
  gateRun,
  ran,
  source,
  tested,
  view,
  freshVerdict,
  waitingVerdict,
} from './views.ts';

const newer = '9f8e7d6c5b4a39281706f5e4d3c2b1a098765432';
const story: GateStory = { verdict: waitingVerdict, shaNeeded: false, reasonNeeded: false };
const fresh: GateStory = { ...story, verdict: freshVerdict };
const released = ran('Release', [action('Approve', { answeredBy: bob, summary: 'fine', endedAt: at(70) })]);
const deployed = ran('Deploy', [action('Site', { endedAt: at(90) })], { startedAt: at(71), endedAt: at(90) });
const failedTest = ran('Test', [failedUnit, action('Lint')], { endedAt: at(134) });
const rejected = ran('Release', [
  action('Approve', {
    status: 'Failed',
    answeredBy: bob,
    summary: 'the migration locks the table',
    error: { code: 'JobFailed', message: 'the migration locks the table' },
  }),
]);
const unanswered = ran('Release', [
  action('Approve', {
    status: 'Failed',
    error: { code: 'JobFailed', message: 'The action timed out after 10080 minutes.' },
  }),
]);
const expired = ran('Release', [
  action('Approve', {
    status: 'Failed',
    answeredBy: { kind: 'penstock', why: 'the gate expired' },
    summary: 'Nobody answered in time (expireAfter).',
    error: { code: 'JobFailed', message: 'Nobody answered in time (expireAfter).' },
  }),
]);
const waits = execution([source, tested, ran('Release', [gateRun])]);
const runs = execution([source, ran('Test', [action('Unit', { status: 'InProgress' }), action('Lint')])]);
const abandoned = ran('Test', [action('Unit', { status: 'Abandoned' }), action('Lint')], { stopped: true });

interface Shown {
  readonly name: string;
  readonly view: ExecutionView;
  /** Of the aggregate, then of the last stage that has a check. */
  readonly shows: readonly [string, string];
}

const shown: readonly Shown[] = [
  { name: 'just created', view: view(execution([])), shows: ['queued: Queued', ''] },
  {
    name: 'waiting at the entrance of the first stage',
    view: view(execution([], { waitingAt: 'Source' })),
    shows: ['queued: Waiting to enter Source', 'queued: Waiting to enter Source'],
  },
  {
    name: 'waiting for its turn at an exclusive stage',
    view: view(
      execution([source, tested, released], {
        waitingAt: 'Deploy',
        lock: { stage: 'Deploy', state: 'requested', place: 2 },
      }),
    ),
    shows: [
      'queued: Waiting to enter Deploy: place 2 in the queue',
      'queued: Waiting to enter Deploy: place 2 in the queue',
    ],
  },
  {
    name: 'waiting for its turn behind another pull request',
    view: view(
      execution([source, tested, released], {
        waitingAt: 'Deploy',
        lock: { stage: 'Deploy', state: 'requested', place: 1 },
      }),
      { queue: { stage: 'Deploy', place: 1, behind: { pullRequest: 7, headSha: 'c'.repeat(40) } } },
    ),
    shows: [
      'queued: Waiting to enter Deploy: place 1 in the queue behind #7',
      'queued: Waiting to enter Deploy: place 1 in the queue behind #7',
    ],
  },
  {
    name: 'waiting behind an earlier execution of its lane',
    view: view(execution([source, tested, released], { waitingAt: 'Deploy' }), {
      queue: { stage: 'Deploy', behind: { headSha: 'c'.repeat(40) } },
    }),
    shows: ['queued: Waiting to enter Deploy behind ccccccc', 'queued: Waiting to enter Deploy behind ccccccc'],
  },
  {
    name: 'waiting at a held stage',
    view: view(execution([source], { waitingAt: 'Test' }), { holds: { Test: { reason: 'incident', by: bob } } }),
    shows: ['queued: Waiting to enter Test: held by bob', 'queued: Waiting to enter Test: held by bob'],
  },
  { name: 'running', view: view(runs), shows: ['in_progress: Running Test: Unit', 'in_progress: Running: Unit'] },
  {
    name: 'running a second time',
    view: view(
      execution([source, { ...ran('Test', [action('Unit', { status: 'InProgress', attempt: 2 })]), attempt: 2 }]),
    ),
    shows: ['in_progress: Running Test (attempt 2): Unit', 'in_progress: Running (attempt 2): Unit'],
  },
  {
    name: 'failing while another action still runs',
    view: view(execution([source, ran('Test', [failedUnit, action('Lint', { status: 'InProgress' })])])),
    shows: ['in_progress: Failing, still running Test: Lint', 'in_progress: Failing, still running: Lint'],
  },
  {
    name: 'waiting for one approval',
    view: view(waits, { gates: { 'Release/Approve': fresh } }),
    shows: [
      'action_required: Waiting for approval: comment /approve Release [approve reject]',
      'action_required: Waiting for approval: comment /approve Release [approve reject]',
    ],
  },
  {
    name: 'waiting for a gate without a story',
    view: view(waits),
    shows: [
      'action_required: Waiting for approval: comment /approve Release [approve reject]',
      'action_required: Waiting for approval: comment /approve Release [approve reject]',
    ],
  },
  {
    name: 'waiting for the second of two approvals, with bare verbs off',
    view: view(waits, { gates: { 'Release/Approve': story }, bareCommands: false }),
    shows: [
      'action_required: 1 of 2 approvals: comment /penstock approve Release [approve reject]',
      'action_required: 1 of 2 approvals: comment /penstock approve Release [approve reject]',
    ],
  },
  {
    name: 'waiting where the commit has to be written',
    view: view(waits, { gates: { 'Release/Approve': { ...fresh, shaNeeded: true } } }),
    shows: [
      'action_required: Waiting for approval of Release: see what to comment [approve reject]',
      'action_required: Waiting for approval of Release: see what to comment [approve reject]',
    ],
  },
  {
    name: 'waiting without a pull request',
    view: withoutPullRequest(view(waits)),
    shows: [
      'action_required: Waiting for approval: press Approve on this check [approve reject]',
      'action_required: Waiting for approval: press Approve on this check [approve reject]',
    ],
  },
  {
    name: 'waiting for two gates at once',
    view: view(
      execution([
        source,
        tested,
        ran('Release', [gateRun, { ...gateRun, action: 'Legal', id: 'L' as typeof gateRun.id, token: 'L' }]),
      ]),
    ),
    shows: [
      'action_required: 2 approvals are awaited: see what to comment',
      'action_required: 2 approvals are awaited: see what to comment',
    ],
  },
  {
    name: 'succeeded',
    view: view(execution([source, tested, released, deployed])),
    shows: ['success: Succeeded in 1m 30s', 'success: Succeeded in 19s'],
  },
  {
    name: 'succeeded on the second attempt of a stage that can be rolled back',
    view: view(execution([source, tested, released, { ...deployed, attempt: 2 }]), {
      rollbackTo: { Deploy: { execution: 'x', sha: newer } },
    }),
    shows: ['success: Succeeded in 1m 30s', 'success: Succeeded on attempt 2 in 19s [rollback]'],
  },
  {
    name: 'failed',
    view: view(execution([source, failedTest])),
    shows: [
      'failure: Failed in Test (2m 10s): /retry [retry retry-all]',
      'failure: Failed after 2m 10s: /retry [retry retry-all]',
    ],
  },
  {
    name: 'failed in a deploy that can be rolled back',
    view: view(
      execution([
        source,
        tested,
        released,
        ran('Deploy', [action('Site', { status: 'Failed' })], { startedAt: at(11) }),
      ]),
      { rollbackTo: { Deploy: { execution: 'x', sha: newer } } },
    ),
    shows: [
      'failure: Failed in Deploy (1s): /retry [retry retry-all rollback]',
      'failure: Failed after 1s: /retry [retry retry-all rollback]',
    ],
  },
  {
    name: 'rejected',
    view: view(execution([source, tested, rejected])),
    shows: ['failure: Rejected by bob in Release [retry retry-all]', 'failure: Rejected by bob [retry retry-all]'],
  },
  {
    name: 'a gate that nobody answered (SEC-A-18)',
    view: view(execution([source, tested, unanswered])),
    shows: [
      'timed_out: Nobody approved Release in time: /retry [retry retry-all]',
      'timed_out: Nobody approved in time: /retry [retry retry-all]',
    ],
  },
  {
    name: 'a gate whose `expireAfter` ran out (SEC-A-18)',
    view: view(execution([source, tested, expired])),
    shows: [
      'timed_out: Nobody approved Release in time: /retry [retry retry-all]',
      'timed_out: Nobody approved in time: /retry [retry retry-all]',
    ],
  },
  {
    name: 'failed before anything ran',
    view: view(execution([], { ending: { as: 'Failed', at: at(1), summary: 'Variable LEVEL has no value.' } })),
    shows: ['failure: Failed: Variable LEVEL has no value.', ''],
  },
  {
    name: 'superseded by a newer commit while a stage ran',
    view: view(execution([source, abandoned], { ending: { as: 'Superseded', at: at(60), by: { sha: newer } } })),
    shows: ['cancelled: Superseded by 9f8e7d6', 'cancelled: Superseded by 9f8e7d6'],
  },
  {
    name: 'superseded at the entrance of a stage, whose check must not hang',
    view: view(
      execution([source, tested], {
        ending: { as: 'Superseded', at: at(60), by: { execution: 'newer' as ExecutionId } },
      }),
      { supersededBySha: newer },
    ),
    shows: ['cancelled: Superseded by 9f8e7d6', 'cancelled: Superseded by 9f8e7d6'],
  },
  {
    name: 'stopping',
    view: view({ ...runs, stop: { abandon: false, at: at(20), by: bob } }),
    shows: ['in_progress: Stopping Test after Unit', 'in_progress: Stopping after Unit'],
  },
  {
    name: 'stopped by a person',
    view: view(
      execution([source, abandoned], { stop: { abandon: true, at: at(20), by: bob, reason: 'wrong branch' } }),
    ),
    shows: [
      'cancelled: Stopped by bob: wrong branch [retry-all]',
      'cancelled: Stopped by bob: wrong branch [retry-all]',
    ],
  },
  {
    name: 'ended by the closing of its pull request',
    view: view(
      execution([source, abandoned], { ending: { as: 'Stopped', at: at(20), why: 'The pull request was closed.' } }),
    ),
    shows: ['cancelled: Stopped: The pull request was closed', 'cancelled: Stopped: The pull request was closed'],
  },
  {
    name: 'cancelled by an update',
    view: view(execution([source], { ending: { as: 'Cancelled', at: at(20), why: 'The pipeline was updated.' } })),
    shows: ['cancelled: Cancelled: The pipeline was updated.', 'cancelled: Cancelled: The pipeline was updated.'],
  },
  {
    name: 'a rollback, which has one stage',
    view: view(execution([deployed], { type: 'ROLLBACK', startedAt: at(71) })),
    shows: ['success: Rolled back in 19s', 'success: Rolled back in 19s'],
  },
];

function withoutPullRequest({ pullRequest: _none, ...rest }: ExecutionView): ExecutionView {
  return rest;
}

describe('the merge box shows the state and the next action', () => {
  it.each(shown)('$name', ({ view: drawn, shows }) => {
    const checks = renderExecution(drawn);
    const words = checks.map(({ status, conclusion, title, buttons }) => {
      const names = buttons.map((button) => button.identifier).join(' ');
      return `${conclusion ?? status}: ${title}${names === '' ? '' : ` [${names}]`}`;
    });
    expect([words[0], words.length > 1 ? words.at(-1) : '']).toEqual(shows);
    for (const check of checks) expect(check.title.length).toBeLessThanOrEqual(60);
  });

  it('one check for the pipeline, and one for each stage that was entered, whose names never change', () => {
    const names = (drawn: ExecutionView) => renderExecution(drawn).map((check) => check.name);
    expect(names(view(runs))).toEqual(['web', 'web / Source', 'web / Test']);
    expect(names(view(execution([source, failedTest])))).toEqual(['web', 'web / Source', 'web / Test']);
    expect(names(view(execution([])))).toEqual(['web']);
  });

  it('a skipped stage is skipped, and what was never reached has no check', () => {
    const skipped = ran('Test', [], { skipped: true });
    const checks = renderExecution(view(execution([source, skipped])));
    expect(find(checks, 'Test')).toMatchObject({ status: 'completed', conclusion: 'skipped' });
    expect(checks.some((check) => check.stage === 'Release')).toBe(false);
  });

  it('long names do not push the state out of the title', () => {
    const long = 'A'.repeat(100);
    const stages = [{ ...definition.stages[0], name: long, blockers: [], actions: [declare('Approve', 'Approval')] }];
    const run = execution([ran(long, [gateRun])]);
    const [check] = renderExecution(view(run, { definition: { ...definition, stages } }));
    expect(check?.title).toBe('Waiting for approval: see inside');
  });
});

describe('drawing again', () => {
  it('differs only when what is shown does', () => {
    const first = renderExecution(view(runs));
    expect(renderExecution(view({ ...runs, updatedAt: at(999), startedBy: alice }))).toEqual(first);
    expect(renderExecution(view(structuredClone(runs)))).toEqual(first);
  });

  it('says when things began and ended', () => {
    const checks = renderExecution(view(waits));
    expect(find(checks, '')).toMatchObject({ startedAt: at(0), completedAt: at(13) });
    expect(find(checks, 'Source')).toMatchObject({ startedAt: at(1), completedAt: at(3) });
    expect(find(renderExecution(view(runs)), 'Test')).not.toHaveProperty('completedAt');
  });
});

describe('the summary reads well', () => {
  const log = {
    'Unit-1': { lines: ['> node --test', 'not ok 1 - adds two numbers', '```', '/approve', '# fail 1'], cut: 120 },
  };
  const earlier = {
    id: 'Unit-0',
    stage: 'Test',
    action: 'Unit',
    attempt: 1,
    status: 'Failed',
    startedAt: at(5),
    endedAt: at(9),
    error: { code: 'ActionLost', message: 'The process | that ran it @all is gone.' },
  } as const;
  const inForce = `bubblewrap: ${'own processes, files and IPC; '.repeat(15)}network by proxy`;
  const samples: readonly (readonly [string, ExecutionView, string])[] = [
    [
      'waiting-aggregate',
      view(waits, { gates: { 'Release/Approve': story }, isolation: inForce, ruleChanges: ['.github/penstock.yml'] }),
      '',
    ],
    [
      'waiting-fork',
      view(waits, { gates: { 'Release/Approve': { ...fresh, shaNeeded: true } }, fork: true }),
      'Release',
    ],
    [
      'waiting-without-pull-request',
      withoutPullRequest(view(waits, { gates: { 'Release/Approve': fresh } })),
      'Release',
    ],
    ['failed-aggregate', view(execution([source, failedTest]), { logTails: log, earlierAttempts: [earlier] }), ''],
    ['failed-stage', view(execution([source, failedTest]), { logTails: log, earlierAttempts: [earlier] }), 'Test'],
    ['rejected-stage', view(execution([source, tested, rejected])), 'Release'],
    ['released-stage', view(execution([source, tested, released])), 'Release'],
    [
      'held-stage',
      view(execution([source], { waitingAt: 'Test' }), { holds: { Test: { reason: 'incident #12', by: bob } } }),
      'Test',
    ],
    [
      'stopped-aggregate',
      view(execution([source, abandoned], { stop: { abandon: true, at: at(20), by: bob, reason: 'x' } })),
      '',
    ],
    [
      'superseded-aggregate',
      view(execution([source, abandoned], { ending: { as: 'Superseded', at: at(60), by: { sha: newer } } })),
      '',
    ],
  ];

  const unit: TestReport = {
    group: 'unit',
    format: 'JUNITXML',
    total: 216,
    passed: 212,
    failed: 3,
    skipped: 1,
    failures: [
      { name: 'sum.adds <b>two</b>', message: 'expected 4 | got `3`', path: 'src/sum.js', line: 2 },
      { name: 'sum.subtracts', message: 'expected -1' },
      { name: '@acme/all', message: 'timed out' },
    ],
    flaky: [{ name: 'net.connects', attempt: 2 }],
    problems: [],
  };
  const green: TestReport = { ...unit, passed: 215, failed: 0, failures: [], flaky: [] };
  const coverage: TestReport = { ...green, group: 'lines', total: 0, passed: 0, skipped: 0, coverage: 87.53 };
  const again = execution([
    source,
    ran('Test', [action('Unit', { attempt: 2, id: 'Unit-2' as ActionExecutionId }), action('Lint')], { attempt: 2 }),
  ]);
  const retried = execution([
    source,
    ran('Test', [action('Unit', { summary: 'BUILD passed on attempt 2' }), action('Lint')]),
  ]);
  const reported: readonly (readonly [string, ExecutionView, string])[] = [
    ['tests-failed-stage', view(execution([source, failedTest]), { reports: { 'Unit-1': [unit, coverage] } }), 'Test'],
    ['tests-failed-aggregate', view(execution([source, failedTest]), { reports: { 'Unit-1': [unit] } }), ''],
    [
      'tests-passed-on-attempt-2',
      view(again, { reports: { 'Unit-0': [unit], 'Unit-2': [green] }, earlierAttempts: [earlier] }),
      'Test',
    ],
    ['phase-passed-on-attempt-2', view(retried, { reports: { 'Unit-1': [green] } }), ''],
  ];

  it.each(reported)('%s, with its title', async (name, drawn, stage) => {
    const check = find(renderExecution(drawn), stage);
    await expect(`${check.title}\n\n${check.summary}\n`).toMatchFileSnapshot(`samples/${name}.txt`);
  });

  it.each(samples)('%s', async (name, drawn, stage) => {
    const check = find(renderExecution(drawn), stage);
    const text = check.text === undefined ? '' : `\n\n<!-- text -->\n\n${check.text}`;
    await expect(`${check.summary}${text}\n`).toMatchFileSnapshot(`samples/${name}.txt`);
  });
});
