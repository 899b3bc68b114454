import { inspect } from 'node:util';
import pino from 'pino';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { AwsRefusal, callAws } from '../../src/engine/aws/call-errors.ts';
import { createAwsClients } from '../../src/engine/aws/clients.ts';
import type { CodePipelineApi } from '../../src/engine/aws/port.ts';
import { TransientError, UserError } from '../../src/errors.ts';
import { role } from './fake-aws.ts';
import { openServiceDoor } from './service-door.ts';

/** Errors as they come over the wire, through the SDK's own reading of them, to the sentence that a person sees. */
vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAOWN');
vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'own-secret');
const door = await openServiceDoor();
afterAll(async () => {
  vi.unstubAllEnvs();
  await door.close();
});

const arn = 'arn:aws:codepipeline:eu-west-1:111122223333:shop-prod';
const target = {
  account: '111122223333',
  region: 'eu-west-1',
  pipelineName: 'shop-prod',
  roleArn: role,
  externalId: 'x',
};
const subject = { repositoryId: 42, repository: 'acme/shop' };
let api: CodePipelineApi;
beforeAll(async () => {
  api = await createAwsClients({ endpoint: door.url, maxAttempts: 1 }).codePipeline(target, subject);
});

const start = (): Promise<unknown> => api.startPipelineExecution({ name: 'shop-prod' });
const retry = (): Promise<unknown> =>
  api.retryStageExecution({
    pipelineName: 'shop-prod',
    stageName: 'Build',
    pipelineExecutionId: '7e1f0000-0000-4000-8000-000000000001',
    retryMode: 'FAILED_ACTIONS',
  });
const calls = { StartPipelineExecution: start, RetryStageExecution: retry } as const;

async function outcome(call: keyof typeof calls, error: string, message: string, status = 400): Promise<unknown> {
  door.answers[call] = () => ({ error, message, status });
  return callAws(target, call, calls[call]).catch((thrown: unknown) => thrown);
}

const user = 'User: arn:aws:sts::111122223333:assumed-role/penstock/repo-42';

test.each([
  ['throttled', 'StartPipelineExecution', 'ThrottlingException', 'Rate exceeded', 400],
  ['too many requests', 'RetryStageExecution', 'TooManyRequestsException', 'Slow down', 429],
  ['broken at AWS', 'RetryStageExecution', 'InternalFailure', '', 500],
  ['credentials that have just ended', 'RetryStageExecution', 'ExpiredTokenException', 'The token has expired', 400],
  ['full', 'StartPipelineExecution', 'ConcurrentPipelineExecutionsLimitExceededException', 'No more than 50', 400],
  ['busy', 'StartPipelineExecution', 'ConflictException', 'in progress', 409],
] as const)('%s: it waits for its turn and nobody is bothered', async (_kind, call, error, message, status) => {
  expect(await outcome(call, error, message, status)).toBeInstanceOf(TransientError);
});

test('an answer that is no exception of a service is nobody’s refusal: it stays a defect', async () => {
  const thrown = await outcome('RetryStageExecution', 'Teapot', 'short and stout', 418);
  expect(thrown).toBeInstanceOf(Error);
  for (const kind of [AwsRefusal, UserError, TransientError]) expect(thrown).not.toBeInstanceOf(kind);
});

test.each([
  [
    'a missing right, with action and ARN (SEC-T-16)',
    'AccessDeniedException',
    `${user} is not authorized to perform: codepipeline:RetryStageExecution on resource: ${arn}/Build because no identity-based policy allows it`,
    `The role ${role} lacks codepipeline:RetryStageExecution on ${arn}/Build. \`penstock iam-policy\` prints the policy that it needs.`,
  ],
  [
    'a missing right that AWS does not name',
    'AccessDeniedException',
    'Access denied',
    `The role ${role} lacks codepipeline:RetryStageExecution on ${arn}. \`penstock iam-policy\` prints the policy that it needs.`,
  ],
  [
    'a right that a policy of the organization denies',
    'AccessDeniedException',
    `${user} is not authorized to perform: codepipeline:RetryStageExecution on resource: ${arn}/Build with an explicit deny in a service control policy`,
    `The role ${role} is denied codepipeline:RetryStageExecution on ${arn}/Build by an explicit deny in a service control policy: no policy of the role can allow it. Ask whoever owns that policy.`,
  ],
  [
    'a key that may not be used',
    'KMSAccessDeniedException',
    'The ciphertext refers to a key that you may not use',
    `The role ${role} lacks codepipeline:RetryStageExecution on ${arn}. \`penstock iam-policy\` prints the policy that it needs.`,
  ],
  [
    'a pipeline that is not there',
    'PipelineNotFoundException',
    "Account '111122223333' does not have a pipeline with name 'shop-prod'",
    'There is no pipeline shop-prod in eu-west-1 of the account 111122223333. Correct `pipelineName` and `region` of the binding in penstock.server.yml, and the account of its role.',
  ],
  [
    'credentials that AWS does not know',
    'UnrecognizedClientException',
    'The security token included in the request is invalid.',
    `AWS does not accept Penstock's own credentials (UnrecognizedClientException), so it cannot take the role ${role}. Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the server, and its clock.`,
  ],
])('%s: somebody can mend it', async (_kind, error, message, sentence) => {
  const thrown = await outcome('RetryStageExecution', error, message);
  expect(thrown).toBeInstanceOf(UserError);
  expect((thrown as UserError).message).toBe(sentence);
});

test.each([
  [
    'superseded',
    'NotLatestPipelineExecutionException',
    'not the latest',
    /^not the latest\. A newer execution has entered/,
  ],
  ['conflict', 'ConflictException', 'locked', /^locked\. Something else works on this stage right now/],
  [
    'outdated',
    'StageNotRetryableException',
    'structure changed',
    /^structure changed\. Nothing in this stage failed, or/,
  ],
  ['unknown', 'PipelineExecutionNotFoundException', 'no such execution', /^no such execution\.$/],
  ['new to us', 'SomethingNewException', 'AWS says so.', /^AWS says so\.$/],
  ['without words', 'SomethingNewException', '', /^SomethingNewException$/],
])('%s: a refusal in CodePipeline’s words and what to do', async (_kind, error, message, sentence) => {
  const thrown = await outcome('RetryStageExecution', error, message);
  expect(thrown).toBeInstanceOf(AwsRefusal);
  expect((thrown as AwsRefusal).refusal).toMatchObject({
    exception: error,
    message: expect.stringMatching(sentence) as string,
  });
});

test('neither the error nor what a log makes of it holds a key or a session (SEC-T-02, SEC-T-16)', async () => {
  for (const error of ['AccessDeniedException', 'ThrottlingException', 'SomethingNewException', 'InternalFailure']) {
    const thrown = await outcome('RetryStageExecution', error, 'no', error === 'InternalFailure' ? 500 : 400);
    const lines: string[] = [];
    pino({}, { write: (line: string) => void lines.push(line) }).error({ err: thrown }, 'a job failed');
    const all = `${inspect(thrown, { depth: 10 })}${lines.join('')}`;
    expect(all).toContain(error);
    for (const secret of ['own-secret', door.secrets.key, door.secrets.token]) expect(all).not.toContain(secret);
  }
});
