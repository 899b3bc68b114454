import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { finishDelivery } from '../src/db/deliveries.ts';
import { UserError } from '../src/errors.ts';
import { checkSecrets } from '../src/intake.ts';
import { emptyTables, testDatabase } from './database.ts';
import { oldSecret, openDoor, post, secret, sign } from './intake-door.ts';

const { db } = await testDatabase();
const door = await openDoor(db);
const rotating = await openDoor(db, { secrets: [secret, oldSecret] });
afterAll(() => Promise.all([door.close(), rotating.close()]));
beforeEach(() => emptyTables(db));

const stored = () => db.selectFrom('deliveries').selectAll().orderBy('received_at').execute();
const jobs = () => db.selectFrom('jobs').select(['kind', 'payload']).execute();

describe('SEC-E-01 secrets that give no protection are refused at start', () => {
  test.each([
    ['none', []],
    ['an empty one', ['']],
    ['blanks', [' '.repeat(40)]],
    ['development', ['development']],
    ['a short one', ['f3a91c0d5b7e42689d1f00aa7c55e2b']],
    ['the example of a document', ['replace-me-with-the-output-of-openssl-rand']],
    ['one that repeats itself', ['ab'.repeat(20)]],
    ['a good one with a bad one', [secret, 'short']],
    ['three', [secret, oldSecret, `${secret}x`]],
  ])('%s', (_, secrets) => {
    expect(() => checkSecrets(secrets)).toThrow(UserError);
  });

  test('one or two good ones are taken', () => {
    checkSecrets([secret]);
    checkSecrets([secret, oldSecret]);
  });
});

test('a delivery is stored with its job, then acknowledged; the same guid again changes nothing', async () => {
  const guid = randomUUID();
  expect(await post(door, { guid, event: 'pull_request', body: '{"a":1}' })).toBe(202);
  expect(await post(door, { guid, event: 'pull_request', body: '{"a":1}' })).toBe(200);
  expect(await stored()).toMatchObject([{ guid, event: 'pull_request', outcome: null, body: Buffer.from('{"a":1}') }]);
  expect(await jobs()).toEqual([{ kind: 'delivery', payload: { guid } }]);
});

test('SEC-F-04 fifty copies at once are one delivery and one job', async () => {
  const guid = randomUUID();
  const answers = await Promise.all(Array.from({ length: 50 }, () => post(door, { guid, body: '{}' })));
  expect(answers.filter((status) => status === 202)).toHaveLength(1);
  expect(answers.filter((status) => status === 200)).toHaveLength(49);
  expect(await jobs()).toHaveLength(1);
});

test('a redelivery of one that was worked off makes no job; of one whose job died it makes a new one', async () => {
  const guid = randomUUID();
  await post(door, { guid, body: '{}' });
  await db.updateTable('jobs').set({ dead: true }).execute();
  await post(door, { guid, body: '{}' });
  expect(await jobs()).toHaveLength(2);
  await db.deleteFrom('jobs').execute();
  await finishDelivery(db, guid, { outcome: 'handled', reason: 'done' });
  await post(door, { guid, body: '{}' });
  expect(await jobs()).toEqual([]);
});

describe('SEC-E-02 what is not signed with a secret is turned away, and nothing is stored', () => {
  const body = '{"zen":"x"}';
  const right = sign(body);
  test.each([
    ['no header', null],
    ['sha1', `sha1=${right.slice(7, 47)}`],
    ['too short', right.slice(0, -2)],
    ['too long', `${right}00`],
    ['not hexadecimal', `${right.slice(0, -1)}g`],
    ['upper case', `sha256=${right.slice(7).toUpperCase()}`],
    ['two headers joined', `${right}, ${right}`],
    ['only the beginning right', `${right.slice(0, 40)}${'0'.repeat(31)}`],
    ['signed with another secret', sign(body, oldSecret)],
    ['an empty signature', 'sha256='],
  ])('%s', async (_, signature) => {
    expect(await post(door, { body, signature })).toBe(401);
    expect(await stored()).toEqual([]);
  });

  test('SHA-1 beside it does not help', async () => {
    const headers = { 'x-hub-signature': `sha1=${'0'.repeat(40)}` };
    expect(await post(door, { body, signature: null, headers })).toBe(401);
  });
});

