import type { Build, Report } from '@aws-sdk/client-codebuild';
import type { TestReport } from '../../../pipeline/test-report.ts';
import { logUrl } from '../console-url.ts';
import { orUnasked, type Asking, type Told } from './asking.ts';

/** CodeBuild's limit for one BatchGetBuilds. */
const mostBuilds = 100;
/** Failed tests of one report group that are named. */
const mostFailures = 20;

/** Answers for one build at a time; all builds of a region are asked for in one call, when the first one is wanted. */
export type Builds = (asking: Asking) => Promise<Build | undefined>;

export function askBuilds(askings: readonly Asking[]): Builds {
  const regions = new Map<string, Promise<readonly Build[]>>();
  return async (asking) => {
    const { region } = asking.there;
    const ids = askings.flatMap((one) => (isBuildIn(one, region) ? (one.externalId ?? []) : []));
    const builds = regions.get(region) ?? askAll(asking, ids);
    regions.set(region, builds);
    return (await builds).find((build) => build.id === asking.externalId);
  };
}

function isBuildIn({ detail, there }: Asking, region: string): boolean {
  return detail.input?.actionTypeId?.provider === 'CodeBuild' && there.region === region;
}

async function askAll(asking: Asking, ids: readonly string[]): Promise<readonly Build[]> {
  const chunks = Array.from({ length: Math.ceil(ids.length / mostBuilds) }, (_, index) =>
    ids.slice(index * mostBuilds, (index + 1) * mostBuilds),
  );
  const project = `project/${asking.configuration['ProjectName'] ?? '*'}`;
  const answers = await Promise.all(
    chunks.map((chunk) =>
      asking.call('codeBuild', 'codebuild:BatchGetBuilds', project, (api) => api.batchGetBuilds({ ids: [...chunk] })),
    ),
  );
  return answers.flatMap(({ builds = [] }) => builds);
}

/** The first phase that failed with CodeBuild's words for it, how long each took, the tests, and where the log is. */
export async function tellBuild(asking: Asking, builds: Builds): Promise<Told> {
  const build = asking.externalId === undefined ? undefined : await builds(asking);
  if (!build) return {};
  const { reportArns = [] } = build;
  const said = phaseText(build);
  const tests = reportArns.length === 0 ? {} : await tellReports(asking, reportArns);
  return {
    ...(said === undefined ? {} : { said }),
    ...logOf(asking, build),
    ...tests,
  };
}

function logOf({ there: { region, roleArn } }: Asking, { logs }: Build): Pick<Told, 'log' | 'url'> {
  const { groupName: group, streamName: stream, deepLink } = logs ?? {};
  if (!group || !stream) return deepLink ? { url: deepLink } : {};
  const log = { region, group, stream };
  return { log, url: deepLink ?? logUrl(roleArn, log) };
}

const goodPhases: ReadonlySet<string | undefined> = new Set(['SUCCEEDED', undefined]);

function phaseText({ phases = [] }: Build): string | undefined {
  const failed = phases.find((phase) => !goodPhases.has(phase.phaseStatus));
  if (!failed) return undefined;
  const reasons = (failed.contexts ?? []).flatMap(({ statusCode, message }) =>
    message ? [statusCode ? `${statusCode}: ${message}` : message] : [],
  );
  const after = failed.durationInSeconds === undefined ? '' : ` after ${failed.durationInSeconds} s`;
  const why = reasons.length > 0 ? `: ${reasons.join('; ')}` : '';
  return `Phase ${failed.phaseType} ${failed.phaseStatus}${after}${why}`;
}

async function tellReports(asking: Asking, arns: readonly string[]): Promise<Pick<Told, 'reports' | 'unasked'>> {
  const got = await orUnasked(
    asking.call('codeBuild', 'codebuild:BatchGetReports', groupOf(arns[0]), (api) =>
      api.batchGetReports({ reportArns: arns.slice(0, 100) }),
    ),
  );
  if ('unasked' in got) return got;
  const { reports = [] } = got.answer;
  return { reports: await Promise.all(reports.map((report) => readReport(asking, report))) };
}

/** `arn:…:report/group:id` belongs to the resource `report-group/group`. */
function groupOf(arn: string | undefined): string {
  return `report-group/${arn?.split(':report/')[1]?.split(':')[0] ?? '*'}`;
}

async function readReport(asking: Asking, report: Report): Promise<TestReport> {
  const { testSummary, codeCoverageSummary, arn } = report;
  const counts = testSummary?.statusCounts ?? {};
  const failed = (counts['FAILED'] ?? 0) + (counts['ERROR'] ?? 0);
  const coverage = codeCoverageSummary?.lineCoveragePercentage;
  return {
    group: groupOf(arn).slice('report-group/'.length),
    format: report.type ?? 'TEST',
    total: testSummary?.total ?? 0,
    passed: counts['SUCCEEDED'] ?? 0,
    failed,
    skipped: counts['SKIPPED'] ?? 0,
    failures: failed > 0 && arn !== undefined ? await failuresOf(asking, arn) : [],
    flaky: [],
    problems: [],
    ...(coverage === undefined ? {} : { coverage }),
  };
}

/** The names are a nicety: the counts stand without them. */
async function failuresOf(asking: Asking, reportArn: string): Promise<TestReport['failures']> {
  const filter = { status: 'FAILED' };
  const got = await orUnasked(
    asking.call('codeBuild', 'codebuild:DescribeTestCases', groupOf(reportArn), (api) =>
      api.describeTestCases({ reportArn, filter, maxResults: mostFailures }),
    ),
  );
  const cases = 'answer' in got ? (got.answer.testCases ?? []) : [];
  return cases.map(({ prefix, name = '', message = '' }) => ({
    name: prefix ? `${prefix} ${name}` : name,
    message: message.slice(0, 500),
  }));
}
