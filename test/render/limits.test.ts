import * as fc from 'fast-check';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { describe, expect, it } from 'vitest';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import type { ActionExecutionId, ActionRun, Actor, Ending, Execution, StageRun } from '../../src/pipeline/execution.ts';
import type { TestReport } from '../../src/pipeline/test-report.ts';
import { executionStatus, isBusy, isTerminal } from '../../src/pipeline/status.ts';
import { renderExecution } from '../../src/render/check-run.ts';
import type { ExecutionView } from '../../src/render/view.ts';
import {
  action,
  at,
  declare,
  definition,
  execution,
  failedUnit,
  find,
  ran,
  source,
  view,
  waitingVerdict,
} from './views.ts';

const name = fc.oneof(
  fc.constantFrom('Build', 'Test', 'Release', '__proto__', 'constructor'),
  fc.string({ unit: fc.constantFrom('a', 'Z', '9', '.', '@', '-', '_'), minLength: 1, maxLength: 100 }),
);
const words = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom('@acme/all', '`'.repeat(90), '|', '\n'.repeat(50), '<img src=x>', 'x'.repeat(3000), '😀'.repeat(900)),
);
const actor: fc.Arbitrary<Actor> = fc.oneof(
  fc.record({ kind: fc.constant('person' as const), id: fc.nat(), login: words }),
  fc.record({ kind: fc.constant('api' as const), arn: words }),
  fc.record({ kind: fc.constant('penstock' as const), why: words }),
);
const time = fc.nat({ max: 100_000 }).map(at);

const actionRun = (run: string): fc.Arbitrary<ActionRun> =>
  fc
    .record({
      status: fc.constantFrom('InProgress' as const, 'Succeeded' as const, 'Failed' as const, 'Abandoned' as const),
      waits: fc.boolean(),
      attempt: fc.integer({ min: 1, max: 9 }),
      startedAt: time,
      endedAt: fc.option(time, { nil: undefined }),
      error: fc.option(fc.record({ code: words, message: words }), { nil: undefined }),
      summary: fc.option(words, { nil: undefined }),
      answeredBy: fc.option(actor, { nil: undefined }),
    })
    .map(({ waits, endedAt, error, summary, answeredBy, ...rest }) => ({
      action: run,
      id: `${run}-id` as ActionExecutionId,
      phase: waits ? ('waiting' as const) : ('running' as const),
      ...(waits ? { token: 't' } : {}),
      ...rest,
      ...(endedAt === undefined ? {} : { endedAt }),
      ...(error === undefined ? {} : { error }),
      ...(summary === undefined ? {} : { summary }),
      ...(answeredBy === undefined ? {} : { answeredBy }),
    }));

const testReport: fc.Arbitrary<TestReport> = fc.record({
  group: words,
  format: fc.constant('JUNITXML'),
  total: fc.nat(),
  passed: fc.nat(),
  failed: fc.nat(),
  skipped: fc.nat(),
  failures: fc.array(fc.record({ name: words, message: words, path: words, line: fc.nat() }), { maxLength: 5 }),
  flaky: fc.array(fc.record({ name: words, attempt: fc.nat() }), { maxLength: 5 }),
  problems: fc.array(words, { maxLength: 5 }),
});

const ending: fc.Arbitrary<Ending | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.record({ as: fc.constant('Superseded' as const), at: time, by: fc.constantFrom({}, { sha: 'a'.repeat(40) }) }),
  fc.record({ as: fc.constant('Stopped' as const), at: time, why: words }),
  fc.record({ as: fc.constant('Cancelled' as const), at: time, why: words }),
  fc.record({ as: fc.constant('Failed' as const), at: time, summary: words }),
);

