import type { ReportFormat } from './buildspec.ts';
import type { FlakyTest } from '../pipeline/test-report.ts';
import { childNamed, elementsNamed, parseXml, type XmlElement } from './xml.ts';

/** What one file of a report group says. */
export interface ParsedReport {
  readonly total: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly ReportedFailure[];
  readonly flaky: readonly FlakyTest[];
  /** Percent of lines. */
  readonly coverage?: number;
}

export interface ReportedFailure {
  readonly name: string;
  readonly message: string;
  /** As the report has it; not yet looked up in the repository. */
  readonly file?: string;
  readonly line?: number;
  /** Stack or details, for finding the line. */
  readonly details: string;
}

interface TestCase {
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly failure?: ReportedFailure;
  readonly flaky?: FlakyTest;
}

/** Reads one report file (CP-B-10). Throws an Error that says what is wrong with it. */
export function parseReport(format: ReportFormat, text: string): ParsedReport {
  switch (format) {
    case 'JUNITXML':
      return summed(elementsNamed(parseXml(text), ['testcase']).map(junitCase));
    case 'NUNITXML':
    case 'NUNIT3XML':
      return summed(elementsNamed(parseXml(text), ['test-case']).map(nunitCase));
    case 'TESTNGXML':
      return summed(
        elementsNamed(parseXml(text), ['test-method'])
          .filter((method) => method.attributes['is-config'] !== 'true')
          .map(testngCase),
      );
    case 'VISUALSTUDIOTRX':
      return summed(elementsNamed(parseXml(text), ['UnitTestResult']).map(trxCase));
    case 'CUCUMBERJSON':
      return summed(cucumberCases(JSON.parse(text)));
    case 'CLOVERXML':
    case 'COBERTURAXML':
    case 'JACOCOXML':
      return covered(xmlCoverage(format, parseXml(text)));
    case 'SIMPLECOV':
      return covered(simplecovCoverage(JSON.parse(text)));
  }
  return format satisfies never;
}

function summed(cases: readonly TestCase[]): ParsedReport {
  return {
    total: cases.length,
    failed: cases.filter(({ outcome }) => outcome === 'failed').length,
    skipped: cases.filter(({ outcome }) => outcome === 'skipped').length,
    failures: cases.flatMap(({ failure }) => failure ?? []),
    flaky: cases.flatMap(({ flaky }) => flaky ?? []),
  };
}

function covered(coverage: number): ParsedReport {
  return { total: 0, failed: 0, skipped: 0, failures: [], flaky: [], coverage };
}

function failedCase(
  name: string,
  message: string,
  details: string,
  place: { file?: string | undefined; line?: string | undefined } = {},
): TestCase {
  const line = Number(place.line);
  return {
    outcome: 'failed',
    failure: {
      name: name.slice(0, 300),
      message: (message.trim() || details.trim().split('\n')[0] || 'The test failed.').slice(0, 1_000),
      details: details.slice(0, 20_000),
      ...(place.file === undefined ? {} : { file: place.file }),
      ...(Number.isSafeInteger(line) && line > 0 ? { line } : {}),
    },
  };
}

function junitCase(element: XmlElement): TestCase {
  const { name = '', classname = '', file, line } = element.attributes;
  const problem = childNamed(element, 'failure', 'error');
  const full = classname === '' || name.startsWith(classname) ? name : `${classname}.${name}`;
  if (problem === undefined) {
    // Surefire writes one of these for each run that failed before the one that passed.
    const failedRuns = element.children.filter((child) => /^flaky(Failure|Error)$/.test(child.name)).length;
    if (failedRuns > 0) return { outcome: 'passed', flaky: { name: full.slice(0, 300), attempt: failedRuns + 1 } };
    return { outcome: childNamed(element, 'skipped') === undefined ? 'passed' : 'skipped' };
  }
  return failedCase(full, problem.attributes['message'] ?? '', problem.text, { file, line });
}

function nunitCase(element: XmlElement): TestCase {
  const { name = '', fullname, result = '', success, executed } = element.attributes;
  if (/^(failed|failure|error)$/i.test(result) || (result === '' && success === 'False')) {
    const failure = childNamed(element, 'failure');
    const message = (failure && childNamed(failure, 'message'))?.text ?? '';
    return failedCase(fullname ?? name, message, (failure && childNamed(failure, 'stack-trace'))?.text ?? '');
  }
  const skipped = /^(skipped|ignored|inconclusive|notrunnable)$/i.test(result) || executed === 'False';
  return { outcome: skipped ? 'skipped' : 'passed' };
}

