import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { privateKeyOf } from '../../src/config/credentials.ts';
import { describeSettings, readEnvironment } from '../../src/config/env.ts';

const folder = mkdtempSync(join(tmpdir(), 'penstock-env-'));
afterAll(() => rmSync(folder, { recursive: true }));

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
const good = '4b9c1e7fa2d8035561ce90ab47f3d2e8';
const enough = { APP_ID: '12', PRIVATE_KEY: pem, WEBHOOK_SECRET: good };

function problemsOf(env: Record<string, string | undefined>): readonly string[] {
  const read = readEnvironment(env);
  return read.ok ? [] : read.problems;
}

function settingsOf(env: Record<string, string | undefined>) {
  const read = readEnvironment(env);
  if (!read.ok) throw new Error(read.problems.join('\n'));
  return read.settings;
}

describe('readEnvironment', () => {
  test('with the three credentials alone everything else has a default', () => {
    expect(settingsOf(enough)).toEqual({
      appId: 12,
      privateKey: pem,
      webhookSecrets: [good],
      home: resolve('.penstock'),
      configFile: resolve('penstock.server.yml'),
      configFileNamed: false,
      host: '127.0.0.1',
      port: 3000,
      githubUrl: 'https://api.github.com',
      logLevel: 'info',
      workerConcurrency: 8,
    });
  });

  test('everything can be set', () => {
    const settings = settingsOf({
      ...enough,
      WEBHOOK_SECRET_OLD: 'a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6',
      DATABASE_URL: 'postgres://me:pass@db.internal:5433/penstock',
      PENSTOCK_HOME: '/var/lib/penstock',
      PENSTOCK_CONFIG: '/etc/penstock.yml',
      HOST: '0.0.0.0',
      PORT: '0',
      PUBLIC_URL: 'https://penstock.acme.test/',
      GITHUB_URL: 'https://github.acme.test/api/v3/',
      LOG_LEVEL: 'debug',
      WORKER_CONCURRENCY: '2',
    });
    expect(settings).toMatchObject({
      webhookSecrets: [good, 'a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6'],
      home: '/var/lib/penstock',
      configFile: '/etc/penstock.yml',
      configFileNamed: true,
      host: '0.0.0.0',
      port: 0,
      publicUrl: 'https://penstock.acme.test',
      githubUrl: 'https://github.acme.test/api/v3',
      logLevel: 'debug',
      workerConcurrency: 2,
    });
    const shown = describeSettings(settings).join('\n');
    expect(shown).toContain('Postgres at db.internal:5433/penstock');
    for (const secret of [good, 'a1b2c3d4', 'pass', 'PRIVATE KEY']) expect(shown).not.toContain(secret);
  });

  test('a person who has set nothing is told of all three credentials and where to get them', () => {
    const read = readEnvironment({});
    expect(read).toMatchObject({ ok: false, unconfigured: true });
    expect(problemsOf({})).toEqual([
      'APP_ID is not set. Set it to the number shown as "App ID" on your App\'s page under GitHub Settings > Developer settings > GitHub Apps.',
      'PRIVATE_KEY is not set. Generate one under "Private keys" on your App\'s page (GitHub Settings > Developer settings > GitHub Apps), and set PRIVATE_KEY_PATH to its file.',
      "WEBHOOK_SECRET is not set. Make one with `openssl rand -hex 32`, and set the same on your App's page under Webhook secret.",
    ]);
    expect(readEnvironment({ APP_ID: '1' })).toMatchObject({ unconfigured: false });
  });

  test.each([
    ['nothing', undefined],
    ['an empty text', ''],
    ['blanks', '   '],
    ['the name that Probot falls back to', 'development'],
    ['31 characters', good.slice(1)],
    ['the example of a manual', 'replace-me-replace-me-replace-me-1234'],
    ['one letter many times', 'a'.repeat(64)],
  ])('SEC-E-01 a webhook secret that is %s is refused', (_, secret) => {
    const problems = problemsOf({ ...enough, WEBHOOK_SECRET: secret });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^WEBHOOK_SECRET .* `openssl rand -hex 32`/);
    expect(problems[0]).not.toContain(good.slice(1));
  });

  test('SEC-E-12 the old secret is held to the same measure, and counts once when it is the same', () => {
    expect(problemsOf({ ...enough, WEBHOOK_SECRET_OLD: 'short' })[0]).toMatch(/^WEBHOOK_SECRET_OLD has 5 characters/);
    expect(settingsOf({ ...enough, WEBHOOK_SECRET_OLD: good }).webhookSecrets).toEqual([good]);
  });

  test.each([
    ['with escaped line ends', pem.trim().replaceAll('\n', String.raw`\n`)],
    ['in base64', Buffer.from(pem).toString('base64')],
    ['with Windows line ends', pem.replaceAll('\n', '\r\n')],
  ])('the private key may come %s', (_, text) => {
    expect(settingsOf({ ...enough, PRIVATE_KEY: text }).privateKey).toBe(pem);
  });

  test('SEC-T-04 the private key may come from a file, which is read again after a rotation', () => {
    const path = join(folder, 'app.pem');
    writeFileSync(path, pem);
    const settings = settingsOf({ APP_ID: '12', WEBHOOK_SECRET: good, PRIVATE_KEY_PATH: path });
    expect(settings).toMatchObject({ privateKey: pem, privateKeyPath: path });
    const current = privateKeyOf(settings);
    if (typeof current === 'string') throw new Error('expected to be asked');
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const rotated = other.export({ type: 'pkcs1', format: 'pem' }).toString();
    writeFileSync(path, rotated);
    expect(current()).toBe(rotated);
    writeFileSync(path, 'half a key');
    expect(current()).toBe(pem);
    expect(privateKeyOf(settingsOf(enough))).toBe(pem);
  });

  test.each<[Record<string, string>, RegExp]>([
    [{ APP_ID: 'Iv1.abc' }, /^APP_ID is not a number/],
    [{ PRIVATE_KEY: 'hunter2' }, /^PRIVATE_KEY is not an RSA private key/],
    [{ PRIVATE_KEY_PATH: '/nowhere/key.pem' }, /^PRIVATE_KEY and PRIVATE_KEY_PATH are both set/],
    [
      { PRIVATE_KEY: '', PRIVATE_KEY_PATH: '/nowhere/key.pem' },
      /^PRIVATE_KEY_PATH: \/nowhere\/key.pem cannot be read \(ENOENT\)/,
    ],
    [{ DATABASE_URL: 'mysql://x' }, /^DATABASE_URL is not the address of a Postgres/],
    [{ PORT: '70000' }, /^PORT cannot be "70000"\. Set it to a whole number from 0 to 65535/],
    [{ PORT: '3e3' }, /^PORT cannot be/],
    [{ WORKER_CONCURRENCY: '0' }, /^WORKER_CONCURRENCY cannot be "0"/],
    [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL cannot be "loud"\. Set it to one of fatal/],
    [{ PUBLIC_URL: 'penstock.acme.test' }, /^PUBLIC_URL is not an address/],
    [{ GITHUB_URL: 'ftp://x' }, /^GITHUB_URL is not the address of a GitHub API/],
    [{ GITHUB_URL: 'https://me:pw@ghe.test/api/v3' }, /^GITHUB_URL is not the address of a GitHub API/],
    [{ GITHUB_URL: 'http://ghe.test/api/v3' }, /^GITHUB_URL begins with http:/],
    [{ GITHUB_URL: 'https://github.com' }, /^GITHUB_URL is GitHub's website/],
  ])('%o is refused with the name of the variable', (changes, expected) => {
    const problems = problemsOf({ ...enough, ...changes });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(expected);
  });

  test('a GitHub on this machine may be reached without TLS', () => {
    for (const url of ['http://127.0.0.1:4000', 'http://localhost:4000', 'http://[::1]:4000']) {
      expect(settingsOf({ ...enough, GITHUB_URL: url }).githubUrl).toBe(url);
    }
  });
});
