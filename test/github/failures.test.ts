import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import nock from 'nock';
import { pino } from 'pino';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TransientError, UserError, classify, describeError } from '../../src/errors.ts';
import { boundedFetch } from '../../src/github/bounded-fetch.ts';
import { defaultServerConfig } from '../../src/config/server.ts';
import { createGitHub } from '../../src/github/octokit-github.ts';
import { gitBase } from '../../src/github/app-verbs.ts';
import { createProbot } from '../../src/github/probot.ts';
import { maskTokens } from '../../src/errors.ts';
import { loggedError, redactPaths } from '../../src/github/redact.ts';

const host = 'https://github.acme.test';
const repository = { id: 42, owner: 'acme', name: 'web', installationId: 5 };
const sha = 'a'.repeat(40);
const keys = [0, 1].map(() =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
);
const [key = '', newKey = ''] = keys;

beforeEach(() => {
  nock.disableNetConnect();
  nock.enableNetConnect('127.0.0.1');
});
afterEach(() => {
  expect(nock.pendingMocks()).toEqual([]);
  nock.cleanAll();
});
afterAll(() => {
  nock.enableNetConnect();
  nock.restore();
});

let now = new Date('2026-01-01T00:00:00Z');
const lines: string[] = [];
const pace = defaultServerConfig.github;
const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });

function connect(privateKey: string | (() => string) = key) {
  return createGitHub({ appId: 1, privateKey, baseUrl: `${host}/api/v3`, pace, log, now: () => now });
}

function token(value: string, times = 1) {
  const expires_at = new Date(now.getTime() + 3_600_000).toISOString();
  return nock(host)
    .post('/api/v3/app/installations/5/access_tokens', { repository_ids: [42], permissions: { metadata: 'read' } })
    .times(times)
    .reply(201, { token: value, expires_at });
}

const permissionPath = '/api/v3/repos/acme/web/collaborators/ada/permission';

async function failureOf(call: Promise<unknown>): Promise<Error> {
  return call.then(
    () => expect.unreachable('the call should fail'),
    (error: unknown) => error as Error,
  );
}

describe('answers of GitHub in our words', () => {
  test.each<[string, number, Record<string, string>, object, number | undefined]>([
    ['an error of the server', 502, {}, { message: 'Bad Gateway' }, undefined],
    ['away, with a time', 503, { 'retry-after': '7' }, {}, 7000],
    [
      'the primary limit',
      403,
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1767225900' },
      { message: 'API rate limit exceeded' },
      301_000,
    ],
    [
      'a secondary limit',
      403,
      { 'retry-after': '30' },
      { message: 'You have exceeded a secondary rate limit' },
      30_000,
    ],
    ['a secondary limit without a time', 403, {}, { message: 'You have exceeded a secondary rate limit' }, 60_000],
    ['too many requests', 429, {}, {}, 60_000],
  ])('SEC-F-11 %s is worth another try', async (_, status, headers, body, retryAfterMs) => {
    token('ghs_1');
    nock(host).get(permissionPath).reply(status, body, headers);
    const error = await failureOf(connect().permissionOf(repository, 'ada'));
    expect(error).toBeInstanceOf(TransientError);
    expect((error as TransientError).retryAfterMs).toBe(retryAfterMs);
  });

  test('a connection that breaks is worth another try', async () => {
    token('ghs_1');
    nock(host)
      .get(permissionPath)
      .replyWithError(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }));
    expect(classify(await failureOf(connect().permissionOf(repository, 'ada')))).toBe('transient');
  });

  test('a permission that is missing is for a person', async () => {
    token('ghs_1');
    nock(host)
      .get('/api/v3/repos/acme/web/collaborators')
      .query(true)
      .reply(403, { message: 'Resource not accessible by integration' });
    const error = await failureOf(connect().writers(repository));
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toBe(
      "GitHub answered 403 to GET /repos/acme/web/collaborators: Resource not accessible by integration. Accept the App's new permissions, and see that its installation is active and the repository not archived.",
    );
  });

  test('an answer of another shape is an error that names the field', async () => {
    token('ghs_1');
    nock(host).get(permissionPath).reply(200, { permission: 7 });
    expect((await failureOf(connect().permissionOf(repository, 'ada'))).message).toMatch(
      /^GitHub answered GET .* in an unknown shape: permission: /,
    );
  });

  test('a permission with a new name is none', async () => {
    token('ghs_1');
    nock(host).get(permissionPath).reply(200, { permission: 'superuser' });
    expect(await connect().permissionOf(repository, 'ada')).toBe('none');
  });

  test('a POST is sent once, whatever the answer', async () => {
    nock(host)
      .post(/access_tokens/)
      .reply(201, { token: 'ghs_1', expires_at: '2030-01-01T00:00:00Z' });
    nock(host)
      .get('/api/v3/repos/acme/web/commits/' + sha + '/check-runs')
      .query(true)
      .times(2)
      .reply(200, { check_runs: [] });
    const post = nock(host).post('/api/v3/repos/acme/web/check-runs').reply(502);
    const draft = {
      name: 'x',
      headSha: sha,
      externalId: 'e',
      detailsUrl: host,
      status: 'queued',
      title: 't',
      summary: 's',
      annotations: [],
      buttons: [],
    } as const;
    const error = await failureOf(connect().postCheckRun(repository, draft));
    expect(error).toBeInstanceOf(TransientError);
    expect(post.isDone()).toBe(true);
  });
});

