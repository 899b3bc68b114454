// The last lines of CI: which tests failed and with what, which passed only when tried again, and the count.
// Usage: node .ci/verdict.mjs <failed steps> <report>… — reports are those of vitest's JSON reporter.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const [failedSteps, ...files] = process.argv.slice(2);
const linesOfFailure = 25;

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const message = `no report: ${error.message}`;
    return { numPassedTests: 0, numFailedTests: 0, testResults: [{ name: file, status: 'failed', message }] };
  }
}

function tell(verdict, file, name, messages) {
  console.log(`${verdict}: ${relative(process.cwd(), file)} > ${name}`);
  const lines = stripVTControlCharacters(messages.join('\n')).split('\n');
  const telling = lines.filter((line) => line.trim() !== '' && !line.includes('node_modules/'));
  for (const line of telling.slice(0, linesOfFailure)) console.log(`    ${line}`);
}

/** A file that did not load has failed without any test of its own. */
function didNotLoad({ status, assertionResults = [] }) {
  return status === 'failed' && !assertionResults.some((test) => test.status === 'failed');
}

function tellFile(result) {
  const { name: file, message, assertionResults = [] } = result;
  if (didNotLoad(result)) tell('failed', file, 'the file itself', [message ?? 'no reason was reported']);
  for (const { status, fullName, failureMessages = [] } of assertionResults) {
    if (status === 'failed') tell('failed', file, fullName, failureMessages);
    else if (failureMessages.length > 0) tell('passed when tried again', file, fullName, failureMessages);
  }
}

const reports = files.map(read);
const results = reports.flatMap((report) => report.testResults);
for (const result of results) tellFile(result);
const passed = reports.reduce((sum, report) => sum + report.numPassedTests, 0);
const failedTests = reports.reduce((sum, report) => sum + report.numFailedTests, 0);
const failed = Math.max(failedTests + results.filter(didNotLoad).length, Number(failedSteps));
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
