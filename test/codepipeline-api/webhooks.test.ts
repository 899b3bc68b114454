import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { readJsonPath, valueAt } from '../../src/codepipeline-api/json-path.ts';
import { testDatabase } from '../database.ts';
import { declare } from './declare.ts';
import { doorBench, refusal } from './door-bench.ts';

const database = await testDatabase();
const bench = await doorBench(database);
const { client } = bench;

const secret = 'a secret of GitHub';
const filters = [{ jsonPath: '$.ref', matchEquals: 'refs/heads/{S3ObjectKey}' }, { jsonPath: "$.commits[0]['id']" }];
const push = JSON.stringify({ ref: 'refs/heads/app.zip', commits: [{ id: 'abc' }] });

async function hooked(change: object = {}) {
  const pipeline = declare({ Build: { Unit: {} } });
  await client.createPipeline({ pipeline });
  const webhook = {
    name: `hook-${pipeline.name}`,
    targetPipeline: pipeline.name!,
    targetAction: 'Fetch',
    filters,
    authentication: 'GITHUB_HMAC' as const,
    authenticationConfiguration: { SecretToken: secret },
    ...change,
  };
  return { pipelineName: pipeline.name!, webhook, put: () => client.putWebhook({ webhook }) };
}

async function deliver(url: string, body: string, headers: Record<string, string> = {}): Promise<number> {
  const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  const sent = { 'x-hub-signature-256': signature, 'content-type': 'application/json', ...headers };
  return (await fetch(url, { method: 'POST', body, headers: sent })).status;
}

test('a signed push that passes the filters starts the pipeline, a repeated delivery does not (CP-T-7)', async () => {
  const { pipelineName, put, webhook } = await hooked();
  const { webhook: made } = await put();
  expect(made?.definition?.authenticationConfiguration).toEqual({ SecretToken: '****' });
  const url = made!.url!;
  expect(await deliver(url, push, { 'x-github-delivery': 'd1' })).toBe(200);
  expect(await deliver(url, push, { 'x-github-delivery': 'd1' })).toBe(200);
  expect(await deliver(url, push.replace('app.zip', 'other'), { 'x-github-delivery': 'd2' })).toBe(200);
  expect(await deliver(url, push, { 'x-hub-signature-256': 'sha256=00' })).toBe(403);
  expect(await deliver(url, `${push} `, { 'x-hub-signature-256': 'none' })).toBe(403);
  expect(await deliver(`${url}x`, push)).toBe(404);
  expect(await deliver(url, '{')).toBe(400);
  await bench.engine.settled();
  const { pipelineExecutionSummaries = [] } = await client.listPipelineExecutions({ pipelineName });
  expect(pipelineExecutionSummaries.map(({ trigger }) => trigger)).toEqual([
    { triggerType: 'Webhook', triggerDetail: made!.arn },
    expect.objectContaining({ triggerType: 'CreatePipeline' }),
  ]);
  const again = await client.putWebhook({
    webhook: { ...webhook, authenticationConfiguration: { SecretToken: '****' } },
  });
  expect(again.webhook?.url).toBe(url);
  expect(again.webhook?.lastTriggered).toBeInstanceOf(Date);
  expect(await deliver(url, push, { 'x-github-delivery': 'd3' })).toBe(200);
  await client.deleteWebhook({ name: webhook.name });
  await client.deleteWebhook({ name: webhook.name });
  expect(await deliver(url, push)).toBe(404);
});

test.each([
  [{ targetAction: 'Unit' }, 'ValidationException'],
  [{ targetPipeline: 'nobody' }, 'PipelineNotFoundException'],
  [{ filters: [{ jsonPath: '$..ref' }] }, 'InvalidWebhookFilterPatternException'],
  [{ filters: [{ jsonPath: '$.a[?(@.b)]' }] }, 'InvalidWebhookFilterPatternException'],
  [{ authenticationConfiguration: {} }, 'InvalidWebhookAuthenticationParametersException'],
  [{ authentication: 'IP', authenticationConfiguration: { AllowedIPRange: 'x' } }, 'InvalidWebhookAuthentication'],
  [{ authentication: 'UNAUTHENTICATED' }, 'InvalidWebhookAuthenticationParametersException'],
])('a webhook with %o is refused', async (change, code) => {
  expect(await refusal((await hooked(change)).put())).toContain(code);
});

test('an address outside the range is turned away, one inside is heard', async () => {
  for (const [range, status] of [
    ['192.0.2.0/24', 403],
    ['127.0.0.0/8', 200],
  ] as const) {
    const { put } = await hooked({ authentication: 'IP', authenticationConfiguration: { AllowedIPRange: range } });
    expect(await deliver((await put()).webhook!.url!, push)).toBe(status);
  }
  const { webhooks = [], NextToken } = await client.listWebhooks({ MaxResults: 1 });
  expect([webhooks.length, typeof NextToken]).toEqual([1, 'string']);
});

test('a revision of a source is told once (CP-T-2)', async () => {
  const { pipelineName } = await hooked();
  const actionRevision = { revisionId: 'r7', revisionChangeId: 'c7', created: new Date() };
  const told = { pipelineName, stageName: 'Source', actionName: 'Fetch', actionRevision };
  const first = await client.putActionRevision(told);
  expect(first.newRevision).toBe(true);
  expect(await client.putActionRevision(told)).toMatchObject({
    newRevision: false,
    pipelineExecutionId: first.pipelineExecutionId,
  });
  expect(await refusal(client.putActionRevision({ ...told, actionName: 'No' }))).toContain('ActionNotFoundException');
});

test('tags of pipelines: added, replaced, removed; wrong ARNs and reserved keys are refused', async () => {
  const { pipelineName } = await hooked();
  const resourceArn = `arn:aws:codepipeline:us-east-1:111122223333:${pipelineName}`;
  await client.tagResource({
    resourceArn,
    tags: [
      { key: 'a', value: '1' },
      { key: 'b', value: '' },
    ],
  });
  await client.tagResource({ resourceArn, tags: [{ key: 'a', value: '2' }] });
  await client.untagResource({ resourceArn, tagKeys: ['b', 'c'] });
  expect((await client.listTagsForResource({ resourceArn })).tags).toEqual([{ key: 'a', value: '2' }]);
  const many = Array.from({ length: 51 }, (_, n) => ({ key: `k${n}`, value: '' }));
  expect(await refusal(client.tagResource({ resourceArn, tags: many }))).toContain('TooManyTagsException');
  expect(await refusal(client.tagResource({ resourceArn, tags: [{ key: 'aws:x', value: '' }] }))).toContain(
    'InvalidTags',
  );
  expect(await refusal(client.listTagsForResource({ resourceArn: `${resourceArn}x` }))).toContain('ResourceNotFound');
  expect(await refusal(client.listTagsForResource({ resourceArn: `${resourceArn}/Stage` }))).toContain('InvalidArn');
});

test.each([
  ['$', [], { a: 1 }],
  ['$.a', ['a'], 1],
  ["$['a b'][0].c-d", ['a b', 0, 'c-d'], undefined],
  ['$.__proto__', ['__proto__'], undefined],
])('the path %s', (text, steps, value) => {
  expect(readJsonPath(text)).toEqual(steps);
  expect(valueAt({ a: 1 }, steps)).toEqual(value);
});

test.each(['a', '$a', '$.', '$..a', '$[*]', '$.a.', "$['a"])('%s is no path', (text) => {
  expect(readJsonPath(text)).toBeUndefined();
});
