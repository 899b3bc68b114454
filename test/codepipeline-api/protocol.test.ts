import { expect, test } from 'vitest';
import { keyBook } from '../../src/codepipeline-api/key-book.ts';
import { makeSession } from '../../src/codepipeline-api/session-credentials.ts';
import { testDatabase } from '../database.ts';
import { approval, declare } from './declare.ts';
import { doorBench, refusal } from './door-bench.ts';
import { rawCall, send, signedHeaders } from './signed-fetch.ts';

const { db, open } = await testDatabase();
const bench = await doorBench({ db, open });
const { url, admin, client } = bench;

const json = 'application/x-amz-json-1.1';
const target = 'CodePipeline_20150709.ListPipelines';

test('an answer has its media type and a request id; the SDK reads it (CP-W-1, CP-W-18)', async () => {
  const listed = await rawCall(url, 'ListPipelines', '{}', admin);
  expect(listed.status).toBe(200);
  expect(listed.headers.get('content-type')).toBe(json);
  expect(Math.abs(Date.parse(listed.headers.get('date') ?? '') - Date.now())).toBeLessThan(60_000);
  expect(listed.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
  expect(await client.listPipelines()).toMatchObject({ pipelines: [] });
});

test.each([
  ['an unknown operation', 'DropEverything', '{}', {}, 'UnknownOperationException'],
  ['an operation of the language, not of the API', 'constructor', '{}', {}, 'UnknownOperationException'],
  ['another media type', 'ListPipelines', '{}', { 'content-type': 'application/json' }, 'UnknownOperationException'],
  ['another service', 'ListPipelines', '{}', { 'x-amz-target': 'CodeBuild_20161006.ListBuilds' }, 'UnknownOperation'],
  ['no JSON', 'ListPipelines', '{"maxResults":', {}, 'SerializationException'],
  ['JSON that is no object', 'ListPipelines', '[1]', {}, 'SerializationException'],
  ['a text for a number', 'ListPipelines', '{"maxResults":"3"}', {}, 'SerializationException'],
  ['a number for a text', 'GetPipeline', '{"name":7}', {}, 'SerializationException'],
  ['a list for a structure', 'CreatePipeline', '{"pipeline":[]}', {}, 'SerializationException'],
  ['a hundred thousand brackets', 'ListPipelines', `{"a":${'['.repeat(100_000)}`, {}, 'SerializationException'],
  ['a bound overstepped', 'ListPipelines', '{"maxResults":1001}', {}, 'ValidationException'],
])('%s is refused (CP-W-11)', async (_what, operation, body, headers, code) => {
  const answer = await rawCall(url, operation, body, admin, headers);
  expect(answer.status).toBe(400);
  expect(answer.error).toContain(code);
});

test('an empty body is an empty input, and unknown or null members are no matter (CP-W-7)', async () => {
  expect((await rawCall(url, 'ListPipelines', '', admin)).status).toBe(200);
  expect((await rawCall(url, 'ListPipelines', '{"nextToken":null,"later":{"a":[]}}', admin)).status).toBe(200);
});

test('whole numbers are numbers without a point, and texts are UTF-8 (CP-W-14)', async () => {
  const pipeline = declare({ Gate: { Approve: { ...approval, configuration: { CustomData: 'Tür 🚪' } } } });
  await client.createPipeline({ pipeline });
  const got = await rawCall(url, 'GetPipeline', JSON.stringify({ name: pipeline.name }), admin);
  expect(got.text).toMatch(/"version":1[,}]/);
  expect(got.text).toMatch(/"runOrder":1[,}]/);
  expect(got.text).toContain('"CustomData":"Tür 🚪"');
  await client.deletePipeline({ name: pipeline.name });
});

test('a body over the cap is refused and nothing of it is kept', async () => {
  const answer = await rawCall(url, 'ListPipelines', `{"a":"${'x'.repeat(1024 * 1024)}"}`, admin);
  expect(answer.status).toBe(413);
  expect(answer.error).toContain('RequestEntityTooLargeException');
});

test('all violations are told at once, in the words of AWS (CP 1.3, CP-W-9)', async () => {
  const pipeline = {
    ...declare({ Build: { Unit: {} } }),
    roleArn: undefined,
    artifactStore: { type: 'EBS', location: 'a' },
    stages: [{ name: 'Sour ce', actions: [{ name: 'a', actionTypeId: {}, configuration: { k: '' } }] }],
  };
  const { error } = await rawCall(url, 'CreatePipeline', JSON.stringify({ pipeline }), admin);
  const start = 'failed to satisfy constraint: Member must';
  expect(error.split('; ').map((line) => line.replace(/^ValidationException: /, ''))).toEqual([
    `9 validation errors detected: Value at 'pipeline.roleArn' ${start} not be null`,
    `Value at 'pipeline.artifactStore.type' ${start} satisfy enum value set: [S3]`,
    `Value at 'pipeline.artifactStore.location' ${start} have length greater than or equal to 3`,
    `Value at 'pipeline.stages.1.member.name' ${start} satisfy regular expression pattern: [A-Za-z0-9.@\\-_]+`,
    `Value at 'pipeline.stages.1.member.actions.1.member.actionTypeId.category' ${start} not be null`,
    `Value at 'pipeline.stages.1.member.actions.1.member.actionTypeId.owner' ${start} not be null`,
    `Value at 'pipeline.stages.1.member.actions.1.member.actionTypeId.provider' ${start} not be null`,
    `Value at 'pipeline.stages.1.member.actions.1.member.actionTypeId.version' ${start} not be null`,
    "Value at 'pipeline.stages.1.member.actions.1.member.configuration' failed to satisfy constraint: Map value must " +
      'satisfy constraint: [Member must have length less than or equal to 50000, Member must have length greater than or equal to 1]',
  ]);
});

