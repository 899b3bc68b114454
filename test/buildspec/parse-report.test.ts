import { describe, expect, it } from 'vitest';
import type { ReportFormat } from '../../src/buildspec/buildspec.ts';
import { parseReport } from '../../src/buildspec/parse-report.ts';
import { reportText } from '../../src/buildspec/report-text.ts';
import { parseXml } from '../../src/buildspec/xml.ts';

/** Small files in the form that the named tool writes; each has one passed, one failed and one skipped test. */
const reports: readonly (readonly [string, ReportFormat, string, string, string])[] = [
  [
    'node --test-reporter=junit, pytest, surefire',
    'JUNITXML',
    `<?xml version="1.0"?><!-- c --><testsuites><testsuite name="s"><testcase name="ok" classname="c.T"/>
     <testcase name="adds" classname="c.T" file="t.js" line="7"><failure message="3 &lt; 4" type="x"><![CDATA[at t.js:7:1]]></failure></testcase>
     <testcase name="later" classname="c.T"><skipped/></testcase></testsuite></testsuites>`,
    'c.T.adds',
    '3 < 4',
  ],
  [
    'NUnit 2',
    'NUNITXML',
    `<test-results><test-suite><results><test-case name="N.Ok" executed="True" success="True" result="Success"/>
     <test-case name="N.Adds" executed="True" success="False" result="Failure"><failure><message><![CDATA[Expected: 4]]></message><stack-trace>at N</stack-trace></failure></test-case>
     <test-case name="N.Later" executed="False" result="Ignored"/></results></test-suite></test-results>`,
    'N.Adds',
    'Expected: 4',
  ],
  [
    'NUnit 3',
    'NUNIT3XML',
    `<test-run><test-suite><test-case name="Ok" fullname="N.Ok" result="Passed"/><test-case name="Adds" fullname="N.Adds" result="Failed">
     <failure><message>Expected: 4</message><stack-trace>at N</stack-trace></failure></test-case><test-case name="L" fullname="N.L" result="Skipped"/></test-suite></test-run>`,
    'N.Adds',
    'Expected: 4',
  ],
  [
    'TestNG',
    'TESTNGXML',
    `<testng-results><suite><test><class name="T"><test-method status="PASS" name="ok" signature="ok()[pri:0, instance:a.T@1]"/>
     <test-method status="PASS" is-config="true" name="setUp"/><test-method status="FAIL" name="adds" signature="adds()[pri:0, instance:a.T@1]">
     <exception class="java.lang.AssertionError"><message><![CDATA[expected 4]]></message><full-stacktrace>at a.T</full-stacktrace></exception></test-method>
     <test-method status="SKIP" name="later"/></class></test></suite></testng-results>`,
    'a.T.adds',
    'expected 4',
  ],
  [
    'Visual Studio',
    'VISUALSTUDIOTRX',
    `<TestRun><Results><UnitTestResult testName="Ok" outcome="Passed"/><UnitTestResult testName="Adds" outcome="Failed"><Output><ErrorInfo>
     <Message>Expected 4</Message><StackTrace>at T</StackTrace></ErrorInfo></Output></UnitTestResult><UnitTestResult testName="L" outcome="NotExecuted"/></Results></TestRun>`,
    'Adds',
    'Expected 4',
  ],
  [
    'Cucumber',
    'CUCUMBERJSON',
    JSON.stringify([
      {
        name: 'Sums',
        uri: 'features/sum.feature',
        elements: [
          { type: 'background', steps: [{ result: { status: 'passed' } }] },
          { name: 'ok', type: 'scenario', line: 3, steps: [{ result: { status: 'passed' } }] },
          {
            name: 'adds',
            type: 'scenario',
            line: 7,
            steps: [{ name: 'I add', line: 8, result: { status: 'failed', error_message: 'got 3\nat x' } }],
          },
          { name: 'later', type: 'scenario', steps: [{ result: { status: 'undefined' } }] },
        ],
      },
    ]),
    'Sums: adds',
    'I add: got 3',
  ],
];

