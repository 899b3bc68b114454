import { describe, expect, it } from 'vitest';
import { explainFailure } from '../../src/render/explain.ts';
import { bob, declare } from './views.ts';

const build = declare('Unit', 'Build');
const approval = declare('Approve', 'Approval');

function explain(code: string, message: string, declared = build) {
  return explainFailure({ action: 'Unit', attempt: 1, error: { code, message } }, declared);
}

describe('every failure that can occur has a cause and a mend in plain words (CP section 11)', () => {
  it.each([
    ['F-1', 'ConfigurationError', '[GitHub] No Branch [main] found for FullRepositoryName [o/r]', /branch.*BranchName/],
    [
      'F-2',
      'PermissionError',
      'Unable to use Connection: arn:x. The provided role does not have sufficient permissions.',
      /UseConnection/,
    ],
    ['F-4', 'PermissionError', '[GitHub] Upload to S3 failed with the following error: Access Denied', /bucket/],
    ['F-5', 'ConfigurationError', 'The GitHub repository "o/r" or branch "b" does not exist.', /BranchName/],
    [
      'F-8',
      'PermissionError',
      'The role lacks permissions to access the Amazon S3 bucket named B. Error: Amazon S3:AccessDenied:x',
      /bucket/,
    ],
    ['F-10', 'ConfigurationError', 'S3 404 NoSuchKey', /never written.*earlier action/],
    [
      'F-13',
      'ConfigurationError',
      'one or more variables could not be resolved: Action name=Unit.',
      /no value.*namespace/,
    ],
    ['F-15', 'ConfigurationError', 'The AWS Lambda function X does not exist.', /Lambda.*FunctionName/],
    ['F-17', 'JobFailed', 'Build terminated with state: FAILED', /build failed.*log/],
    ['F-20', 'ConfigurationError', 'The AWS ECS container X does not exist', /container/],
    ['F-23', 'JobFailed', 'The action timed out after 60 minutes.', /longer.*timeoutInMinutes/],
    ['any command', 'JobFailed', 'Command `npm test` ended with exit code 1.', /commands failed.*Push a fix/],
    ['a lost process', 'ActionLost', 'The worker is gone.', /process.*Retry if running it twice does no harm/],
    ['any configuration', 'ConfigurationError', 'ProjectName is missing.', /configuration cannot be used.*declaration/],
    ['any permission', 'PermissionError', 'no.', /permission is missing/],
    ['our own fault', 'InternalError', 'x', /outside of your change.*runs this server/],
    ['an outage', 'SystemUnavailable', 'x', /away.*some minutes/],
    ['throttling', 'ThrottlingException', 'x', /too often.*some minutes/],
    ['a vanished revision', 'RevisionUnavailable', 'x', /\/rerun/],
    ['a slow rule', 'RuleTimedOut', 'x', /rule.*override/],
    ['anything else', 'SomethingNew', 'x', /It failed.*Retry/],
  ])('%s', (_id, code, message, expected) => {
    const { cause, mend } = explain(code, message);
    expect(`${cause} ${mend}`).toMatch(expected);
  });

  it('a rejection names who said no, a gate that nobody answered says so (CP-A-4, A-5)', () => {
    const error = { code: 'JobFailed', message: 'no' };
    expect(explainFailure({ action: 'Approve', attempt: 1, error, answeredBy: bob }, approval).cause).toBe(
      'bob rejected it.',
    );
    expect(explain('JobFailed', 'The action timed out after 10080 minutes.', approval).cause).toBe(
      'Nobody answered in time.',
    );
  });
});