test('SEC-E-03 with a bad signature nothing is parsed and nothing is asked of the database', async () => {
  const untouchable = new Proxy({} as typeof db, {
    get: () => {
      throw new Error('the database was touched');
    },
  });
  const strict = await openDoor(untouchable);
  const body = '{"installation":{"id":7},"repository":{"id":1}}';
  expect(await post(strict, { body, signature: sign(body, oldSecret) })).toBe(401);
  expect(await post(strict, { body: 'not { json', signature: sign('x') })).toBe(401);
  await strict.close();
});

describe('SEC-E-04 what was signed is stored byte for byte', () => {
  test.each([
    ['a byte order mark', Buffer.from('\uFEFF{"a":1}')],
    ['invalid UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0x7d])],
    ['trailing spaces and CRLF', Buffer.from('{"a":\r\n1}  \r\n')],
    ['nothing at all', Buffer.alloc(0)],
    ['NUL and lone surrogates', Buffer.from('{"a":"\\u0000\\ud800"}')],
  ])('%s', async (_, bytes) => {
    expect(await post(door, { body: new Uint8Array(bytes) })).toBe(202);
    const [row] = await stored();
    expect(Buffer.compare(row!.body, bytes)).toBe(0);
  });
});

test('SEC-E-05 a captured body under another event or a new guid is stored under what its headers claim, once each', async () => {
  const body = '{"action":"created","comment":{"id":1}}';
  const guid = randomUUID();
  expect(await post(door, { guid, event: 'issue_comment', body })).toBe(202);
  expect(await post(door, { guid, event: 'pull_request', body })).toBe(200);
  expect(await post(door, { event: 'issue_comment', body })).toBe(202);
  expect((await stored()).map((row) => row.event)).toEqual(['issue_comment', 'issue_comment']);
});

test('SEC-E-06 headers that name hosts change nothing', async () => {
  const headers = {
    'x-github-enterprise-host': 'evil.test',
    'x-forwarded-host': 'evil.test',
    forwarded: 'host=evil.test',
  };
  expect(await post(door, { body: '{}', headers })).toBe(202);
});

describe('SEC-E-10 SEC-E-15 any signed body under any event name is stored for the worker to judge', () => {
  const bodies = ['null', '"x"', '1', 'true', '[]', '{}', '{"action":{}}', 'not json'];
  test.each(['__proto__', 'constructor', 'error', '*', 'no_such_event'])('event %s', async (event) => {
    for (const body of bodies) expect(await post(door, { event, body })).toBe(202);
    expect(await jobs()).toHaveLength(bodies.length);
  });
});

test('SEC-E-12 while the secret is replaced the new and the old one are good, another is not', async () => {
  expect(await post(rotating, { body: '{}', signature: sign('{}', secret) })).toBe(202);
  expect(await post(rotating, { body: '{}', signature: sign('{}', oldSecret) })).toBe(202);
  expect(await post(rotating, { body: '{}', signature: sign('{}', `${secret}x`) })).toBe(401);
  expect(await post(door, { body: '{}', signature: sign('{}', oldSecret) })).toBe(401);
});

describe('requests that are no deliveries', () => {
  test.each([
    [400, 'no guid', { 'x-github-delivery': '' }],
    [400, 'a guid with a slash', { 'x-github-delivery': '../../etc' }],
    [400, 'a guid of 65 characters', { 'x-github-delivery': 'a'.repeat(65) }],
    [400, 'no event', { 'x-github-event': '' }],
    [400, 'an event with a blank', { 'x-github-event': 'pull request' }],
    [415, 'a form', { 'content-type': 'application/x-www-form-urlencoded' }],
  ])('%i for %s', async (status, _, headers) => {
    expect(await post(door, { body: '{}', headers })).toBe(status);
    expect(await stored()).toEqual([]);
  });

  test('405 for GET', async () => {
    const response = await fetch(`http://127.0.0.1:${door.port}/api/github/webhooks`);
    expect(response.status).toBe(405);
  });
});

test('a thousand bad requests are a few lines in the log, without their payload', async () => {
  const quiet = await openDoor(db);
  for (let n = 0; n < 200; n += 1) await post(quiet, { body: 'do not log me', signature: sign('x') });
  expect(quiet.logged.length).toBeLessThan(5);
  expect(quiet.logged.join('')).not.toContain('do not log me');
  await quiet.close();
});
