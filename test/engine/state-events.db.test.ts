import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { sql } from 'kysely';
import pino from 'pino';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { readServerConfig } from '../../src/config/server.ts';
import { registerEventSinks } from '../../src/db/event-outbox.ts';
import { noMeter } from '../../src/engine/aws/meter.ts';
import { awsEvents } from '../../src/main/aws-events.ts';
import { signatureOf } from '../../src/main/event-receivers.ts';
import { openReceivers } from '../../src/main/receivers.ts';
import { sendEvent } from '../../src/main/state-events.ts';
import { testDatabase } from '../database.ts';
import { aPipeline } from './a-pipeline.ts';
import { engineBench } from './engine-bench.ts';
import { hookReceiver } from './hook-receiver.ts';

const database = await testDatabase();
const { db } = database;
const bench = await engineBench(database);
const key = 'a key that nobody guesses';

const { address, received, statuses } = await hookReceiver();

beforeEach(() => {
  received.length = 0;
  statuses.length = 0;
});

/** Sends what happens from now on to the receivers of this penstock.server.yml. */
async function tell(events: string): Promise<void> {
  const read = readServerConfig(`events:\n  all: ${events}\napi: { account: "111122223333", region: eu-west-1 }\n`);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const { events: receivers } = await openReceivers(read.config, { KEY: key });
  await registerEventSinks(db, [...receivers.keys()]);
  const options = { db, log: pino({ level: 'silent' }), now: bench.runner.now, api: read.config.api, receivers };
  bench.onEvent = (payload) => sendEvent(options, payload);
  onTestFinished(() => registerEventSinks(db, []));
}

const https = (url: string): string => `{ https: { url: "${url}", key: { fromEnv: KEY }, allowPrivate: true } }`;

interface Told {
  readonly 'detail-type': string;
  readonly detail: Readonly<Record<string, string | number | object | undefined>> & {
    readonly stage?: string;
    readonly action?: string;
    readonly state: string;
  };
}

const told = (): Told[] => received.map(({ body }) => JSON.parse(body) as Told);

/** `Stage STARTED Build` and the like, in no order: delivery promises none. */
function lines(): string[] {
  return told()
    .map(({ 'detail-type': type, detail }) => {
      const place = [detail['stage'], detail['action']].filter((one) => one !== undefined).join('/');
      return `${type.split(' ')[1]} ${detail.state} ${place}`.trim();
    })
    .toSorted();
}

const gated = aPipeline({
  Source: { Checkout: 'CodeStarSourceConnection' },
  Release: { Approve: { provider: 'Manual' } },
});

test('each state change of pipeline, stage and action is told once, signed, in the fields of EventBridge (CP-E-2)', async () => {
  await tell(https(address));
  const id = await bench.start(gated, { pullRequest: 7 });
  await bench.settled();
  await bench.answer(id, 'reject', 'no');
  await bench.settled();
  expect(lines()).toEqual([
    'Action FAILED Release/Approve',
    'Action STARTED Release/Approve',
    'Action STARTED Source/Checkout',
    'Action SUCCEEDED Source/Checkout',
    'Pipeline FAILED',
    'Pipeline STARTED',
    'Stage FAILED Release',
    'Stage STARTED Release',
    'Stage STARTED Source',
    'Stage SUCCEEDED Source',
  ]);
  for (const { headers, body } of received) {
    expect(headers['x-penstock-signature-256']).toBe(signatureOf(body, key));
  }
  const failed = told().find(({ detail }) => detail['action'] === 'Approve' && detail['state'] === 'FAILED');
  const pipeline = `${gated.name}@pr-7`;
  const moment = expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string;
  // CP-E-5, CP-E-7.
  expect(failed).toEqual({
    version: '0',
    id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    'detail-type': 'CodePipeline Action Execution State Change',
    source: 'aws.codepipeline',
    account: '111122223333',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
    region: 'eu-west-1',
    resources: [`arn:aws:codepipeline:eu-west-1:111122223333:${pipeline}`],
    detail: {
      pipeline,
      'execution-id': id,
      'start-time': moment,
      stage: 'Release',
      action: 'Approve',
      'action-execution-id': expect.any(String) as string,
      state: 'FAILED',
      version: 1,
      'pipeline-execution-attempt': 1,
      region: 'eu-west-1',
      type: { owner: 'AWS', provider: 'Manual', category: 'Approval', version: '1' },
      'input-artifacts': [],
      'output-artifacts': [],
      'execution-result': { 'external-execution-summary': 'no', 'error-code': 'JobFailed' },
    },
  });
});

