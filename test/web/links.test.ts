import { describe, expect, test } from 'vitest';
import { linkExpiry, linkKeys, signLink, verifyLink } from '../../src/web/links.ts';

const [key] = linkKeys(['a-webhook-secret-of-some-length!']);
const now = new Date('2026-11-23T12:00:00Z');
const later = new Date('2026-12-07T00:00:00Z');
const path = '/executions/abc';

function queryOf(link: string): { expires?: string; signature?: string } {
  return Object.fromEntries(new URL(link, 'http://x').searchParams);
}

describe('a signed link (SEC-G-04)', () => {
  const link = signLink(key, path, later);

  test('opens its page until it ends', () => {
    expect(link).toMatch(/^\/executions\/abc\?expires=\d+&signature=[\w-]{43}$/);
    expect(verifyLink([key], path, queryOf(link), now)).toBe('valid');
    expect(verifyLink([key], path, queryOf(link), new Date(later.getTime() - 1))).toBe('valid');
    expect(verifyLink([key], path, queryOf(link), later)).toBe('expired');
  });

  test.each([
    ['another execution', '/executions/abd', queryOf(link)],
    ['a longer life', path, { ...queryOf(link), expires: String(later.getTime() / 1000 + 1) }],
    ['no signature', path, { expires: queryOf(link).expires }],
    ['an empty signature', path, { ...queryOf(link), signature: '' }],
    ['a shorter signature', path, { ...queryOf(link), signature: queryOf(link).signature?.slice(0, 20) }],
    ['no end', path, { signature: queryOf(link).signature }],
    ['an end that is no number', path, { ...queryOf(link), expires: '1e99' }],
    ['nothing at all', path, {}],
  ])('opens nothing with %s', (_why, asked, query) => {
    expect(verifyLink([key], asked, query, now)).toBe('wrong');
  });

  test('made before the webhook secret was rotated opens its page as long as the old secret is configured', () => {
    const rotated = linkKeys(['the-new-webhook-secret-is-longer', 'a-webhook-secret-of-some-length!']);
    expect(verifyLink(rotated, path, queryOf(link), now)).toBe('valid');
    expect(verifyLink(linkKeys(['the-new-webhook-secret-is-longer']), path, queryOf(link), now)).toBe('wrong');
  });
});

test('links made within one week end at the same moment, so that a check run need not be sent again', () => {
  const ends = ['2026-11-23T00:00:00Z', '2026-11-26T10:00:00Z', '2026-11-29T23:59:59Z'].map((at) =>
    linkExpiry(new Date(at)),
  );
  expect(ends.map((end) => end.toISOString())).toEqual(Array(3).fill('2026-12-14T00:00:00.000Z'));
  expect(linkExpiry(new Date('2026-11-30T00:00:00Z')).toISOString()).toBe('2026-12-21T00:00:00.000Z');
});
