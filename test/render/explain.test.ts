import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FailureType } from '@aws-sdk/client-codepipeline';
import { explainEnding, explainFailure } from '../../src/render/explain.ts';
import { bob, declare } from './views.ts';

const build = declare('Unit', 'Build');
const approval = declare('Approve', 'Approval');

const root = join(import.meta.dirname, '../..');

function sources(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(join(root, folder, path), 'utf8'));
}

function explain(code: string, message: string, declared = build) {
  return explainFailure({ action: 'Unit', attempt: 1, error: { code, message } }, declared);
}

/** What each situation of CodePipeline's failure list says, and words of its cause and mend. */
const situations: readonly (readonly [id: string, code: string, message: string, told: RegExp])[] = [
  [
    'CP-F-1',
    'ConfigurationError',
    '[GitHub] No Branch [main] found for FullRepositoryName [o/r]',
    /branch.*BranchName/,
  ],
  [
    'CP-F-2',
    'PermissionError',
    'Unable to use Connection: arn:x. The provided role does not have sufficient permissions.',
    /UseConnection/,
  ],
  [
    'CP-F-3',
    'ConfigurationError',
    'The connection arn:aws:codeconnections:x is PENDING.',
    /never confirmed.*pending connection/,
  ],
  ['CP-F-4', 'PermissionError', '[GitHub] Upload to S3 failed with the following error: Access Denied', /bucket/],
  ['CP-F-5', 'ConfigurationError', 'The GitHub repository "o/r" or branch "b" does not exist.', /BranchName/],
  [
    'CP-F-6',
    'ConfigurationError',
    'The action failed because no branch named X was found in the selected AWS CodeCommit repository Y.',
    /BranchName/,
  ],
  ['CP-F-7', 'ConfigurationError', 'The object with key a.zip does not exist in bucket B.', /S3ObjectKey/],
  [
    'CP-F-8',
    'PermissionError',
    'The role lacks permissions to access the Amazon S3 bucket named B. Error: Amazon S3:AccessDenied:x',
    /bucket/,
  ],
  [
    'CP-F-9',
    'PermissionError',
    'CodePipeline is not authorized to perform AssumeRole on role arn:x',
    /cannot be taken.*trust policy/,
  ],
  ['CP-F-10', 'ConfigurationError', 'S3 404 NoSuchKey', /never written.*earlier action/],
  [
    'CP-F-11',
    'JobFailed',
    'The bucket must be addressed using the specified endpoint.',
    /another region.*artifactStores/,
  ],
  ['CP-F-12', 'JobFailed', 'Could not unzip the input artifact.', /no ZIP archive.*CODE_ZIP/],
  [
    'CP-F-13',
    'ConfigurationError',
    'one or more variables could not be resolved: Action name=Unit.',
    /no value.*namespace/,
  ],
  ['CP-F-15', 'ConfigurationError', 'The AWS Lambda function X does not exist.', /Lambda.*FunctionName/],
  ['CP-F-16', 'JobFailed', 'The action timed out after 60 minutes.', /longer.*timeoutInMinutes/],
  ['CP-F-17', 'JobFailed', 'Build terminated with state: FAILED', /build failed.*log/],
  [
    'CP-F-18',
    'JobFailed',
    'Build terminated with state: FAILED. PROVISIONING: ACCESS_DENIED: Service role arn:x',
    /permission.*role/,
  ],
  [
    'CP-F-19',
    'JobFailed',
    'AccountLimitExceededException: Cannot have more than 2 active builds',
    /as many builds.*quota/,
  ],
  ['CP-F-20', 'ConfigurationError', 'The AWS ECS container X does not exist', /container/],
  ['CP-F-21', 'ConfigurationError', 'Exception while trying to read the task definition artifact file from: X', /3 MB/],
  ['CP-F-22', 'JobFailed', 'The action timed out after 60 minutes.', /longer/],
  ['CP-F-23', 'JobFailed', 'The action timed out after 60 minutes.', /longer.*timeoutInMinutes/],
  ['CP-F-27', 'JobFailed', 'Rate exceeded (Service: CloudFormation)', /too often.*some minutes/],
  ['CP-F-36', 'InternalError', 'Internal service error', /incident.*some minutes/],
];

/** No failed action tells of these: where they are shown instead. */
const elsewhere: Readonly<Record<string, string>> = {
  'CP-F-14': 'the whole execution fails: below',
  'CP-F-24': 'an approval: below',
  'CP-F-25': 'superseded: test/render/samples/superseded-aggregate.txt',
  'CP-F-26': 'waiting to enter: test/render/check-run.test.ts',
  'CP-F-28': 'a start that is refused: test/pipeline/scenarios/start-limit.txt',
  'CP-F-29': 'an update in the middle: test/pipeline/scenarios/update-back.txt',
  'CP-F-30': 'a refused command: test/pipeline/transition.test.ts',
  'CP-F-31': 'a refused command: test/pipeline/transition.test.ts',
  'CP-F-32': 'a refused command: test/pipeline/scenarios/rollback-refused.txt',
  'CP-F-33': 'a held stage: test/render/samples/held-stage.txt',
  'CP-F-34': 'why nothing started: test/handlers/questions.long.test.ts',
  'CP-F-35': 'two executions, each with its checks: test/pipeline/triggers.test.ts',
};

