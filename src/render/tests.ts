import type { ActionRun } from '../pipeline/execution.ts';
import { reportText, sumOfTests, type TestReport } from '../pipeline/test-report.ts';
import { code, cutEnd, prose } from './markdown.ts';
import type { StageView } from './stage-view.ts';
import { stagesOf } from './stage-view.ts';
import { fittingTitle } from './titles.ts';
import type { ExecutionView } from './view.ts';
import { own } from './view.ts';
import { count } from './words.ts';

/** What test runners reported, as a check run shows it. */

/** Failed tests that are named for one report; the details page has them all. */
const shownFailures = 20;
const maxCharacters = 20_000;

/** Counts, failed tests, and tests that needed another attempt: Markdown list lines, failed actions first. */
export function testLines(view: ExecutionView, stage?: StageView): readonly string[] {
  const lines = runsOf(view, stage).flatMap(({ where, stageName, run }) => {
    const reports = own(view.reports, run.id) ?? [];
    const before = reports.length === 0 ? [] : failedBefore(view, stageName, run, reports);
    return [...reports.flatMap((report) => reportLines(where, report)), ...before];
  });
  return within(lines);
}

/** Whatever tests are called and say, what stands below them in the summary keeps its place. */
function within(lines: readonly string[]): readonly string[] {
  let room = maxCharacters;
  const kept = lines.filter((line) => (room -= line.length + 1) >= 0);
  return kept.length === lines.length ? lines : [...kept, '- … more on the details page'];
}

interface ShownRun {
  readonly where: string;
  readonly stageName: string;
  readonly run: ActionRun;
}

function runsOf(view: ExecutionView, stage: StageView | undefined): readonly ShownRun[] {
  const stages = stage ? [stage] : stagesOf(view);
  const runs = stages.flatMap(({ name, run }) =>
    (run?.actions ?? []).map((action) => ({
      where: stage ? action.action : `${name}/${action.action}`,
      stageName: name,
      run: action,
    })),
  );
  return runs.toSorted((a, b) => Number(b.run.status === 'Failed') - Number(a.run.status === 'Failed'));
}

function reportLines(where: string, report: TestReport): readonly string[] {
  const mark = report.failed > 0 ? '❌' : report.problems.length > 0 ? '⚠️' : '✅';
  const hidden = report.failed - Math.min(shownFailures, report.failures.length);
  return [
    `- ${mark} ${code(where)} ${code(report.group)}: **${reportText(report)}**`,
    ...report.failures.slice(0, shownFailures).map(failureLine),
    ...(report.failures.length > 0 && hidden > 0 ? [`  - … and ${count(hidden, 'failed test')} more`] : []),
    ...report.flaky.slice(0, shownFailures).map(({ name, attempt }) => laterLine(name, attempt)),
    ...report.problems.slice(0, 3).map((problem) => `  - ⚠️ ${prose(problem, 400)}`),
  ];
}

function failureLine({ name, message, path, line }: TestReport['failures'][number]): string {
  const place = path === undefined ? '' : ` (${code(`${path}:${line ?? 1}`)})`;
  return `  - ❌ ${code(cutEnd(name, 200))}${place}: ${prose(message, 200)}`;
}

function laterLine(name: string, attempt: number): string {
  return `  - ⚠️ ${code(cutEnd(name, 200))} passed on attempt ${attempt}`;
}

/** Tests that failed on an earlier attempt of an action and do not fail now. */
function failedBefore(
  view: ExecutionView,
  stage: string,
  run: ActionRun,
  reports: readonly TestReport[],
): readonly string[] {
  if (run.status !== 'Succeeded') return [];
  const mine = view.earlierAttempts.filter((earlier) => earlier.stage === stage && earlier.action === run.action);
  const failing = new Set(reports.flatMap(({ failures }) => failures.map(({ name }) => name)));
  const names = mine
    .flatMap(({ id }) => own(view.reports, id) ?? [])
    .flatMap(({ failures }) => failures.map(({ name }) => name))
    .filter((name) => !failing.has(name));
  return [...new Set(names)].slice(0, shownFailures).map((name) => laterLine(name, run.attempt));
}

/** What an action that succeeded needed more than one attempt for, in words; as run-build.ts says it of a phase. */
export function laterAttempt({ status, attempt, summary }: ActionRun): string | undefined {
  if (status !== 'Succeeded') return undefined;
  if (attempt > 1) return `passed on attempt ${attempt}`;
  return /\bpassed on attempt \d+/.test(summary ?? '') ? summary : undefined;
}

/** A title with as much about the tests as fits behind or before its own words. */
export function succeededWithTests(base: string, view: ExecutionView, stage?: StageView): string {
  const reports = runsOf(view, stage).flatMap(({ run }) => own(view.reports, run.id) ?? []);
  const { total, passed } = sumOfTests(reports);
  if (total === 0) return base;
  const tests = `${base}: ${count(passed, 'test')} passed`;
  const later = reports.reduce((sum, { flaky }) => sum + flaky.length, 0);
  return fittingTitle(...(later > 0 ? [`${tests}, ${later} on a later attempt`] : []), tests, base);
}

/** `3 of 216 tests failed`; undefined when no failed action reported a failed test. */
export function failedTestsText(view: ExecutionView, failed: readonly ActionRun[]): string | undefined {
  const counts = sumOfTests(failed.flatMap((run) => own(view.reports, run.id) ?? []));
  return counts.failed === 0 ? undefined : `${counts.failed} of ${count(counts.total, 'test')} failed`;
}