function testngCase(element: XmlElement): TestCase {
  const { status, name = '', signature = '' } = element.attributes;
  if (status === 'SKIP') return { outcome: 'skipped' };
  if (status !== 'FAIL') return { outcome: 'passed' };
  const exception = childNamed(element, 'exception');
  const text = (child: string): string => (exception && childNamed(exception, child))?.text ?? '';
  const owner = /instance:([\w.$]+)@/.exec(signature)?.[1];
  return failedCase(
    owner === undefined ? name : `${owner}.${name}`,
    text('message') || (exception?.attributes['class'] ?? ''),
    text('full-stacktrace'),
  );
}

function trxCase(element: XmlElement): TestCase {
  const { testName = '', outcome } = element.attributes;
  if (outcome === 'Passed' || outcome === 'Completed') return { outcome: 'passed' };
  if (outcome !== 'Failed' && outcome !== 'Error' && outcome !== 'Timeout' && outcome !== 'Aborted')
    return { outcome: 'skipped' };
  const [info] = elementsNamed(element, ['ErrorInfo']);
  const text = (child: string): string => (info && childNamed(info, child))?.text ?? '';
  return failedCase(testName, text('Message'), text('StackTrace'));
}

interface Feature {
  readonly name?: string;
  readonly uri?: string;
  readonly elements?: readonly Scenario[];
}

interface Step {
  readonly name?: string;
  readonly line?: number;
  readonly result?: { readonly status?: string; readonly error_message?: string };
}

interface Scenario {
  readonly name?: string;
  readonly type?: string;
  readonly line?: number;
  readonly steps?: readonly Step[];
  /** Hooks; after one that failed, the steps are skipped. */
  readonly before?: readonly Step[];
  readonly after?: readonly Step[];
}

function cucumberCases(value: unknown): readonly TestCase[] {
  if (!Array.isArray(value)) throw new Error('a Cucumber report is a list of features');
  return (value as readonly Feature[]).flatMap((feature) =>
    (feature.elements ?? [])
      .filter(({ type }) => type !== 'background')
      .map((scenario) => cucumberCase(feature, scenario)),
  );
}

function cucumberCase(feature: Feature, scenario: Scenario): TestCase {
  const { name = '', line, steps = [], before = [], after = [] } = scenario;
  const failed = [...before, ...steps, ...after].find(
    ({ result }) => result?.status === 'failed' || result?.status === 'ambiguous',
  );
  if (failed !== undefined) {
    const details = failed.result?.error_message ?? '';
    const place = { file: feature.uri, line: String(failed.line ?? line ?? '') };
    return failedCase(
      `${feature.name ?? ''}: ${name}`,
      `${failed.name ?? 'A hook'}: ${details.split('\n')[0] ?? 'failed'}`,
      details,
      place,
    );
  }
  return { outcome: steps.every(({ result }) => result?.status === 'passed') ? 'passed' : 'skipped' };
}

function xmlCoverage(format: 'CLOVERXML' | 'COBERTURAXML' | 'JACOCOXML', root: XmlElement): number {
  if (format === 'COBERTURAXML') return percent(Number(root.attributes['line-rate']), 1);
  if (format === 'JACOCOXML') {
    const lines = root.children.find((child) => child.name === 'counter' && child.attributes['type'] === 'LINE');
    const [covered, missed] = [Number(lines?.attributes['covered']), Number(lines?.attributes['missed'])];
    return percent(covered, covered + missed);
  }
  const [metrics] = elementsNamed(root, ['project']).flatMap((project) =>
    project.children.filter(({ name }) => name === 'metrics'),
  );
  return percent(Number(metrics?.attributes['coveredstatements']), Number(metrics?.attributes['statements']));
}

function simplecovCoverage(value: unknown): number {
  const metrics = (value as { metrics?: { covered_percent?: unknown } } | null)?.metrics;
  if (typeof metrics?.covered_percent === 'number') return percent(metrics.covered_percent, 100);
  throw new Error('metrics.covered_percent is missing');
}

function percent(part: number, whole: number): number {
  if (!Number.isFinite(part) || !Number.isFinite(whole)) throw new Error('the figures of coverage are missing');
  return whole === 0 ? 100 : Math.round((part / whole) * 10_000) / 100;
}
