/** One report group of a build (CP-B-10), as everything that shows it sees it. */
export interface TestReport {
  readonly group: string;
  readonly format: string;
  /** 0 for coverage. */
  readonly total: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** At most 200. */
  readonly failures: readonly FailedTest[];
  /** Tests that failed first and passed when the test runner ran them again; they count as passed. At most 200. */
  readonly flaky: readonly FlakyTest[];
  /** Percent of lines, for coverage formats. */
  readonly coverage?: number;
  /** What of the group could not be read, in words. */
  readonly problems: readonly string[];
}

export interface FailedTest {
  readonly name: string;
  readonly message: string;
  /** A file of the repository, where one was found. */
  readonly path?: string;
  readonly line?: number;
}

export interface FlakyTest {
  readonly name: string;
  /** The attempt on which it passed; 2 or more. */
  readonly attempt: number;
}

export type TestCounts = Pick<TestReport, 'total' | 'passed' | 'failed' | 'skipped'>;

export function sumOfTests(reports: readonly TestCounts[]): TestCounts {
  const sum = (pick: (counts: TestCounts) => number): number =>
    reports.reduce((total, counts) => total + pick(counts), 0);
  return {
    total: sum(({ total }) => total),
    passed: sum(({ passed }) => passed),
    failed: sum(({ failed }) => failed),
    skipped: sum(({ skipped }) => skipped),
  };
}

/** `212 passed, 3 failed, 1 skipped`, or `87.5 % of lines covered`. */
export function reportText(report: TestReport): string {
  if (report.coverage !== undefined) return `${report.coverage.toFixed(1)} % of lines covered`;
  return report.total === 0 ? 'no tests' : countsText(report);
}

export function countsText({ passed, failed, skipped }: TestCounts): string {
  const parts = [`${passed} passed`];
  if (failed > 0) parts.push(`${failed} failed`);
  if (skipped > 0) parts.push(`${skipped} skipped`);
  return parts.join(', ');
}
