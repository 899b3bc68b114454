import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deadJobs } from '../src/db/dead-jobs.ts';
import { loadDelivery } from '../src/db/deliveries.ts';
import { loadRepository } from '../src/db/repositories.ts';
import { testDatabase } from './database.ts';
import { setStage } from './stage.ts';
import { deliver, startWorld, type World } from './world.ts';

const { open, db } = await testDatabase();
let world: World;

beforeAll(async () => {
  world = await startWorld({ database: open });
});

afterAll(() => world.stop());

const post = (event: string, body: string | Buffer<ArrayBuffer>, guid?: string) => deliver(world, event, body, guid);

test('SEC-E-10: signed scalars, arrays and empty objects under any event name are stored, then rejected or ignored', async () => {
  const bodies = ['null', '"x"', '1', 'true', '[]', '{}', '{"action":{}}', 'not json'];
  const events = ['push', 'pull_request', '__proto__', 'constructor', 'error', '*'];
  const sent: { guid: string; what: string }[] = [];
  for (const event of events) {
    for (const body of bodies) {
      const { guid, status } = await post(event, body);
      // Names that are no event names never come from GitHub; the door may refuse them outright.
      if (status === 202) sent.push({ guid, what: `${event} ${body}` });
      else expect([event, status]).toEqual([event, 400]);
    }
  }
  await world.settled();
  for (const { guid, what } of sent) {
    const outcome = (await loadDelivery(db, guid))?.outcome;
    expect([what, outcome === 'rejected' || outcome === 'ignored']).toEqual([what, true]);
  }
  expect(sent.length).toBeGreaterThanOrEqual(16);
  expect(await deadJobs(db)).toEqual([]);
});

test('SEC-D-20: signed bodies that a parser or a database could choke on are rejected or ignored, and the queue goes on', async () => {
  const bodies = [
    '[',
    '['.repeat(1_000_000),
    '{"a":'.repeat(100_000),
    '{"action":"opened","number":1e400000,"repository":{"id":1e400000}}',
    '{"ref":"refs/heads/a","ref":"\\u0000","repository":{"id":9007199254740993,"id":9007199254740992}}',
    '{"ref":"refs/heads/\\ud800\\u0000","after":"\\u0000","repository":{"full_name":"\\ud800/\\u0000"}}',
    '{"__proto__":{"installation":{"id":1}}}',
    Buffer.from([...Buffer.from('{"ref":"'), 0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80, ...Buffer.from('"}')]),
    Buffer.from([0, ...Buffer.from('{}')]),
  ];
  const sent = await Promise.all(['push', 'pull_request'].flatMap((event) => bodies.map((body) => post(event, body))));
  expect(sent.map(({ status }) => status)).toEqual(sent.map(() => 202));
  await world.settled();
  for (const { guid } of sent) {
    const delivery = await loadDelivery(db, guid);
    expect(['rejected', 'ignored']).toContain(delivery?.outcome);
  }
  expect(await deadJobs(db)).toEqual([]);
});

test('SEC-D-20: a raw NUL in a header is refused at the door', async () => {
  const { hostname, port } = new URL(world.server.url);
  const socket = connect(Number(port), hostname);
  const head = [
    'POST /api/github/webhooks HTTP/1.1',
    `Host: ${hostname}`,
    'X-GitHub-Event: pu\0sh',
    'Content-Length: 2',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n{}`);
  const answer = await text(socket);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
});

test('SEC-E-05: a captured body under another event name is rejected and does nothing', async () => {
  const stage = await setStage(world);
  await stage.pullRequest();
  const captured = world.github.deliveries().findLast((one) => one.event === 'pull_request');
  const writes = world.github.writes().length;
  const { guid } = await post('push', JSON.stringify(captured?.payload));
  await world.settled();
  expect((await loadDelivery(db, guid))?.outcome).toBe('rejected');
  expect(world.github.writes().length).toBe(writes);
});

test('SEC-E-07: a payload that names the installation of one tenant and the repository of another is dropped', async () => {
  const mine = await setStage(world);
  const theirs = await setStage(world);
  await theirs.pullRequest();
  await mine.pullRequest();
  const last = (owner: string) =>
    world.github
      .deliveries()
      .findLast((one) => one.event === 'pull_request' && JSON.stringify(one.payload).includes(`${owner}/web`));
  const mixed = { ...last(theirs.owner)?.payload, installation: last(mine.owner)?.payload['installation'] };
  const writes = world.github.writes().length;
  const { guid } = await post('pull_request', JSON.stringify(mixed));
  await world.settled();
  expect((await loadDelivery(db, guid))?.outcome).toBe('rejected');
  expect(world.github.writes().length).toBe(writes);
});

test('SEC-E-08: a rename is followed by the numeric id; a transfer to another owner is not served until confirmed', async () => {
  const stage = await setStage(world);
  const { id } = repositoryOf(stage.owner);
  await world.github.renameRepository(stage.repository, 'site', `dev-${stage.owner}`);
  await world.settled();
  expect((await loadRepository(db, id))?.name).toBe('site');
  const payload = world.github.deliveries().findLast((one) => one.event === 'repository')?.payload;
  const moved = JSON.stringify({ ...payload, action: 'transferred' }).replaceAll(
    `"login":"${stage.owner}"`,
    '"login":"other"',
  );
  await post('repository', moved.replaceAll(`${stage.owner}/site`, 'other/site'));
  await world.settled();
  expect((await loadRepository(db, id))?.suspended).toContain('moved to another owner');
});

function repositoryOf(owner: string): { id: number } {
  const found = world.github.deliveries().findLast((one) => JSON.stringify(one.payload).includes(`${owner}/web`));
  const repositories = found?.payload['repositories'] as readonly { id: number }[] | undefined;
  const [repository] = repositories ?? [];
  if (!repository) throw new Error('the installation delivery names no repository');
  return repository;
}
