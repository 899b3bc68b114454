import { sql } from 'kysely';
import pino from 'pino';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { readServerConfig } from '../../src/config/server.ts';
import type { Notifier } from '../../src/engine/engine.ts';
import { signatureOf } from '../../src/main/event-receivers.ts';
import { noticeNotifier, sendNotice } from '../../src/main/notices.ts';
import { openReceivers } from '../../src/main/receivers.ts';
import type { ExecutionId } from '../../src/pipeline/execution.ts';
import { testDatabase } from '../database.ts';
import { aPipeline } from './a-pipeline.ts';
import { engineBench } from './engine-bench.ts';
import { hookReceiver } from './hook-receiver.ts';

const database = await testDatabase();
const { db } = database;
const bench = await engineBench(database);
const key = 'a key that nobody guesses';
const { address, received, statuses } = await hookReceiver();
const quiet = bench.notifier;

beforeEach(async () => {
  received.length = 0;
  statuses.length = 0;
  bench.shiftMs = 0;
  bench.notifier = quiet;
  await sql`delete from jobs where kind = 'notice'`.execute(db);
});

const https = `https: { url: "${address}", key: { fromEnv: KEY }, allowPrivate: true }`;

/** Approvals are told to the receivers of this `notices:` from now on. Answers what was logged. */
async function notices(written: string): Promise<readonly string[]> {
  const read = readServerConfig(`notices: ${written}`);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const logged: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(line) });
  const opened = await openReceivers(read.config, { KEY: key });
  const options = { db, log, now: bench.runner.now, notices: opened.notices };
  bench.notifier = noticeNotifier(options);
  bench.onNotice = (payload) => sendNotice(options, payload);
  return logged;
}

const topicArn = 'arn:aws:sns:eu-west-1:111122223333:releases';
const otherArn = 'arn:aws:sns:eu-west-1:111122223333:other';

let pullRequest = 0;

async function gate(arn: string = topicArn): Promise<{ id: ExecutionId; token: string }> {
  const configuration = { NotificationArn: arn, CustomData: 'Look', ExternalEntityLink: 'https://example.test/diff' };
  const definition = aPipeline({
    Source: { Checkout: 'CodeStarSourceConnection' },
    Release: { Approve: { provider: 'Manual', configuration } },
  });
  // A lane of its own each.
  pullRequest += 1;
  const id = await bench.start(definition, { pullRequest });
  await bench.settled();
  const token = (await bench.read(id)).stages[1]?.actions[0]?.token;
  if (token === undefined) throw new Error('the gate does not wait');
  return { id, token };
}

/** Runs what waits for its next try. */
async function hurry(kind: 'effect' | 'notice'): Promise<void> {
  await sql`update jobs set run_at = now() where kind = ${kind} and not dead`.execute(db);
  await bench.settled();
}

async function jobs() {
  const found = await sql<{ dead: boolean; failures: number; error: string | null }>`
    select dead, failures, last_error as error from jobs where kind = 'notice'`.execute(db);
  return found.rows;
}

test('a receiver that was away is told that the approval waits, signed, in the words of SNS (CP-A-11)', async () => {
  await notices(`{ chat: { ${https} } }`);
  statuses.push(503, 503);
  const { id, token } = await gate();
  expect(received).toEqual([]);
  await hurry('notice');
  expect(await jobs()).toMatchObject([{ dead: false, failures: 2 }]);
  await hurry('notice');
  const link = `https://penstock.example/executions/${id}`;
  const deadline = (await bench.read(id)).stages[1]?.actions[0]?.deadline;
  expect(received.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
    {
      region: 'eu-west-1',
      consoleLink: link,
      approval: {
        pipelineName: 'web',
        stageName: 'Release',
        actionName: 'Approve',
        token,
        expires: `${deadline?.slice(0, 16)}Z`,
        externalEntityLink: 'https://example.test/diff',
        approvalReviewLink: link,
        customData: 'Look',
      },
    },
  ]);
  const [{ headers, body } = { headers: {}, body: '' }] = received;
  expect(headers['x-penstock-signature-256']).toBe(signatureOf(body, key));
  expect(await jobs()).toEqual([]);
});

