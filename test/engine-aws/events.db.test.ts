import pino from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { countDeadEvents } from '../../src/db/aws-dead-events.ts';
import { quietTimes } from '../../src/db/aws-executions.ts';
import { installRepositories } from '../../src/db/repositories.ts';
import { consumeQueue, type EventQueue } from '../../src/engine/aws/event-queue.ts';
import { openQueue } from '../../src/engine/aws/queue-client.ts';
import { setAside, takeEvent, takeMessage, type EventDeps } from '../../src/main/take-event.ts';
import { emptyTables, testDatabase } from '../database.ts';
import { startStandInSqs, type StandInSqs } from './stand-in-sqs.ts';

const { db } = await testDatabase();
const counted: string[] = [];
const deps: EventDeps = {
  db,
  log: pino({ level: 'silent' }),
  meter: { call: () => {}, event: (source, outcome) => void counted.push(`${source} ${outcome}`) },
  boundTo: (account, region, pipelineName) =>
    `${account}/${region}/${pipelineName}` === '111122223333/eu-west-1/shop-prod'
      ? ['shop', 'web'].map((name) => ({ owner: 'acme', name, pipeline: 'app' }))
      : [],
  serves: (_owner, name) => name === 'shop',
};
const event = {
  source: 'aws.codepipeline',
  account: '111122223333',
  region: 'eu-west-1',
  detail: { pipeline: 'shop-prod', 'execution-id': 'one', state: 'SUCCEEDED' },
};

let sqs: StandInSqs;
let queue: EventQueue | undefined;

beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAOWN');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'own-secret');
  sqs = await startStandInSqs({ deadLetters: 3 });
});

afterEach(async () => {
  await queue?.stop();
  queue = undefined;
  await emptyTables(db);
  counted.length = 0;
  await sqs.stop();
  vi.unstubAllEnvs();
});

async function prepare(): Promise<void> {
  await installRepositories(db, [
    { id: 42, owner: 'acme', name: 'shop', installationId: 7 },
    { id: 43, owner: 'acme', name: 'web', installationId: 7 },
  ]);
}

function jobs() {
  return db.selectFrom('jobs').select(['kind', 'payload', 'dedupe_key as key']).execute();
}

function consume(more: Partial<Parameters<typeof consumeQueue>[0]> = {}): EventQueue {
  queue = consumeQueue({
    url: sqs.url,
    open: () => Promise.resolve(openQueue({ url: sqs.url, region: 'eu-west-1' })),
    take: (message) => takeMessage(deps, message),
    setAside: (message, why) => setAside(deps, message, why),
    log: deps.log as pino.Logger,
    pause: () => Promise.resolve(),
    ...more,
  });
  return queue;
}

test('an event asks for one look at the pipeline, whatever state it claims and however often it comes (SEC-E-18)', async () => {
  await prepare();
  for (let times = 0; times < 3; times += 1)
    expect(await takeEvent(deps, event)).toEqual({ outcome: 'looking', why: 'looking' });
  expect(await jobs()).toEqual([
    { kind: 'observe', payload: { repositoryId: 42, pipeline: 'app' }, key: 'observe/42/app' },
  ]);
  expect((await quietTimes(db, { repositoryId: 42, pipeline: 'app' })).eventMs).toBeLessThan(60_000);
});

test('events about what nobody bound, and before the App is installed, are ignored with a reason', async () => {
  expect(await takeEvent(deps, { ...event, account: '999900001111' })).toEqual({
    outcome: 'ignored',
    why: 'no repository is bound to shop-prod in 999900001111/eu-west-1',
  });
  expect(await takeEvent(deps, event)).toEqual({
    outcome: 'ignored',
    why: 'the App is not installed on acme/shop, acme/web',
  });
  expect(await jobs()).toEqual([]);
});

