import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { testDatabase } from '../database.ts';
import { declare } from './declare.ts';
import { doorBench, type Credentials } from './door-bench.ts';
import { presignedUrl, send, signedHeaders, type Raw } from './signed-fetch.ts';
import { tableMarks } from './table-marks.ts';

// A CreatePipeline that is in order, spoilt in one way each time: the right error, and nothing of it is kept.

const database = await testDatabase();
const { db } = database;
const bench = await doorBench(database);
const { url, admin } = bench;
const reader = await bench.key({ readOnly: true });
const throttled = await bench.serve({ rate: { perSecond: 0.001, burst: 0 } });

const headers = {
  'content-type': 'application/x-amz-json-1.1',
  'x-amz-target': 'CodePipeline_20150709.CreatePipeline',
};
const pipeline = declare({ Build: { Unit: {} } });
const body = JSON.stringify({ pipeline });
const address = `${url}/`;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

interface Change {
  readonly headers?: Readonly<Record<string, string>>;
  readonly by?: Partial<Credentials> & { readonly at?: Date };
  readonly to?: string;
}

function post(text = body, { headers: changed = {}, by = {}, to = address }: Change = {}): Promise<Raw> {
  const request = { method: 'POST', headers: { ...headers, ...changed }, body: text };
  return send(to, text, signedHeaders(to, request, { ...admin, ...by }));
}

function postPresigned(text: string, signing: object = {}, expires = 60, signed = text): Promise<Raw> {
  const by = { ...admin, payloadHash: sha256(signed), ...signing };
  return send(presignedUrl(address, { method: 'POST', headers, expires }, by), text, headers);
}

const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);
const spoilt = (change: object): string => JSON.stringify({ pipeline: { ...pipeline, ...change } });
const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const wrongTwice = spoilt({ roleArn: 'role', name: 'a b' });

const ways: readonly (readonly [how: string, error: string, ask: () => Promise<Raw>])[] = [
  ['not signed', 'MissingAuthenticationTokenException', () => send(address, body, headers)],
  ['signed with another secret', 'InvalidSignatureException', () => post(body, { by: { secretAccessKey: 'guess' } })],
  [
    'signed six minutes ago',
    'InvalidSignatureException: Signature expired',
    () => post(body, { by: { at: minutesAgo(6) } }),
  ],
  [
    'presigned and expired',
    'InvalidSignatureException: Signature expired',
    () => postPresigned(body, { at: minutesAgo(2) }),
  ],
  ['presigned for more than a week', 'IncompleteSignatureException', () => postPresigned(body, {}, 604_801)],
  ['presigned over another body', 'InvalidSignatureException', () => postPresigned(body, {}, 60, '{}')],
  ['presigned for the object store', 'InvalidSignatureException', () => postPresigned(body, { service: 's3' })],
  ['of a read-only key', 'AccessDeniedException', () => post(body, { by: reader })],
  ['presigned by a read-only key', 'AccessDeniedException', () => postPresigned(body, reader)],
  ['over the rate', 'ThrottlingException: Rate exceeded', () => post(body, { to: `${throttled.url}/` })],
  [
    'of an unknown operation',
    'UnknownOperationException',
    () => post(body, { headers: { 'x-amz-target': 'CreatePipeline' } }),
  ],
  [
    'of another media type',
    'UnknownOperationException',
    () => post(body, { headers: { 'content-type': 'text/plain' } }),
  ],
  ['over the cap', 'RequestEntityTooLargeException', () => post(body.replace('{', `{"x":"${'x'.repeat(2 ** 20)}",`))],
  ['cut off', 'SerializationException', () => post(body.slice(0, -1))],
  [
    'nested deep',
    'SerializationException: The body nests deeper',
    () => post(body.replace('{', `{"x":${deep(100_000)},`)),
  ],
  ['with a text for a list', 'SerializationException', () => post(spoilt({ stages: 'Build' }))],
  ['with a text for a number', 'SerializationException', () => post(spoilt({ version: '1' }))],
  ['wrong twice', 'ValidationException: 2 validation errors detected: ', () => post(wrongTwice)],
];

test.each(ways)('a request %s is refused with %s and leaves no trace (CP-W-11, CP-W-12)', async (_how, error, ask) => {
  const before = await tableMarks(db);
  const told = await ask();
  expect(told.error.slice(0, error.length)).toBe(error);
  expect(told.status).toBe(error.startsWith('RequestEntity') ? 413 : 400);
  expect(await tableMarks(db)).toEqual(before);
});

test('the same request in order is taken, in either form, and leaves one', async () => {
  const before = await tableMarks(db);
  const other = JSON.stringify({ pipeline: declare({ Build: { Unit: {} } }) });
  expect([(await post()).status, (await postPresigned(other)).status]).toEqual([200, 200]);
  expect(await tableMarks(db)).not.toEqual(before);
  expect((await bench.client.listPipelines()).pipelines).toHaveLength(2);
});

test('at rest the secret of a key is sealed to its id, so the table alone signs nothing (SEC-T-02)', async () => {
  const [one, two] = [await bench.key({}), await bench.key({})];
  const { rows } = await sql<{ id: string; row: string; sealed: Buffer }>`
    select access_key_id as id, k::text as row, sealed_secret as sealed from api_keys k`.execute(db);
  const plain = Buffer.from(one.secretAccessKey);
  for (const secret of [one.secretAccessKey, plain.toString('hex'), plain.toString('base64')]) {
    expect(rows.filter(({ row }) => row.includes(secret))).toEqual([]);
  }
  const sealed = Buffer.from(rows.find(({ id }) => id === one.accessKeyId)!.sealed);
  expect(bench.door.secret.open(sealed, `API key ${one.accessKeyId}`)).toBe(one.secretAccessKey);
  expect(() => bench.door.secret.open(sealed, `API key ${two.accessKeyId}`)).toThrow();
});
