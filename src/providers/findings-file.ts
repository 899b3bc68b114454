import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { ReportGroup } from '../buildspec/buildspec.ts';
import { createFileMatcher } from '../buildspec/file-globs.ts';
import { createPathResolver, type Finding, type ResolvePath } from '../buildspec/finding.ts';
import { findInLog } from '../buildspec/log-findings.ts';
import { parseReport, type ParsedReport, type ReportedFailure } from '../buildspec/parse-report.ts';
import { reportText } from '../buildspec/report-text.ts';
import type { BuildPhase } from '../pipeline/build-phase.ts';
import type { TestReport } from '../pipeline/test-report.ts';
import { logPath } from './action-log.ts';
import { readBuildPhases } from './build-phases.ts';
import { maskText } from './mask.ts';
import type { StartedAction } from './provider.ts';
import { readTail } from './read-log.ts';
import { listFiles } from './zip.ts';

/** What an action tells about the code and its build: for annotations and the summary of a check run. */
export interface ActionFindings extends CodeFindings {
  /** Of a build, also while it runs; none for other actions. */
  readonly phases: readonly BuildPhase[];
}

interface CodeFindings {
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
  /** Found without looking, for example in the buildspec. */
  readonly known?: readonly Finding[];
}

const maxReportBytes = 16 * 1024 ** 2;
const maxReportFiles = 1_000;
const maxFindings = 50;
const maxListed = 200;

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

const Stored = z.object({
  findings: z.array(z.custom<Finding>()),
  reports: z.array(z.custom<StoredReport>()),
  phases: z.array(z.custom<BuildPhase>()).default([]),
});

/** Files of an earlier version do not tell which tests passed on a later attempt. */
type StoredReport = Omit<TestReport, 'flaky'> & Partial<Pick<TestReport, 'flaky'>>;

/** Nothing was found, nothing was looked for, or the file is damaged: all are empty. */
export async function readFindings(home: string, execution: string, actionExecution: string): Promise<ActionFindings> {
  // The ids are checked by logPath.
  const file = logPath(home, execution, actionExecution).replace(/\.log$/, '.findings.json');
  const text = await readFile(file, 'utf8').catch(() => 'null');
  return { ...foundIn(text), phases: await readBuildPhases(home, execution, actionExecution) };
}

function foundIn(text: string): ActionFindings {
  try {
    return findingsOf(JSON.parse(text));
  } catch {
    return findingsOf(null);
  }
}

/** From stored JSON; what does not fit is as good as nothing. */
export function findingsOf(stored: unknown): ActionFindings {
  const { success, data } = Stored.safeParse(stored);
  if (!success) return { findings: [], reports: [], phases: [] };
  return { ...data, reports: data.reports.map((report) => ({ ...report, flaky: report.flaky ?? [] })) };
}

async function collect({ home, action, primary, groups, known = [] }: FindingsRequest): Promise<CodeFindings> {
  const files = (await listFiles(primary)).map(({ path }) => path);
  const own = files.filter((path) => !/(^|\/)(node_modules|\.venv|vendor\/bundle)\//.test(path));
  const resolve = createPathResolver(own, [primary]);
  const reports: TestReport[] = [];
  const fromTests: Finding[] = [];
  for (const group of groups) {
    const { report, findings } = summary(group, await readGroup(primary, files, group), resolve);
    reports.push(report);
    fromTests.push(...findings);
  }
  const lines = await readTail(logPath(home, action.execution, action.actionExecution), 20_000);
  const taken = new Set(fromTests.map(({ path, line }) => `${path}:${line}`));
  const fromLog = findInLog(lines, resolve).filter(({ path, line }) => !taken.has(`${path}:${line}`));
  return { findings: [...known, ...fromTests, ...fromLog].slice(0, maxFindings), reports };
}

interface ReadGroup {
  readonly parsed: readonly ParsedReport[];
  readonly problems: readonly string[];
}

async function readGroup(primary: string, files: readonly string[], group: ReportGroup): Promise<ReadGroup> {
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
      parsed.push(parseReport(group.format, reportText(await readFile(file))));
    } catch (error) {
      problems.push(
        `${path} cannot be read as ${group.format}: ${error instanceof Error ? error.message : String(error)}.`,
      );
    }
  }
  return { parsed, problems };
}

interface GroupSummary {
  readonly report: TestReport;
  readonly findings: readonly Finding[];
}

function summary(group: ReportGroup, { parsed, problems }: ReadGroup, resolve: ResolvePath): GroupSummary {
  const sum = (pick: (report: ParsedReport) => number): number =>
    parsed.reduce((total, report) => total + pick(report), 0);
  const total = sum((report) => report.total);
  const failed = sum((report) => report.failed);
  const skipped = sum((report) => report.skipped);
  const coverage = parsed.find((report) => report.coverage !== undefined)?.coverage;
  const failures = parsed
    .flatMap((report) => report.failures)
    .slice(0, maxListed)
    .map((failure) => ({ failure, place: placeOf(failure, resolve) }));
  const report = {
    group: group.name,
    format: group.format,
    total,
    passed: total - failed - skipped,
    failed,
    skipped,
    failures: failures.map(({ failure: { name, message }, place }) => ({ name, message, ...place })),
    flaky: parsed.flatMap(({ flaky }) => flaky).slice(0, maxListed),
    ...(coverage === undefined ? {} : { coverage }),
    problems: problems.slice(0, 20),
  };
  return { report, findings: failures.flatMap(({ failure, place }) => (place ? [findingOf(failure, place)] : [])) };
}

function findingOf({ name, message }: ReportedFailure, place: TestPlace): Finding {
  return { ...place, level: 'failure', title: name.slice(0, 200), message };
}

interface TestPlace {
  readonly path: string;
  readonly line: number;
}

/** The report's own place, else the first line of the stack that is a file of the repository. */
function placeOf(failure: ReportedFailure, resolve: ResolvePath): TestPlace | undefined {
  const named = failure.file === undefined ? undefined : resolve(failure.file);
  if (named !== undefined && failure.line !== undefined) return { path: named, line: failure.line };
  const [inStack] = findInLog(
    [`Error: ${failure.message.split('\n')[0] ?? ''}`, ...failure.details.split('\n')],
    resolve,
  );
  if (inStack !== undefined) return { path: inStack.path, line: inStack.line };
  return named === undefined ? undefined : { path: named, line: 1 };
}