test('messages are deleted when their look is committed; what holds no event is set aside, counted, and gone from the queue', async () => {
  await prepare();
  const running = consume();
  sqs.send(JSON.stringify(event));
  sqs.send('not JSON at all');
  sqs.send(JSON.stringify({ ...event, source: 'aws.s3' }));
  await vi.waitFor(() => expect(sqs.left()).toEqual([]), { timeout: 25_000 });
  expect((await jobs()).map((job) => job.key)).toEqual(['observe/42/app']);
  expect(await countDeadEvents(db)).toBe(1);
  const [dead] = await db.selectFrom('aws_dead_events').select(['body', 'why', 'queue']).execute();
  expect(dead).toEqual({ body: 'not JSON at all', why: 'it is not an event of EventBridge', queue: sqs.url });
  expect(counted.toSorted()).toEqual(['queue dead', 'queue ignored', 'queue looking']);
  expect(running.depths()).toMatchObject({ queue: sqs.url, deadLetters: 3 });
  expect(sqs.calls.find((one) => one.call === 'ReceiveMessage')?.input).toMatchObject({
    WaitTimeSeconds: 20,
    VisibilityTimeout: 60,
  });
});

test('while the database is away messages stay in the queue, and their look is asked for when it is back', async () => {
  await prepare();
  let away = true;
  const take: typeof takeMessage = async (given, message) => {
    if (away) throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
    await takeMessage(given, message);
  };
  consume({ take: (message) => take(deps, message) });
  const id = sqs.send(JSON.stringify(event));
  const received = () => sqs.calls.filter((one) => one.call === 'ReceiveMessage').length;
  await vi.waitFor(() => expect(received()).toBeGreaterThan(1), { timeout: 25_000 });
  expect(sqs.left()).toEqual([id]);
  expect(sqs.calls.filter((one) => one.call === 'DeleteMessageBatch')).toEqual([]);
  away = false;
  sqs.showHidden();
  await vi.waitFor(() => expect(sqs.left()).toEqual([]), { timeout: 25_000 });
  expect(await jobs()).toHaveLength(1);
});

test('a message that an error of ours meets each time is set aside at the fifth, never received for ever', async () => {
  const tried: string[] = [];
  consume({
    take: ({ id }) => {
      tried.push(id);
      return Promise.reject(new Error('a defect'));
    },
    pause: () => Promise.resolve(sqs.showHidden()),
  });
  const id = sqs.send(JSON.stringify(event));
  await vi.waitFor(() => expect(sqs.left()).toEqual([]), { timeout: 25_000 });
  expect(tried).toEqual(Array<string>(5).fill(id));
  expect(await db.selectFrom('aws_dead_events').select(['why', 'message_id']).execute()).toEqual([
    { why: 'Error: a defect', message_id: id },
  ]);
});

test('a queue that fails is asked again later, and a stop ends the waiting at once with nothing received after it', async () => {
  await prepare();
  sqs.fault('ReceiveMessage', 4);
  const running = consume();
  sqs.send(JSON.stringify(event));
  await vi.waitFor(() => expect(sqs.left()).toEqual([]), { timeout: 25_000 });
  await running.stop();
  await expect.poll(() => sqs.waiting()).toBe(0);
  sqs.send(JSON.stringify(event));
  expect(sqs.left()).toHaveLength(1);
  const again = consume();
  await vi.waitFor(() => expect(sqs.left()).toEqual([]), { timeout: 25_000 });
  await again.stop();
});

test('two replicas share a queue: each message is worked on by one of them', async () => {
  const seen: Record<string, string[]> = { one: [], other: [] };
  const replicas = Object.keys(seen).map((name) =>
    consume({
      take: async ({ id }) => {
        seen[name]?.push(id);
        await db.selectFrom('ticks').selectAll().execute();
      },
    }),
  );
  const ids = Array.from({ length: 40 }, () => sqs.send(JSON.stringify(event)));
  await vi.waitFor(() => expect(sqs.left()).toEqual([]), { timeout: 20_000 });
  await Promise.all(replicas.map((replica) => replica.stop()));
  expect([...(seen['one'] ?? []), ...(seen['other'] ?? [])].toSorted()).toEqual(ids.toSorted());
  expect(seen['other']?.length).toBeGreaterThan(0);
});