/** A definition with a few stages, and an execution that has reached some of them, in any state at all. */
const anyView: fc.Arbitrary<ExecutionView> = fc.uniqueArray(name, { minLength: 1, maxLength: 5 }).chain((names) => {
  const shape: PipelineDefinition = {
    ...definition,
    stages: names.map((stage, index) => ({
      name: stage,
      blockers: [],
      actions: [declare('A', index === 1 ? 'Approval' : 'Build', { CustomData: '@all' }), declare('B', 'Build')],
    })),
  };
  const reached = fc
    .integer({ min: 0, max: names.length })
    .chain((length) => fc.tuple(...names.slice(0, length).map(stageRun)));
  return fc
    .record({
      stages: reached,
      ending,
      waiting: fc.boolean(),
      stop: fc.option(fc.record({ abandon: fc.boolean(), at: time, by: actor, reason: words }), { nil: undefined }),
      pullRequest: fc.boolean(),
      bareCommands: fc.boolean(),
      log: fc.array(words, { maxLength: 40 }),
      reports: fc.array(testReport, { maxLength: 2 }),
      pipeline: name,
      cause: words,
      startedBy: actor,
    })
    .map((drawn) => viewOf(shape, drawn));
});

function stageRun(stage: string): fc.Arbitrary<StageRun> {
  return fc
    .record({
      attempt: fc.integer({ min: 1, max: 9 }),
      startedAt: time,
      endedAt: fc.option(time, { nil: undefined }),
      kind: fc.constantFrom('ran', 'ran', 'ran', 'skipped', 'stopped', 'cancelled'),
      actions: fc.oneof(fc.constant([]), fc.tuple(actionRun('A')), fc.tuple(actionRun('A'), actionRun('B'))),
    })
    .map(({ kind, endedAt, ...rest }) => ({
      stage,
      ...rest,
      ...(endedAt === undefined ? {} : { endedAt }),
      ...(kind === 'ran' ? {} : { [kind]: true }),
    }));
}

interface Drawn {
  readonly stages: readonly StageRun[];
  readonly ending: Ending | undefined;
  readonly waiting: boolean;
  readonly stop: Execution['stop'];
  readonly pullRequest: boolean;
  readonly bareCommands: boolean;
  readonly log: readonly string[];
  readonly reports: readonly TestReport[];
  readonly pipeline: string;
  readonly cause: string;
  readonly startedBy: Actor;
}

function viewOf(shape: PipelineDefinition, drawn: Drawn): ExecutionView {
  const next = shape.stages[drawn.stages.length]?.name;
  const run = execution(drawn.stages, {
    ...(drawn.ending ? { ending: drawn.ending } : {}),
    ...(drawn.stop ? { stop: drawn.stop } : {}),
    ...(drawn.waiting && next !== undefined ? { waitingAt: next } : {}),
  });
  const { pullRequest: _always, ...base } = view(run, { definition: shape });
  return {
    ...base,
    ...(drawn.pullRequest ? { pullRequest: 7 } : {}),
    pipeline: drawn.pipeline,
    cause: drawn.cause,
    startedBy: drawn.startedBy,
    bareCommands: drawn.bareCommands,
    logTails: { 'A-id': { lines: drawn.log, cut: 3 } },
    reports: { 'A-id': drawn.reports },
    gates: Object.fromEntries(
      shape.stages.map(({ name: stage }) => [
        `${stage}/A`,
        { verdict: waitingVerdict, shaNeeded: drawn.waiting, reasonNeeded: false },
      ]),
    ),
    rollbackTo: Object.fromEntries(
      shape.stages.map(({ name: stage }) => [stage, { execution: 'x', sha: 'b'.repeat(40) }]),
    ),
  };
}

