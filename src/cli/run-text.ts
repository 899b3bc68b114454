import { join, relative } from 'node:path';
import { styleText } from 'node:util';
import type { StoredFile } from '../main/local-results.ts';
import type { Ending } from '../pipeline/execution.ts';
import { phasesText } from '../pipeline/build-phase.ts';
import { reportText, type TestReport } from '../pipeline/test-report.ts';
import { visibleText } from '../web/visible-text.ts';
import type { CliIo } from './command.ts';
import type { BuildFindings, EndedRun, EndedStage, RunTeller } from './run-teller.ts';

/** What CodeBuild's agent prints after a phase that has nothing to tell. */
const emptyContext = /Phase context status code:\s+Message:\s*$/;

type Style = Parameters<typeof styleText>[0];

const looks: Readonly<Record<string, readonly [mark: string, style: Style]>> = {
  Succeeded: ['✓', 'green'],
  Failed: ['✗', 'red'],
  Abandoned: ['■', 'yellow'],
  Stopped: ['■', 'yellow'],
  Cancelled: ['■', 'yellow'],
  Superseded: ['■', 'yellow'],
  Skipped: ['–', 'dim'],
  Waiting: ['‖', 'cyan'],
};

/** Lines for a terminal; colours only where it shows them. `isolation` is said once instead of in every build's log. */
export function textTeller(
  io: CliIo,
  { isolation, source }: { readonly isolation: string; readonly source: string },
): RunTeller {
  const paint = (style: Style, text: string): string =>
    io.color ? styleText(style, text, { validateStream: false }) : text;
  const marked = (state: string, text: string): string => {
    const [mark, style] = looks[state] ?? ['●', 'blue'];
    return `${paint(style, mark)} ${text}`;
  };
  return {
    begin: ({ pipeline, execution }) => io.out(`${paint('bold', pipeline)}: execution ${execution}\n${isolation}\n`),
    action: ({ stage, run, state }) => {
      const why = state === 'InProgress' ? undefined : (run.error?.message ?? run.summary);
      const again = run.attempt > 1 ? `, attempt ${run.attempt}` : '';
      io.out(marked(state, `${stage}/${run.action}${again}  ${state}${why === undefined ? '' : `: ${why}`}`));
    },
    log: ({ stage, run }, line) => {
      if (!line.endsWith(isolation) && !emptyContext.test(line))
        io.out(`  ${paint('dim', `${stage}/${run.action} |`)} ${line}`);
    },
    end: (run) => {
      const { execution, status, seconds } = run;
      const why = execution.ending === undefined ? '' : endingText(execution.ending);
      const head = `${paint('bold', execution.pipeline)}: ${status} in ${duration(seconds)}${why}`;
      const found = run.findings.flatMap((build) => findingRows(build, (path) => near(join(source, path), io.cwd)));
      const rows = [...stageRows(run.stages, marked), ...found, ...resultRows(run, io.cwd)];
      io.out(['', marked(status, head), ...rows].join('\n'));
    },
  };
}

function endingText(ending: Ending): string {
  switch (ending.as) {
    case 'Failed':
      return `: ${ending.summary}`;
    case 'Stopped':
    case 'Cancelled':
      return ending.why === undefined ? '' : `: ${ending.why}`;
    case 'Superseded':
      return '';
    default:
      return ending satisfies never;
  }
}

function stageRows(stages: readonly EndedStage[], marked: (state: string, text: string) => string): string[] {
  const width = Math.max(...stages.map(({ stage }) => stage.length), 0);
  return stages.flatMap(({ stage, status, seconds, failures, unmet }) => [
    `  ${marked(status, `${stage.padEnd(width)}  ${status.padEnd(9)}  ${duration(seconds).padStart(6)}`)}`,
    ...failures.map(({ action, cause, mend }) => `      ${action}: ${visibleText(cause)} ${visibleText(mend)}`),
    ...unmet.map((text) => `      ${text}`),
  ]);
}

/** Places in the form that editors and terminals open: `file:line:column`. */
function findingRows(
  { stage, action, findings, reports, phases }: BuildFindings,
  shown: (path: string) => string,
): string[] {
  const lines = findings.map(({ path, line, column, title, message }) => {
    const place = [shown(path), line, ...(column === undefined ? [] : [column])].join(':');
    return `    ${place}: ${title === undefined ? '' : `${title}: `}${indented(message)}`;
  });
  const times = phasesText(phases, 100, (milliseconds) => duration(milliseconds / 1000));
  const timed = times === '' ? [] : [`    phases: ${times}`];
  return ['', `  ${stage}/${action}`, ...timed, ...reports.flatMap(reportRows), ...lines];
}

/** Failed tests that have a place stand among the places. */
function reportRows(report: TestReport): string[] {
  const counts = [reportText(report), ...report.problems].join('; ');
  const failed = report.failures
    .filter(({ path }) => path === undefined)
    .map(({ name, message }) => `      ${visibleText(name)}: ${indented(message)}`);
  const later = report.flaky.map(({ name, attempt }) => `      ${visibleText(name)} passed on attempt ${attempt}`);
  return [`    ${report.group}: ${counts}`, ...failed, ...later];
}

function indented(message: string): string {
  return visibleText(message).replaceAll('\n', '\n        ');
}

function resultRows({ results }: EndedRun, cwd: string): string[] {
  const list = (title: string, files: readonly StoredFile[]): string[] =>
    files.length === 0
      ? []
      : ['', `  ${title}`, ...files.map(({ name, file, size }) => `    ${name}  ${bytes(size)}  ${near(file, cwd)}`)];
  return [...list('Artifacts', results.artifacts), ...list('Deployed', results.objects)];
}

function near(file: string, cwd: string): string {
  const path = relative(cwd, file);
  return path.startsWith('..') ? file : path;
}

function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole}s` : `${Math.floor(whole / 60)}m ${whole % 60}s`;
}

function bytes(size: number): string {
  if (size < 1024) return `${size} bytes`;
  return size < 1024 ** 2 ? `${Math.ceil(size / 1024)} KiB` : `${(size / 1024 ** 2).toFixed(1)} MiB`;
}