test('a retry resumes stage and pipeline with the next attempt; a stop says its reason (CP-E-3, CP-E-4, CP-E-6)', async () => {
  const id = await bench.start(gated);
  await bench.settled();
  await bench.answer(id, 'reject', 'no');
  await bench.settled();
  await tell(https(address));
  const { lane } = await bench.read(id);
  const by = { kind: 'person', id: 2, login: 'reviewer' } as const;
  await bench.engine.obey({ kind: 'retry', lane, execution: id, stage: 'Release', mode: 'FAILED_ACTIONS' }, by);
  await bench.engine.obey({ kind: 'stop', lane, execution: id, abandon: true, reason: 'enough' }, by);
  await bench.settled();
  expect(lines()).toEqual([
    'Action ABANDONED Release/Approve',
    'Action STARTED Release/Approve',
    'Pipeline RESUMED',
    'Pipeline STOPPED',
    'Pipeline STOPPING',
    'Stage RESUMED Release',
    'Stage STOPPED Release',
    'Stage STOPPING Release',
  ]);
  const stopped = told().find(
    (one) => one['detail-type'].startsWith('CodePipeline Pipeline') && one.detail['state'] === 'STOPPED',
  );
  expect(stopped?.detail).toMatchObject({ 'pipeline-execution-attempt': 2, 'stop-execution-comments': 'enough' });
  expect(Object.keys(stopped?.detail ?? {})).toContain('last-retry-attempt-time');
});

test('a receiver that is away is asked again until it has every event', async () => {
  await tell(https(address));
  statuses.push(503, 429, 500);
  await bench.start(aPipeline({ Source: { Checkout: 'CodeStarSourceConnection' } }));
  await vi.waitFor(() => expect(received).toHaveLength(6), { timeout: 20_000, interval: 50 });
  await bench.settled();
  const ids = received.map(({ body }) => (JSON.parse(body) as { id: string }).id);
  expect(new Set(ids).size).toBe(6);
});

test('the events door of the AWS engine understands what this engine tells, by its signature alone', async () => {
  const looked: string[] = [];
  const log = pino({ level: 'silent' });
  const boundTo = (...where: readonly string[]) => {
    looked.push(where.join('/'));
    return [];
  };
  const door = awsEvents({ db, log, meter: noMeter, boundTo, serves: () => true, key: () => key });
  const server = serve({ fetch: door.fetch, hostname: '127.0.0.1', port: 0 });
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/aws/events`;
  const id = await bench.start(gated);
  await bench.settled();
  await tell(https(url));
  await bench.answer(id, 'approve');
  await bench.settled();
  expect(looked.length).toBeGreaterThanOrEqual(3);
  expect(new Set(looked)).toEqual(new Set([`111122223333/eu-west-1/${gated.name}`]));
  const forged = await fetch(url, { method: 'POST', body: '{}', headers: { 'x-penstock-signature-256': 'sha256=0' } });
  expect(forged.status).toBe(401);
});

test('a queue of SQS gets the same events through the SDK', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIATEST');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  onTestFinished(() => void vi.unstubAllEnvs());
  await tell(`{ sqs: { queueUrl: "${address}/111122223333/events.fifo", region: eu-west-1 } }`);
  await bench.start(aPipeline({ Source: { Checkout: 'CodeStarSourceConnection' } }));
  await bench.settled();
  // The SDK sends again what was answered late: the queue drops the second by its id.
  type Sent = { MessageBody: string; MessageDeduplicationId: string };
  const sent = received.map(({ body }) => JSON.parse(body) as Sent);
  expect(new Set(sent.map((one) => one.MessageDeduplicationId)).size).toBe(6);
  for (const { MessageBody, MessageDeduplicationId: id } of sent) {
    expect(JSON.parse(MessageBody)).toMatchObject({ id, source: 'aws.codepipeline' });
  }
});

test('an address that is not public is refused unless the operator allows it, and so is a weak or missing key', async () => {
  await tell(`{ https: { url: "https://127.0.0.1:1/", key: { fromEnv: KEY } } }`);
  await bench.start(aPipeline({ Source: { Checkout: 'CodeStarSourceConnection' } }));
  await vi.waitFor(
    async () => {
      const found = await sql<{ error: string }>`
        select last_error as error from jobs where kind = 'event' and last_error is not null`.execute(db);
      expect(found.rows[0]?.error).toContain('127.0.0.1:1 is not a public address. Set allowPrivate: true');
    },
    { timeout: 10_000 },
  );
  await sql`delete from jobs where kind = 'event'`.execute(db);
  const read = readServerConfig('events: { a: { https: { url: "https://h.test/", key: { fromEnv: KEY } } } }');
  const { config } = read as Extract<typeof read, { ok: true }>;
  await expect(openReceivers(config, {})).rejects.toThrow(
    'events.a.https.key: the environment variable KEY is not set',
  );
  await expect(openReceivers(config, { KEY: 'short' })).rejects.toThrow('it has to have 16 characters or more');
});
