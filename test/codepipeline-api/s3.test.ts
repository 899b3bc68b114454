import { createHash, createHmac, randomBytes } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { testDatabase } from '../database.ts';
import { doorBench } from './door-bench.ts';
import { presignedUrl, signedHeaders } from './signed-fetch.ts';

const database = await testDatabase();
const bench = await doorBench(database);
const { url, admin, door } = bench;

interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signing?: object;
}

async function ask(method: string, path: string, { headers = {}, body = '', signing = {} }: Asked = {}) {
  const address = `${url}${path}`;
  const signed = signedHeaders(address, { method, headers, body }, { ...admin, service: 's3', ...signing });
  const response = await fetch(address, { method, headers: signed, ...(body === '' ? {} : { body }) });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const code = (text: string): string => /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? text;

test('an object is put, described, read, listed and deleted; its bucket is made on first use', async () => {
  const put = await ask('PUT', '/things/a/b%20c.txt', { body: 'hello' });
  expect(put.status).toBe(200);
  expect((await ask('HEAD', '/things/a/b%20c.txt')).headers.get('etag')).toBe(put.headers.get('etag'));
  const got = await ask('GET', '/things/a/b%20c.txt');
  expect([got.text, got.headers.get('x-amz-version-id')]).toEqual(['hello', put.headers.get('x-amz-version-id')]);
  expect((await ask('GET', '/things?list-type=2')).text).toContain('<Key>a/b c.txt</Key>');
  expect((await ask('GET', '/')).text).toContain('<Name>things</Name>');
  expect((await ask('DELETE', '/things/a/b%20c.txt')).status).toBe(204);
  expect((await ask('DELETE', '/things/a/b%20c.txt')).status).toBe(204);
  expect(code((await ask('GET', '/things/a/b%20c.txt')).text)).toBe('NoSuchKey');
  expect((await ask('HEAD', '/things')).status).toBe(200);
  expect((await ask('HEAD', '/nothing')).status).toBe(404);
});

test.each([
  ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
  ['bytes=7-', 206, '789', 'bytes 7-9/10'],
  ['bytes=-2', 206, '89', 'bytes 8-9/10'],
  ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
  ['bytes=10-', 416, 'InvalidRange', 'bytes */10'],
  ['bytes=5-2', 200, '0123456789', null],
  ['bytes=0-1,4-5', 200, '0123456789', null],
  ['bytes=-0', 416, 'InvalidRange', 'bytes */10'],
  ['lines=1-2', 200, '0123456789', null],
])('the range %s answers %i', async (range, status, text, contentRange) => {
  await ask('PUT', '/ranges/digits', { body: '0123456789' });
  const got = await ask('GET', '/ranges/digits', { headers: { range } });
  expect([got.status, status === 416 ? code(got.text) : got.text]).toEqual([status, text]);
  expect(got.headers.get('content-range')).toBe(contentRange);
});

test('a checksum or a digest that is not that of the bytes stores nothing', async () => {
  const crc = (text: string): string => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(crc32(text));
    return bytes.toString('base64');
  };
  const right = { headers: { 'x-amz-checksum-crc32': crc('right') }, body: 'right' };
  expect((await ask('PUT', '/sums/right', right)).status).toBe(200);
  const wrong = await ask('PUT', '/sums/wrong', { ...right, body: 'wrong' });
  expect([wrong.status, code(wrong.text)]).toEqual([400, 'BadDigest']);
  const md5 = { 'content-md5': createHash('md5').update('other').digest('base64') };
  expect(code((await ask('PUT', '/sums/wrong', { headers: md5, body: 'wrong' })).text)).toBe('BadDigest');
  for (const value of ['', 'notbase64!', 'AAAA', `${md5['content-md5']}=`]) {
    const malformed = await ask('PUT', '/sums/wrong', { headers: { 'content-md5': value }, body: 'wrong' });
    expect([value, malformed.status, code(malformed.text)]).toEqual([value, 400, 'InvalidDigest']);
  }
  const short = await ask('PUT', '/sums/wrong', { headers: { 'x-amz-checksum-sha256': crc('wrong') }, body: 'wrong' });
  expect([short.status, code(short.text)]).toEqual([400, 'InvalidRequest']);
  const payloadHash = createHash('sha256').update('another').digest('hex');
  const swapped = await ask('PUT', '/sums/wrong', { body: 'wrong', signing: { payloadHash } });
  expect(code(swapped.text)).toBe('XAmzContentSHA256Mismatch');
  expect((await ask('GET', '/sums/wrong')).status).toBe(404);
});