const unsigned = { 'content-type': json, 'x-amz-target': target };
const sign = (change: object = {}, headers = unsigned, body = '{}') =>
  signedHeaders(`${url}/`, { method: 'POST', headers, body }, { ...admin, ...change });

test.each([
  ['without a signature', () => unsigned, 'MissingAuthenticationTokenException'],
  ['with half a signature', () => ({ ...unsigned, authorization: 'AWS4-HMAC-SHA256 Credential=a' }), 'IncompleteSig'],
  ['with another scheme', () => ({ ...unsigned, authorization: 'Basic YTpi' }), 'IncompleteSignatureException'],
  ['of an unknown key', () => sign({ accessKeyId: 'AKIA0000000000000000' }), 'UnrecognizedClientException'],
  ['with a wrong secret', () => sign({ secretAccessKey: 'guess' }), 'InvalidSignatureException'],
  ['signed for another service', () => sign({ service: 's3' }), 'InvalidSignatureException'],
  ['signed over another body', () => sign({}, unsigned, '{"maxResults":1}'), 'InvalidSignatureException'],
  ['signed six minutes ago', () => sign({ at: new Date(Date.now() - 360_000) }), 'Signature expired'],
  ['signed six minutes ahead', () => sign({ at: new Date(Date.now() + 360_000) }), 'Signature not yet current'],
  ['with a header slipped in', () => ({ ...sign(), 'x-amz-extra': 'yes' }), 'were not signed'],
  [
    'with another target than signed',
    () => ({ ...sign(), 'x-amz-target': 'CodePipeline_20150709.GetPipeline' }),
    'Invalid',
  ],
])('a request %s is refused (CP-W-12)', async (_how, headers, code) => {
  const answer = await send(`${url}/`, '{}', headers());
  expect(answer.status).toBe(400);
  expect(answer.error).toContain(code);
});

test('four minutes of skew either way are forgiven', async () => {
  for (const ms of [-240_000, 240_000]) {
    expect((await send(`${url}/`, '{}', sign({ at: new Date(Date.now() + ms) }))).status).toBe(200);
  }
});

test('a revoked key is unknown', async () => {
  const key = await bench.key({});
  expect((await rawCall(url, 'ListPipelines', '{}', key)).status).toBe(200);
  await keyBook(bench.door).revoke(key.accessKeyId);
  expect((await rawCall(url, 'ListPipelines', '{}', key)).error).toContain('UnrecognizedClientException');
});

test("a read-only key reads and changes nothing; a worker job's credentials open no operation", async () => {
  const reader = bench.clientOf(await bench.key({ readOnly: true }));
  await reader.listPipelines();
  expect(await refusal(reader.createPipeline({ pipeline: declare({ Build: { Unit: {} } }) }))).toMatch(
    /^AccessDeniedException: User: arn:aws:iam::111122223333:user\/penstock\/AKIA\S+ is not authorized to perform: codepipeline:CreatePipeline/,
  );
  const session = makeSession(bench.door, { scope: 0, objects: { read: [], write: [] }, minutes: 5 });
  const worker = bench.clientOf(session);
  expect(await refusal(worker.listPipelines())).toContain('AccessDeniedException');
  const stale = makeSession(bench.door, { scope: 0, objects: { read: [], write: [] }, minutes: -1 });
  expect(await refusal(bench.clientOf(stale).listPipelines())).toContain('ExpiredTokenException');
  const forged = { ...session, sessionToken: `${session.sessionToken.slice(0, -3)}abc` };
  expect(await refusal(bench.clientOf(forged).listPipelines())).toContain('UnrecognizedClientException');
});

test('a key sees only the pipelines of its binding (CP-X-65)', async () => {
  const one = bench.clientOf(await bench.key({ repositoryId: 42 }));
  const pipeline = declare({ Build: { Unit: {} } });
  await one.createPipeline({ pipeline });
  expect((await one.listPipelines()).pipelines?.map(({ name }) => name)).toEqual([pipeline.name]);
  const other = bench.clientOf(await bench.key({ repositoryId: 43 }));
  for (const stranger of [other, client]) {
    expect((await stranger.listPipelines()).pipelines).toEqual([]);
    expect(await refusal(stranger.getPipelineState({ name: pipeline.name }))).toBe(
      "PipelineNotFoundException: The account with AWS account ID '111122223333' does not include a pipeline named " +
        `'${pipeline.name}'`,
    );
  }
});

test('requests over the rate of a key are throttled, and other keys are not (CP-W-6)', async () => {
  const { url: slow } = await bench.serve({ rate: { perSecond: 0.001, burst: 3 } });
  const answers = [];
  for (let n = 0; n < 4; n += 1) answers.push((await rawCall(slow, 'ListPipelines', '{}', admin)).status);
  expect(answers).toEqual([200, 200, 200, 400]);
  expect((await rawCall(slow, 'ListPipelines', '{}', admin)).error).toBe('ThrottlingException: Rate exceeded');
  expect((await rawCall(slow, 'ListPipelines', '{}', await bench.key({}))).status).toBe(200);
});

test('without signatures only on loopback, and only under loopback names', async () => {
  await expect(bench.serve({ anonymous: true, host: '0.0.0.0' })).rejects.toThrow('loopback only');
  const { url: free } = await bench.serve({ anonymous: true });
  expect((await send(`${free}/`, '{}', unsigned)).status).toBe(200);
  const { request } = await import('node:http');
  const status = await new Promise((resolve, reject) => {
    const asked = request(
      `${free}/`,
      { method: 'POST', headers: { ...unsigned, host: 'evil.example' } },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    asked.on('error', reject).end('{}');
  });
  expect(status).toBe(403);
});