describe('whatever state an execution is in', () => {
  it('its check runs keep to what GitHub takes', () => {
    fc.assert(
      fc.property(anyView, (drawn) => {
        const checks = renderExecution(drawn);
        expect(new Set(checks.map((check) => check.name)).size).toBe(checks.length);
        for (const check of checks) {
          expect(check.title.length).toBeGreaterThan(0);
          expect(check.title.length).toBeLessThanOrEqual(60);
          expect(check.summary.length).toBeLessThanOrEqual(65_535);
          expect(check.text?.length ?? 0).toBeLessThanOrEqual(65_535);
          expect(check.summary.isWellFormed() && check.title.isWellFormed()).toBe(true);
          expect(check.status === 'completed').toBe(check.conclusion !== undefined);
          expect(check.buttons.length).toBeLessThanOrEqual(3);
          if (check.status !== 'completed') expect(check.buttons).toEqual([]);
          for (const { label, identifier, description } of check.buttons) {
            expect(Math.max(label.length, identifier.length)).toBeLessThanOrEqual(20);
            expect(description.length).toBeLessThanOrEqual(40);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('once it has ended, every check run of it has concluded', () => {
    fc.assert(
      fc.property(anyView, (drawn) => {
        const { execution: run, definition: shape } = drawn;
        fc.pre(isTerminal(executionStatus(run, shape)) && !isBusy(run));
        // What no engine makes: an earlier stage still open behind a later one.
        fc.pre(run.stages.every((stage) => stage.endedAt !== undefined || run.ending !== undefined));
        fc.pre(run.stages.every((stage) => stage.actions.every((one) => one.status !== 'InProgress')));
        fc.pre(run.waitingAt === undefined);
        expect(renderExecution(drawn).filter((check) => check.status !== 'completed')).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('nothing that others wrote becomes markup, a picture or a link in the summary (SEC-D-10)', () => {
    fc.assert(
      fc.property(anyView, (drawn) => {
        for (const check of renderExecution(drawn)) {
          const shown = JSON.stringify(fromMarkdown(check.summary));
          expect(shown).not.toContain('"type":"image"');
          expect(shown.replaceAll(/"value":"<\/?sub>"/g, '')).not.toMatch(/"type":"html","value"/);
          expect(
            shown.match(/"type":"link",[^{]*"url":"([^"]*)"/g)?.every((link) => link.includes(drawn.detailsUrl)) ??
              true,
          ).toBe(true);
        }
      }),
      { numRuns: 80 },
    );
  });
});

describe('logs that are too long (SEC-D-07)', () => {
  const failed = (lines: readonly string[], cut = 0) => {
    const run = execution([source, ran('Test', [failedUnit, action('Lint')])]);
    return find(renderExecution(view(run, { logTails: { 'Unit-1': { lines, cut } } })), 'Test').text ?? '';
  };

  it('lose their beginning, keep their end, say how much, and close their fence', () => {
    const text = failed(
      Array.from({ length: 20_000 }, (_, index) => `line ${index} 😀`),
      7,
    );
    expect(text.length).toBeLessThanOrEqual(65_535);
    expect(text).toContain('line 19999 😀');
    expect(text).not.toContain('line 0 😀');
    const kept = text.split('\n').filter((line) => line.startsWith('line ')).length;
    expect(text).toContain(`${20_000 - kept + 7} lines before these are cut`);
    expect(fromMarkdown(text).children.map((node) => node.type)).toEqual(['heading', 'paragraph', 'code']);
  });

  it('are cut inside a line of a megabyte, at a whole character', () => {
    const text = failed(['😀'.repeat(500_000), 'last']);
    expect(text).toContain('… (cut)\nlast');
    expect(text.isWellFormed()).toBe(true);
  });

  it('say where the time of the build went and in which phase it failed (CP 9.4)', () => {
    const phase = (name: string, seconds: number, change: object = {}) => {
      return { phase: name, status: 'SUCCEEDED', startedAt: at(0), endedAt: at(seconds), attempts: 1, ...change };
    };
    const phases = {
      'Unit-1': [
        phase('INSTALL', 0),
        phase('PRE_BUILD', 12),
        phase('BUILD', 185, { status: 'FAILED' }),
        phase('POST_BUILD', 0, { attempts: 2 }),
      ],
    };
    const run = execution([source, ran('Test', [failedUnit, action('Lint')])]);
    const logTails = { 'Unit-1': { lines: ['not ok'], cut: 0 } };
    const text = find(renderExecution(view(run, { logTails, phases })), 'Test').text ?? '';
    expect(text).toContain('Phases: `PRE_BUILD 12s · BUILD 3m 5s, failed · POST_BUILD 0s, 2 attempts`');
  });

  it('of several failed actions show the newest first', () => {
    const late = action('Lint', { status: 'Failed', endedAt: at(500) });
    const run = execution([source, ran('Test', [failedUnit, late])]);
    const logTails = { 'Unit-1': { lines: ['early'], cut: 0 }, 'Lint-1': { lines: ['late'], cut: 0 } };
    const text = find(renderExecution(view(run, { logTails })), 'Test').text ?? '';
    expect(text.indexOf('late')).toBeLessThan(text.indexOf('early'));
  });
});
