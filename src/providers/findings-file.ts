import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { ReportGroup } from '../buildspec/buildspec.ts';
import { createFileMatcher } from '../buildspec/file-globs.ts';
import { createPathResolver, type Finding, type ResolvePath, type TestReport } from '../buildspec/finding.ts';
import { findInLog } from '../buildspec/log-findings.ts';
import { parseReport, type ParsedReport } from '../buildspec/parse-report.ts';
import { logPath } from './action-log.ts';
import { maskText } from './mask.ts';
import type { StartedAction } from './provider.ts';
import { readTail } from './read-log.ts';
import { listFiles } from './zip.ts';

/** What a finished action tells about the code: for annotations and the summary of a check run. */
export interface ActionFindings {
  /** Failed tests first; at most 50. Paths are files of the primary source. */
  readonly findings: readonly Finding[];
  readonly reports: readonly TestReport[];
}

export interface FindingsRequest {
  readonly home: string;
  readonly action: Pick<StartedAction<unknown>, 'execution' | 'actionExecution'>;
  readonly primary: string;
  readonly groups: readonly ReportGroup[];
  readonly secrets: readonly string[];
}

const maxReportBytes = 16 * 1024 ** 2;
const maxReportFiles = 1_000;
const maxFindings = 50;
const maxFailures = 200;

/** `<home>/logs/<execution>/<action execution>.findings.json`, beside the log. */
function findingsPath(home: string, action: FindingsRequest['action']): string {
  return join(home, 'logs', action.execution, `${action.actionExecution}.findings.json`);
}

/** To be called while the work area is still there: files in messages are looked up in it. Never throws. */
export async function saveFindings(request: FindingsRequest): Promise<void> {
  try {
    const found = await collect(request);
    const file = findingsPath(request.home, request.action);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, maskText(JSON.stringify(found), request.secrets), { mode: 0o600 });
  } catch {
    // A report that cannot be read or written must not fail the build (CP-B-10).
  }
}

const Stored = z.object({ findings: z.array(z.custom<Finding>()), reports: z.array(z.custom<TestReport>()) });

/** Nothing was found, or nothing was looked for: both are empty. */
export async function readFindings(home: string, execution: string, actionExecution: string): Promise<ActionFindings> {
  // The ids are checked by logPath.
  const file = logPath(home, execution, actionExecution).replace(/\.log$/, '.findings.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? { findings: [], reports: [] } : Stored.parse(JSON.parse(text));
}

async function collect({ home, action, primary, groups }: FindingsRequest): Promise<ActionFindings> {
  const files = (await listFiles(primary)).map(({ path }) => path);
  const own = files.filter((path) => !/(^|\/)(node_modules|\.venv|vendor\/bundle)\//.test(path));
  const resolve = createPathResolver(own, [primary]);
  const reports: TestReport[] = [];
  for (const group of groups) reports.push(await readGroup(primary, files, group));
  const lines = await readTail(logPath(home, action.execution, action.actionExecution), 20_000);
  const fromTests = reports.flatMap(({ failures }) => failures.flatMap((failure) => placeOf(failure, resolve)));
  const taken = new Set(fromTests.map(({ path, line }) => `${path}:${line}`));
  const fromLog = findInLog(lines, resolve).filter(({ path, line }) => !taken.has(`${path}:${line}`));
  return { findings: [...fromTests, ...fromLog].slice(0, maxFindings), reports };
}

async function readGroup(primary: string, files: readonly string[], group: ReportGroup): Promise<TestReport> {
  const matches = createFileMatcher(group.files);
  const prefix = group.baseDirectory === '' ? '' : `${group.baseDirectory}/`;
  const chosen = files
    .filter((path) => path.startsWith(prefix) && matches(path.slice(prefix.length)))
    .slice(0, maxReportFiles);
  const parsed: ParsedReport[] = [];
  const problems = chosen.length === 0 ? [`No file matches ${group.files.join(', ')}.`] : [];
  for (const path of chosen) {
    try {
      const file = join(primary, path);
      if ((await stat(file)).size > maxReportBytes) throw new Error('it is larger than 16 MiB');
      parsed.push(parseReport(group.format, await readFile(file, 'utf8')));
    } catch (error) {
      problems.push(
        `${path} cannot be read as ${group.format}: ${error instanceof Error ? error.message : String(error)}.`,
      );
    }
  }
  return summary(group, parsed, problems);
}

function summary(group: ReportGroup, parsed: readonly ParsedReport[], problems: readonly string[]): TestReport {
  const sum = (pick: (report: ParsedReport) => number): number =>
    parsed.reduce((total, report) => total + pick(report), 0);
  const [total, failed, skipped] = [
    sum((report) => report.total),
    sum((report) => report.failed),
    sum((report) => report.skipped),
  ];
  const coverage = parsed.find((report) => report.coverage !== undefined)?.coverage;
  return {
    group: group.name,
    format: group.format,
    total,
    passed: total - failed - skipped,
    failed,
    skipped,
    failures: parsed.flatMap((report) => report.failures).slice(0, maxFailures),
    ...(coverage === undefined ? {} : { coverage }),
    problems: problems.slice(0, 20),
  };
}

/** The report's own place, else the first line of the stack that is a file of the repository. */
function placeOf(failure: TestReport['failures'][number], resolve: ResolvePath): readonly Finding[] {
  const named = failure.file === undefined ? undefined : resolve(failure.file);
  const own = named !== undefined && failure.line !== undefined ? { path: named, line: failure.line } : undefined;
  const [inStack] = findInLog(
    [`Error: ${failure.message.split('\n')[0] ?? ''}`, ...failure.details.split('\n')],
    resolve,
  );
  const place = own ?? inStack ?? (named === undefined ? undefined : { path: named, line: 1 });
  if (place === undefined) return [];
  return [
    {
      path: place.path,
      line: place.line,
      level: 'failure',
      title: failure.name.slice(0, 200),
      message: failure.message,
    },
  ];
}