describe('test reports (CP-B-10)', () => {
  it.each(reports)('%s', (_name, format, text, name, message) => {
    const report = parseReport(format, text);
    expect(report).toMatchObject({ total: 3, failed: 1, skipped: 1 });
    expect(report.failures).toEqual([expect.objectContaining({ name, message })]);
  });

  it('keep the place that a report names', () => {
    expect(parseReport('JUNITXML', reports[0]![2]).failures[0]).toMatchObject({
      file: 't.js',
      line: 7,
      details: 'at t.js:7:1',
    });
    expect(parseReport('CUCUMBERJSON', reports[5]![2]).failures[0]).toMatchObject({
      file: 'features/sum.feature',
      line: 8,
    });
  });

  it('Cucumber: a hook that fails fails its scenario, whose steps are skipped', () => {
    const steps = [{ name: 'I add', result: { status: 'skipped' } }];
    const failed = [{ result: { status: 'failed', error_message: 'no browser\nat hooks.js:3' } }];
    const text = JSON.stringify([
      {
        name: 'Sums',
        elements: [
          { name: 'a', before: failed, steps },
          { name: 'b', steps, after: failed },
        ],
      },
    ]);
    expect(parseReport('CUCUMBERJSON', text)).toMatchObject({
      total: 2,
      failed: 2,
      failures: [{ name: 'Sums: a', message: 'A hook: no browser' }, { name: 'Sums: b' }],
    });
  });

  it.each([
    ['UTF-8 with a mark', Buffer.from('\uFEFF<a>ü</a>')],
    ['UTF-16', Buffer.from('\uFEFF<?xml version="1.0" encoding="utf-16"?><a>ü</a>', 'utf16le')],
    ['UTF-16, the other way round', Buffer.from('\uFEFF<a>ü</a>', 'utf16le').swap16()],
    ['what its declaration says', Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>ü</a>', 'latin1')],
    ['UTF-8, which its declaration calls UTF-16', Buffer.from("<?xml version='1.0' encoding='UTF-16'?><a>ü</a>")],
    ['UTF-8, whatever else its declaration says', Buffer.from('<?xml version="1.0" encoding="nonsense"?><a>ü</a>')],
  ])('is read in %s', (_name, bytes) => {
    expect(parseXml(reportText(bytes)).text).toBe('ü');
  });

  it('a run of Visual Studio that is only called completed has passed', () => {
    const text = '<TestRun><UnitTestResult testName="O" outcome="Completed"/></TestRun>';
    expect(parseReport('VISUALSTUDIOTRX', text)).toMatchObject({ total: 1, failed: 0, skipped: 0 });
  });

  it('Surefire tells which tests passed only when they ran again', () => {
    const text = `<testsuite><testcase name="connects" classname="a.Net"><flakyFailure message="reset"/><flakyError message="reset"/></testcase>
      <testcase name="sends" classname="a.Net"><failure message="reset"/><rerunFailure message="reset"/></testcase></testsuite>`;
    expect(parseReport('JUNITXML', text)).toMatchObject({
      total: 2,
      failed: 1,
      flaky: [{ name: 'a.Net.connects', attempt: 3 }],
    });
  });

  it.each<readonly [ReportFormat, string, number]>([
    ['COBERTURAXML', '<coverage line-rate="0.875"/>', 87.5],
    [
      'JACOCOXML',
      '<report><package><counter type="LINE" missed="9" covered="1"/></package><counter type="LINE" missed="1" covered="3"/></report>',
      75,
    ],
    ['CLOVERXML', '<coverage><project><metrics statements="8" coveredstatements="2"/></project></coverage>', 25],
    ['SIMPLECOV', '{"metrics":{"covered_percent":90.123}}', 90.12],
  ])('%s tells the coverage of lines', (format, text, coverage) => {
    expect(parseReport(format, text).coverage).toBe(coverage);
  });

  it.each<readonly [string, ReportFormat, string]>([
    ['no XML', 'JUNITXML', 'hello'],
    ['a cut file', 'JUNITXML', '<testsuite><testcase name="a">'],
    ['crossed tags', 'JUNITXML', '<a><b></a></b>'],
    ['entities of its own', 'JUNITXML', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'],
    ['very deep', 'JUNITXML', '<a>'.repeat(5_000) + '</a>'.repeat(5_000)],
    ['no JSON', 'CUCUMBERJSON', '{'],
    ['another shape of JSON', 'CUCUMBERJSON', '{}'],
    ['coverage without figures', 'COBERTURAXML', '<coverage/>'],
  ])('%s is an error that says what is wrong', (_name, format, text) => {
    expect(() => parseReport(format, text)).toThrow(/./);
  });

  it('XML: quotes hold a greater-than, attributes have no prototype, text is decoded once', () => {
    const element = parseXml(`<a b="1>2" __proto__='x' c='&amp;lt;'>&#65;&#x42;&unknown;</a>`);
    expect(element.attributes['b']).toBe('1>2');
    expect(element.attributes['c']).toBe('&lt;');
    expect(element.text).toBe('AB&unknown;');
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});
