import { describe, expect, it } from 'vitest';
import { classify, describeError, isDiskFull } from '../src/errors.ts';

/** GitHub's newer installation tokens: longer than 40 characters, with dots and dashes. */
const longToken = `ghs_123456_eyJhbGciOiJSUzI1NiJ9.${'aB3-_'.repeat(110)}.${'x'.repeat(40)}`;

describe('what an error says to logs and people', () => {
  it.each([
    ['an authorization header', 'request failed, authorization: Basic eDp0b2tlbg==, try again', 'eDp0b2tlbg'],
    ['a header as JSON', '{"authorization":"token 0123456789abcdef0123456789abcdef01234567"}', '0123456789abcdef'],
    [
      'a remote with a token',
      'fatal: https://x-access-token:v1.0123456789@github.com/a/b.git not found',
      'v1.0123456789',
    ],
    ['a signed address', 'GET https://b.s3.test/k?X-Amz-Credential=AKIA1&X-Amz-Signature=feed&x=1 gave 403', 'feed'],
    ['a session token', 'https://b.s3.test/k?X-Amz-Security-Token=IQoJb3JpZ2luX2Vj%2F', 'IQoJb3'],
  ])('holds nothing of %s (SEC-D-11)', (_name, message, secret) => {
    expect(describeError(new Error(message))).not.toContain(secret);
    expect(describeError(new AggregateError([new Error(message)]))).not.toContain(secret);
  });

  it('holds nothing of an installation token of any length, whole or cut (SEC-D-12)', () => {
    expect(describeError(new Error(`used ${longToken} twice`))).toBe('Error: used [token] twice');
    const late = describeError(new Error(`${'.'.repeat(480)} ${longToken}`));
    expect(late).not.toContain('ghs_');
  });

  it('is the text as it was when there is nothing to hide', () => {
    const text = 'fetch https://api.test/a?signature_version=4 at 10:30: authorization is missing';
    expect(describeError(new Error(text))).toBe(`Error: ${text}`);
  });
});

describe('a full disk', () => {
  const errors = [
    Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
    Object.assign(new Error('could not extend file'), { code: '53100' }),
  ];

  it.each(errors)('is worth trying again: $message', (error) => {
    expect([isDiskFull(error), classify(error)]).toEqual([true, 'transient']);
  });

  it('is known as the embedded database tells it while it opens', () => {
    expect(isDiskFull({ name: 'ErrnoError', errno: 51 })).toBe(true);
    expect(isDiskFull({ name: 'ErrnoError', errno: 44 })).toBe(false);
    expect(describeError({ name: 'ErrnoError', errno: 44 })).toBe('{"name":"ErrnoError","errno":44}');
  });
});