test('a chunked body is unwrapped, and its trailing checksum is checked', async () => {
  const send = (key: string, sum: string) =>
    ask('PUT', `/chunks/${key}`, {
      headers: {
        'content-encoding': 'aws-chunked',
        'x-amz-decoded-content-length': '11',
        'x-amz-trailer': 'x-amz-checksum-crc32',
      },
      body: `6\r\nhello \r\n5\r\nworld\r\n0\r\nx-amz-checksum-crc32:${sum}\r\n\r\n`,
      signing: { payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' },
    });
  expect((await send('good', 'DUoRhQ==')).status).toBe(200);
  expect((await ask('GET', '/chunks/good')).text).toBe('hello world');
  expect(code((await send('bad', 'AAAAAA==')).text)).toBe('BadDigest');
  expect((await ask('GET', '/chunks/bad')).status).toBe(404);
});

test.each(['', 'z\r\n', '5\r\nhel', '3\r\nhello\r\n0\r\n\r\n', 'ffffffff\r\n', '5'.repeat(9000)])(
  'the chunked body %j is refused',
  async (body) => {
    const signing = { payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' };
    const answer = await ask('PUT', '/chunks/broken', { body, signing });
    expect([answer.status, code(answer.text)]).toEqual([400, 'IncompleteBody']);
  },
);

/** The headers of an upload in signed chunks, and what signs one piece after the other. */
function chunkSigner(address: string, { trailers = false } = {}) {
  const announced = trailers ? { 'x-amz-trailer': 'x-amz-checksum-crc32' } : {};
  const payloadHash = `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${trailers ? '-TRAILER' : ''}`;
  const request = { method: 'PUT', headers: { 'x-amz-decoded-content-length': '10', ...announced }, body: '' };
  const headers = signedHeaders(address, request, { ...admin, service: 's3', payloadHash });
  const stamp = headers['x-amz-date']!;
  const scope = `${stamp.slice(0, 8)}/eu-west-1/s3/aws4_request`;
  const key = [stamp.slice(0, 8), 'eu-west-1', 's3', 'aws4_request'].reduce<Buffer | string>(
    (parent, part) => createHmac('sha256', parent).update(part).digest(),
    `AWS4${admin.secretAccessKey}`,
  );
  const digest = (data: string): string => createHash('sha256').update(data).digest('hex');
  let before = /Signature=(\w+)$/.exec(headers['authorization']!)![1]!;
  const sign = (kind: string, ...digests: string[]): string => {
    const text = [`AWS4-HMAC-SHA256-${kind}`, stamp, scope, before, ...digests].join('\n');
    return (before = createHmac('sha256', key).update(text).digest('hex'));
  };
  return {
    headers,
    chunk: (data: string) =>
      `${data.length.toString(16)};chunk-signature=${sign('PAYLOAD', digest(''), digest(data))}\r\n`,
    trailer: (line: string) => sign('TRAILER', digest(`${line}\n`)),
  };
}

test('signed chunks are checked one after the other', async () => {
  const address = `${url}/chunks/signed`;
  const put = async (last: string): Promise<number> => {
    const { headers, chunk } = chunkSigner(address);
    const body = `${chunk('first')}first\r\n${chunk('12345')}${last}\r\n${chunk('')}\r\n`;
    return (await fetch(address, { method: 'PUT', headers, body })).status;
  };
  expect(await put('54321')).toBe(403);
  expect((await ask('GET', '/chunks/signed')).status).toBe(404);
  expect(await put('12345')).toBe(200);
  expect((await ask('GET', '/chunks/signed')).text).toBe('first12345');
});

test('trailers behind signed chunks have a signature, too', async () => {
  const address = `${url}/chunks/trailed`;
  const line = 'x-amz-checksum-crc32:YSL1Mw==';
  const put = async (signature: (right: string) => string): Promise<string> => {
    const { headers, chunk, trailer } = chunkSigner(address, { trailers: true });
    const body = `${chunk('first12345')}first12345\r\n${chunk('')}${line}\r\n${signature(trailer(line))}\r\n`;
    const answer = await fetch(address, { method: 'PUT', headers, body });
    return answer.ok ? 'taken' : code(await answer.text());
  };
  expect(await put(() => '')).toBe('SignatureDoesNotMatch');
  expect(await put(() => `x-amz-trailer-signature:${'0'.repeat(64)}\r\n`)).toBe('SignatureDoesNotMatch');
  expect((await ask('GET', '/chunks/trailed')).status).toBe(404);
  expect(await put((right) => `x-amz-trailer-signature:${right}\r\n`)).toBe('taken');
  expect((await ask('GET', '/chunks/trailed')).text).toBe('first12345');
});

test('parts become one object, in order, whatever order they came in', async () => {
  const start = await ask('POST', '/parts/big?uploads');
  const id = /<UploadId>(.+)<\/UploadId>/.exec(start.text)![1]!;
  const etags = new Map<number, string>();
  const large = '1'.repeat(5 * 1024 * 1024);
  for (const [number, body] of [
    [2, 'two'],
    [1, 'stale'],
    [1, large],
    [3, 'three'],
  ] as const) {
    const part = await ask('PUT', `/parts/big?partNumber=${number}&uploadId=${id}`, { body });
    etags.set(number, part.headers.get('etag')!);
  }
  const complete = (numbers: number[], etag = (n: number) => etags.get(n)) => {
    const parts = numbers.map((n) => `<Part><PartNumber>${n}</PartNumber><ETag>${etag(n)}</ETag></Part>`).join('');
    const body = `<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`;
    return ask('POST', `/parts/big?uploadId=${id}`, { body });
  };
  expect(code((await complete([2, 1])).text)).toBe('InvalidPartOrder');
  expect(code((await complete([1, 4])).text)).toBe('InvalidPart');
  // Only the last may have less than 5 MB.
  expect(code((await complete([1, 2, 3])).text)).toBe('EntityTooSmall');
  expect(code((await complete([1, 2], () => '"0"')).text)).toBe('InvalidPart');
  expect(code((await complete([])).text)).toBe('MalformedXML');
  expect(code((await ask('PUT', `/parts/other?partNumber=1&uploadId=${id}`, { body: 'x' })).text)).toBe('NoSuchUpload');
  expect(code((await ask('PUT', '/parts/big?partNumber=1&uploadId=..%2F..', { body: 'x' })).text)).toBe('NoSuchUpload');
  const first = await complete([1, 2]);
  expect(first.status).toBe(200);
  expect((await ask('GET', '/parts/big')).text === `${large}two`).toBe(true);
  // Whoever lost the answer gets it again, and no second version is made.
  const [again, atOnce] = await Promise.all([complete([1, 2]), complete([1, 2])]);
  const version = first.headers.get('x-amz-version-id');
  for (const one of [again, atOnce]) {
    expect([one.text, one.headers.get('x-amz-version-id')]).toEqual([first.text, version]);
  }
  expect((await ask('GET', '/parts?uploads')).text).not.toContain('<Upload>');
  for (const [method, path] of [
    ['PUT', `/parts/big?partNumber=1&uploadId=${id}`],
    ['GET', `/parts/big?uploadId=${id}`],
    ['DELETE', `/parts/big?uploadId=${id}`],
  ] as const) {
    expect(code((await ask(method, path)).text)).toBe('NoSuchUpload');
  }
  const second = /<UploadId>(.+)<\/UploadId>/.exec((await ask('POST', '/parts/big?uploads')).text)![1]!;
  expect((await ask('DELETE', `/parts/big?uploadId=${second}`)).status).toBe(204);
});

test('a list has prefixes, common prefixes and pages', async () => {
  for (const key of ['a/1', 'a/2', 'b', 'c/1']) await ask('PUT', `/lists/${key}`, { body: key });
  const first = (await ask('GET', '/lists?delimiter=%2F&list-type=2&max-keys=2')).text;
  expect(first).toMatch(/<Key>b<\/Key>.*<Prefix>a\/<\/Prefix>|<Prefix>a\/<\/Prefix>.*<Key>b<\/Key>/);
  const token = /<NextContinuationToken>(.+)<\/NextContinuationToken>/.exec(first)![1]!;
  const second = (await ask('GET', `/lists?continuation-token=${token}&delimiter=%2F&list-type=2&max-keys=2`)).text;
  expect(second).toContain('<IsTruncated>false</IsTruncated>');
  expect(second).toContain('<CommonPrefixes><Prefix>c/</Prefix></CommonPrefixes>');
  expect((await ask('GET', '/lists?list-type=2&prefix=a%2F')).text).toContain('<KeyCount>2</KeyCount>');
});

function presigned(path: string, expires = 60, at = new Date()): string {
  return presignedUrl(`${url}${path}`, { method: 'GET', expires }, { ...admin, service: 's3', at });
}

test('nothing is told of an object whose file was damaged, neither whole nor in part', async () => {
  await ask('PUT', '/damaged/report', { body: 'figures' });
  expect((await ask('GET', '/damaged/report', { headers: { range: 'bytes=0-2' } })).text).toBe('fig');
  const { file } = (await door.artifacts.describe({ bucket: 'damaged', key: 'report' }))!;
  await chmod(file, 0o600);
  await writeFile(file, 'figured');
  for (const headers of [{}, { range: 'bytes=0-2' }, { range: 'bytes=-1' }]) {
    const got = await ask('GET', '/damaged/report', { headers });
    expect([got.status, code(got.text)]).toEqual([500, 'InternalError']);
  }
});

test('a presigned address opens its object until it expires, and no other', async () => {
  await ask('PUT', '/shared/report', { body: 'figures' });
  expect(await (await fetch(presigned('/shared/report'))).text()).toBe('figures');
  expect((await fetch(presigned('/shared/report').replace('report', 'secret'))).status).toBe(403);
  const old = new Date(Date.now() - 120_000);
  const expired = await fetch(presigned('/shared/report', 60, old));
  expect([expired.status, await expired.text()]).toEqual([403, expect.stringContaining('Request has expired')]);
  expect((await fetch(presigned('/shared/report', 600, old))).status).toBe(200);
  expect((await fetch(presigned('/shared/report', 999_999))).status).toBe(400);
});

test('who may not: nobody without a key, no key of a repository; a read-only key reads', async () => {
  await ask('PUT', '/guarded/x', { body: 'x' });
  expect((await fetch(`${url}/guarded/x`)).status).toBe(403);
  const repository = await bench.key({ repositoryId: 42 });
  expect((await ask('GET', '/guarded/x', { signing: repository })).status).toBe(403);
  const reader = await bench.key({ readOnly: true });
  expect((await ask('GET', '/guarded/x', { signing: reader })).status).toBe(200);
  expect((await ask('PUT', '/guarded/x', { signing: reader, body: 'y' })).status).toBe(403);
});

test('what is not served says so, and a bucket has a legal name', async () => {
  for (const path of ['/guarded?lifecycle', '/guarded/x?acl', '/guarded?policy']) {
    expect((await ask('GET', path)).status).toBe(501);
  }
  expect(code((await ask('PUT', '/a_b/x', { body: 'x' })).text)).toBe('InvalidBucketName');
  expect(code((await ask('PUT', `/abc/${'k'.repeat(1025)}`, { body: 'x' })).text)).toBe('KeyTooLongError');
});

test('the bucket may be part of the host, and a client that waits for 100 Continue is told to go on', async () => {
  const { host } = new URL(url);
  const body = randomBytes(100_000);
  const named = `bucket.localhost:${host.split(':')[1]}`;
  const payloadHash = createHash('sha256').update(body).digest('hex');
  const signing = { ...admin, service: 's3', payloadHash };
  const headers = signedHeaders(`http://${named}/big`, { method: 'PUT', headers: {}, body: '' }, signing);
  const status = await new Promise((resolve, reject) => {
    const options = {
      method: 'PUT',
      headers: { ...headers, host: named, expect: '100-continue', 'content-length': body.length },
    };
    const asked = httpRequest(`${url}/big`, options, (response) => resolve(response.resume().statusCode));
    asked.on('error', reject).on('continue', () => asked.end(body));
    asked.flushHeaders();
  });
  expect(status).toBe(200);
  expect((await door.artifacts.describe({ bucket: 'bucket', key: 'big' }))?.size).toBe(100_000);
});