describe('every failure that can occur has a cause and a mend in plain words (CP section 11)', () => {
  it('leaves no situation out', () => {
    const told = [...situations.map(([id]) => id), ...Object.keys(elsewhere)];
    const all = Array.from({ length: 36 }, (_, index) => `CP-F-${index + 1}`);
    expect(told.toSorted()).toEqual(all.toSorted());
    const files = Object.values(elsewhere).flatMap((where) => where.match(/test\/\S+$/) ?? []);
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  it.each(situations)('%s', (_id, code, message, expected) => {
    const { cause, mend } = explain(code, message);
    expect(`${cause} ${mend}`).toMatch(expected);
  });

  it.each([
    [
      'a broken buildspec',
      'Build terminated with state: FAILED. DOWNLOAD_SOURCE: YAML_FILE_ERROR: b.yml:2:1: x',
      /buildspec.*line/,
    ],
    [
      'a buildspec that is not there',
      'Build terminated with state: FAILED. DOWNLOAD_SOURCE: YAML_FILE_ERROR: the buildspec ci/b.yml does not exist in the primary source. Correct the path.',
      /is not there.*Add the file/,
    ],
    [
      'a buildspec that is a folder',
      'Build terminated with state: FAILED. DOWNLOAD_SOURCE: YAML_FILE_ERROR: the buildspec ci is no file. Name a file.',
      /is not there/,
    ],
    [
      'a secondary artifact of another name',
      "Build terminated with state: FAILED. UPLOAD_ARTIFACTS: The action has 2 output artifacts, and Api is none of the buildspec's secondary-artifacts.",
      /does not name.*one name/,
    ],
    [
      'an output without artifacts',
      'Build terminated with state: FAILED. UPLOAD_ARTIFACTS: The action has the output artifact Api, but the buildspec has no artifacts.',
      /does not name.*one name/,
    ],
    [
      'a secret that is not there',
      'The environment variable T asks for the secret x, which this build may not see.',
      /secret/,
    ],
    [
      'artifacts that are not there',
      'Build terminated with state: FAILED. UPLOAD_ARTIFACTS: no matching artifact paths found for Out',
      /artifacts:/,
    ],
    [
      'a tool that is not there',
      'Build terminated with state: FAILED. BUILD: Error while executing command: cmake. Reason: exit status 127',
      /not installed/,
    ],
    ['a file that may not be executed', 'The command "./build.sh" ended with exit status 126.', /executed.*chmod/],
    ['a lack of memory', 'The command "npm test" ended with exit status 137.', /memory/],
    ['a stopped build', 'Build terminated with state: STOPPED. BUILD: The build was stopped.', /stopped/],
    ['a limit', 'Build terminated with state: FAULT. BUILD: The build was ended, because it used too much.', /limit/],
    [
      'a build that took too long',
      'Build terminated with state: TIMED_OUT. BUILD: Build timed out after 5 minutes.',
      /longer/,
    ],
    ['commands that took too long', 'The command "sleep 9" ended with a timeout after 55 minutes.', /longer/],
    ['a command that only speaks of time', 'The command "echo timed out" ended with exit status 1.', /commands failed/],
    ['any command', 'The command "npm test" ended with exit status 1.', /commands failed.*Push a fix/],
    ['any work', 'no', /went wrong.*Push a fix/],
  ])('%s', (_what, message, expected) => {
    const { cause, mend } = explain('JobFailed', message);
    expect(`${cause} ${mend}`).toMatch(expected);
  });

  it.each([
    'npm run test:throttling',
    'cat "/object does not exist"',
    './not a zip.sh',
    'grep AccessDenied log',
    'echo "Service unavailable. Reason: internal error"',
    'make NoSuchKey',
  ])('a command whose words say something else is but a command: %s', (command) => {
    const ended = explain('JobFailed', `The command "${command}" ended with exit status 1.`);
    expect(ended.cause).toBe('One of its commands failed.');
    const quoted = `Error while executing command: ${command}. Reason: exit status 1`;
    const built = explain('JobFailed', `Build terminated with state: FAILED. BUILD: ${quoted}`);
    expect(built.cause).toBe('The build failed.');
  });

  it.each([
    ['ActionLost', /process.*Retry if running it twice does no harm/],
    ['ConfigurationError', /configuration cannot be used.*declaration/],
    ['PermissionError', /permission is missing/],
    ['InternalError', /outside of your change.*runs this server/],
    ['SystemUnavailable', /away.*some minutes/],
    ['ThrottlingException', /too often.*some minutes/],
    ['RevisionUnavailable', /\/rerun/],
    ['RevisionOutOfSync', /\/rerun/],
    ['RuleTimedOut', /rule.*override/],
    ['SomethingNew', /It failed.*Retry/],
  ])('the code %s alone', (code, expected) => {
    const { cause, mend } = explain(code, 'x');
    expect(`${cause} ${mend}`).toMatch(expected);
  });

  it('knows every code that this program gives itself, and those that job workers may give', () => {
    const given = sources('src').flatMap((text) => [
      ...[...text.matchAll(/\bcode: '([A-Z]\w+)'(?:,| })? ?message/g)].map(([, code]) => code),
      ...[...text.matchAll(/\bfailed\(\s*'([A-Z]\w+)'/g)].map(([, code]) => code),
    ]);
    const workers = Object.keys(FailureType);
    expect(new Set(given).size).toBeGreaterThan(3);
    const unknown = [...given, ...workers].filter((code) => explain(code ?? '', 'x').cause === 'It failed.');
    expect(unknown).toEqual([]);
  });

  it('a whole execution that failed for want of a variable says how to give it (F-14)', () => {
    const known = explainEnding("Values for required variables haven't been provided: LEVEL");
    expect(`${known?.cause} ${known?.mend}`).toMatch(/neither a value nor a default.*defaultValue/);
    expect(explainEnding('something else')).toBeUndefined();
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