describe('lists of several pages', () => {
  const pull = (number: number) => ({
    number,
    title: `pull ${number}`,
    updated_at: '2026-01-01T00:00:00Z',
    state: 'open',
    user: { id: 7, login: 'ada', type: 'User' },
    head: { sha, ref: 'topic', repo: { id: 42 } },
    base: { sha, ref: 'main' },
  });

  test('are read until a page is not full', async () => {
    nock(host)
      .post(/access_tokens/)
      .reply(201, { token: 'ghs_1', expires_at: '2030-01-01T00:00:00Z' });
    const pages = [1, 2].map((page) => Array.from({ length: page === 1 ? 100 : 3 }, (_, i) => pull(page * 1000 + i)));
    for (const [index, body] of pages.entries()) {
      const query = (asked: object) => 'page' in asked && asked.page === String(index + 1);
      nock(host).get('/api/v3/repos/acme/web/pulls').query(query).reply(200, body);
    }
    const numbers = (await connect().openPullRequests(repository)).map((one) => one.number);
    expect(numbers).toHaveLength(103);
    expect(numbers.at(-1)).toBe(2002);
  });

  test('GitHub lists 3,000 files of a pull request, which is told as truncated', async () => {
    nock(host)
      .post(/access_tokens/)
      .reply(201, { token: 'ghs_1', expires_at: '2030-01-01T00:00:00Z' });
    const full = Array.from({ length: 100 }, (_, i) => ({ filename: `f${i}` }));
    nock(host).get('/api/v3/repos/acme/web/pulls/1/files').query(true).times(30).reply(200, full);
    const range = { kind: 'pull-request', number: 1 } as const;
    expect((await connect().changedFiles(repository, range)).truncated).toBe(true);
  });
});

describe('tokens', () => {
  test('SEC-F-15 one that GitHub does not know any more is minted again, once', async () => {
    token('ghs_old');
    token('ghs_new');
    nock(host, { reqheaders: { authorization: 'token ghs_old' } })
      .get(permissionPath)
      .reply(401, { message: 'Bad credentials' });
    nock(host, { reqheaders: { authorization: 'token ghs_new' } })
      .get(permissionPath)
      .reply(200, { permission: 'read' });
    expect(await connect().permissionOf(repository, 'ada')).toBe('read');
    token('ghs_1');
    token('ghs_2');
    nock(host).get(permissionPath).times(2).reply(401, { message: 'Bad credentials' });
    expect(classify(await failureOf(connect().permissionOf(repository, 'ada')))).toBe('broken');
  });

  test('five minutes before its end a new one is minted', async () => {
    const github = connect();
    token('ghs_1');
    nock(host).get(permissionPath).times(3).reply(200, { permission: 'read' });
    await github.permissionOf(repository, 'ada');
    now = new Date(now.getTime() + 54 * 60_000);
    await github.permissionOf(repository, 'ada');
    now = new Date(now.getTime() + 2 * 60_000);
    token('ghs_2');
    await github.permissionOf(repository, 'ada');
  });

  test('SEC-T-04 a rotated key is read again when GitHub refuses the old one', async () => {
    let file = key;
    const github = connect(() => file);
    nock(host)
      .post(/access_tokens/)
      .reply(401, { message: 'A JSON web token could not be decoded' });
    token('ghs_1');
    nock(host).get(permissionPath).reply(200, { permission: 'admin' });
    const signatures: string[] = [];
    nock.emitter.on('no match', () => signatures.push('no match'));
    file = newKey;
    expect(await github.permissionOf(repository, 'ada')).toBe('admin');
    expect(signatures).toEqual([]);
  });

  test('a key that is wrong and stays wrong is told once', async () => {
    nock(host)
      .post(/access_tokens/)
      .reply(401, { message: 'A JSON web token could not be decoded' });
    const error = await failureOf(connect(() => key).permissionOf(repository, 'ada'));
    expect(error.message).toMatch(/GitHub answered 401 .*A JSON web token could not be decoded/);
  });

  test('SEC-T-02 neither logs nor errors hold a token, a JWT or a key', async () => {
    lines.length = 0;
    const github = connect();
    token('ghs_canarycanary1');
    nock(host).get(permissionPath).reply(500, { message: 'ghs_canarycanary1' });
    const error = await failureOf(github.permissionOf(repository, 'ada'));
    log.error({ err: error }, 'it failed');
    const said = `${lines.join('')}${JSON.stringify(loggedError(error))}${String(error)}`;
    expect(said).toContain('it failed');
    for (const secret of ['canary', 'eyJ', 'PRIVATE KEY']) expect(said).not.toContain(secret);
  });

  test('SEC-T-02 Probot logs nothing of a delivery whose handler fails: the error comes back to the worker', async () => {
    const written: string[] = [];
    const everything = pino({ level: 'trace' }, { write: (line: string) => void written.push(line) });
    const probot = createProbot({
      appId: 1,
      privateKey: key,
      secret: 'a-secret',
      baseUrl: host,
      pace,
      log: everything,
    });
    probot.on('push', () => Promise.reject(new Error('no ghs_abcdefghij123')));
    const payload = { installation: { id: 5 }, head_commit: { message: 'words of others' } };
    const delivery = { id: 'guid', name: 'push', payload } as unknown as Parameters<typeof probot.receive>[0];
    const error = await failureOf(probot.receive(delivery));
    everything.error({ error: describeError(error) }, 'a job failed');
    expect(written).toHaveLength(1);
    expect(written[0]).toContain('no [token]');
    for (const word of ['words of others', 'abcdefghij']) expect(written[0]).not.toContain(word);
    const logged = loggedError(error);
    expect(logged).toMatchObject({ type: 'Error', message: 'no [token]' });
    expect(logged.stack).toContain('failures.test.ts');
    expect(JSON.stringify(logged)).not.toContain('words of others');
  });

  test('what might hold one is masked wherever it stands', () => {
    expect(maskTokens('a ghs_abcdefghij123 b github_pat_1234567890abc c')).toBe('a [token] b [token] c');
    expect(maskTokens(`x ${key} y`)).toBe('x [key]\n y');
    expect(maskTokens('Bearer eyJhbGciOi.eyJpc3MiOjE.c2lnbmF0dXJl')).toBe('Bearer [token]');
    expect(maskTokens('at https://me:pw@host/x and postgres://u:p@db')).toBe(
      'at https://[credentials]@host/x and postgres://[credentials]@db',
    );
    expect(maskTokens('a@b.test at 10:30, see https://x.test/a:b')).toBe('a@b.test at 10:30, see https://x.test/a:b');
    const written: string[] = [];
    const strict = pino(
      { redact: [...redactPaths], serializers: { err: loggedError } },
      { write: (line: string) => void written.push(line) },
    );
    const rich = Object.assign(new Error('no ghs_abcdefghij123'), {
      request: { headers: { authorization: 'x-secret' } },
    });
    strict.info({
      token: 'a-secret',
      headers: { authorization: 'b-secret' },
      settings: { privateKey: 'c-secret' },
      err: rich,
    });
    expect(written.join('')).toContain('no [token]');
    expect(written.join('')).not.toContain('-secret');
  });
});