test('who asked for some topics or repositories is told of no others; what nobody takes stands in the log', async () => {
  const elsewhere = `elsewhere: { ${https}, repositories: [acme/shop] }`;
  const logged = await notices(`{ chat: { ${https}, topics: ["${topicArn}"] }, ${elsewhere} }`);
  const { token: unheard } = await gate(otherArn);
  expect(received).toEqual([]);
  expect(await jobs()).toEqual([]);
  expect(logged.join('')).toContain('no receiver in notices: of penstock.server.yml takes its topic');
  expect(logged.join('')).not.toContain(unheard);
  const { token } = await gate();
  expect(received).toHaveLength(1);
  expect(received[0]?.body).toContain(token);
  expect(logged).toHaveLength(1);
});

test('each receiver is told of each approval, and one that fails holds up neither the other nor the gate', async () => {
  await notices(`{ one: { ${https} }, two: { https: { url: "https://127.0.0.1:1/", key: { fromEnv: KEY } } } }`);
  const { id, token } = await gate();
  await expect.poll(() => received).toHaveLength(1);
  expect(received[0]?.body).toContain(token);
  expect(await jobs()).toMatchObject([
    { dead: false, error: expect.stringContaining('not a public address') as string },
  ]);
  expect(await bench.answer(id)).toEqual({ outcome: 'done' });
});

test('an announcement that was cut off before or after it was written down is made again, and told once', async () => {
  await notices(`{ chat: { ${https} } }`);
  const outbox: Notifier = bench.notifier;
  bench.notifier = { approvalWaiting: () => Promise.reject(new Error('the process ended before')) };
  const { token } = await gate();
  expect(received).toEqual([]);
  // The receiver is away, so that what was written is still there when it is written again.
  statuses.push(503);
  bench.notifier = {
    approvalWaiting: async (notice) => {
      await outbox.approvalWaiting(notice);
      throw new Error('the process ended after');
    },
  };
  await hurry('effect');
  bench.notifier = outbox;
  await hurry('effect');
  // Written again, it is brought forward.
  expect(await jobs()).toEqual([]);
  expect(received).toHaveLength(1);
  expect(received[0]?.body).toContain(token);
});

test('a queue of SQS gets the notice through the SDK, under its token', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIATEST');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  onTestFinished(() => void vi.unstubAllEnvs());
  await notices(`{ queue: { sqs: { queueUrl: "${address}/111122223333/notices.fifo", region: eu-west-1 } } }`);
  const { id, token } = await gate();
  expect(received).toHaveLength(1);
  const sent = JSON.parse(received[0]!.body) as Record<string, string>;
  expect(sent).toMatchObject({ MessageGroupId: id, MessageDeduplicationId: token });
  expect(JSON.parse(sent['MessageBody']!)).toMatchObject({ region: 'eu-west-1', approval: { token } });
});

test('a receiver that refuses is asked twenty times; one that is away for a day is given up', async () => {
  await notices(`{ chat: { ${https} } }`);
  statuses.push(404, 404);
  await gate();
  expect(await jobs()).toMatchObject([{ dead: false, failures: 1 }]);
  await sql`update jobs set failures = 19 where kind = 'notice'`.execute(db);
  await hurry('notice');
  expect(await jobs()).toMatchObject([{ dead: true, failures: 20 }]);
  await sql`delete from jobs where kind = 'notice'`.execute(db);
  statuses.push(503, 503);
  await gate();
  bench.shiftMs = 25 * 60 * 60_000;
  await hurry('notice');
  const error = expect.stringContaining(
    "The notice for chat that 'Approve' of web waits could not be handed over",
  ) as string;
  expect(await jobs()).toMatchObject([{ dead: true, failures: 2, error }]);
});

test('a receiver that was taken out of the configuration takes its waiting notices with it', async () => {
  await notices(`{ chat: { ${https} } }`);
  statuses.push(503);
  await gate();
  await notices('{}');
  await hurry('notice');
  expect(await jobs()).toEqual([]);
  expect(received).toEqual([]);
});

test('a key that is missing or weak is told by its place', async () => {
  const read = readServerConfig('notices: { a: { https: { url: "https://h.test/", key: { fromEnv: KEY } } } }');
  const { config } = read as Extract<typeof read, { ok: true }>;
  await expect(openReceivers(config, {})).rejects.toThrow(
    'notices.a.https.key: the environment variable KEY is not set',
  );
  await expect(openReceivers(config, { KEY: 'short' })).rejects.toThrow('notices.a.https.key: it has to have 16');
});