describe('one host, and an end to every call', () => {
  test('SEC-E-06 a redirect within the host is followed, one to another host is not', async () => {
    token('ghs_1');
    nock(host)
      .get(permissionPath)
      .reply(301, '', { location: `${host}/api/v3/repositories/42/collaborators/ada/permission` });
    nock(host).get('/api/v3/repositories/42/collaborators/ada/permission').reply(200, { permission: 'write' });
    const github = connect();
    expect(await github.permissionOf(repository, 'ada')).toBe('write');
    const evil = nock('https://evil.test').get('/').reply(200, { permission: 'admin' });
    nock(host).get(permissionPath).reply(302, '', { location: 'https://evil.test/' });
    expect((await failureOf(github.permissionOf(repository, 'ada'))).message).toContain(
      'redirects to evil.test, which is not followed',
    );
    expect(evil.isDone()).toBe(false);
    nock.cleanAll();
  });

  test('a redirect without end is given up', async () => {
    nock(host).get('/loop').times(4).reply(302, '', { location: '/loop' });
    await expect(boundedFetch()(`${host}/loop`)).rejects.toThrow(/not followed/);
  });

  test('an answer that does not come is given up, and one that is too large is not read', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/large') response.end('x'.repeat(1001));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const call = (path: string, timeoutMs: number) =>
      boundedFetch({ timeoutMs, maxBytes: 1000 })(`http://127.0.0.1:${port}${path}`);
    await expect(call('/never', 20)).rejects.toThrow(/timeout|aborted/i);
    await expect(call('/large', 5000)).rejects.toThrow(/larger than 1000 bytes/);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test('git is fetched from the host of the API', () => {
    expect(gitBase('https://api.github.com')).toBe('https://github.com');
    expect(gitBase('https://github.acme.test/api/v3')).toBe('https://github.acme.test');
    expect(gitBase('https://api.acme.ghe.com')).toBe('https://acme.ghe.com');
    expect(gitBase('http://127.0.0.1:4000')).toBe('http://127.0.0.1:4000');
  });
});

describe('Probot as a library', () => {
  test('hands events to handlers, without opening a port or reading the environment', async () => {
    const probot = createProbot({ appId: 1, privateKey: key, secret: 's'.repeat(32), baseUrl: host, pace, log });
    const heard: string[] = [];
    await probot.load((app) => {
      app.onAny((event) => void heard.push(event.id));
    });
    await probot.receive({ id: 'guid-1', name: 'ping', payload: {} } as never);
    expect(heard).toEqual(['guid-1']);
  });
});
