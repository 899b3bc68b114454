import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/**
 * Links that open a page without a login: an HMAC over the path and the moment at which the link ends. A link to
 * `/executions/<id>` opens everything below that path, and nothing else.
 */

export type LinkVerdict = 'valid' | 'expired' | 'wrong';

/** Keys from the webhook secrets, so that every replica makes and accepts the same links. The first one signs. */
export function linkKeys(webhookSecrets: readonly [string, ...string[]]): readonly [Buffer, ...Buffer[]] {
  const [current, ...older] = webhookSecrets;
  return [linkKey(current), ...older.map(linkKey)];
}

function linkKey(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', 'penstock page links', 32));
}

/** `path` with `expires` (seconds since 1970) and `signature` as its query. */
export function signLink(key: Buffer, path: string, expires: Date): string {
  const seconds = Math.floor(expires.getTime() / 1000);
  return `${path}?expires=${seconds}&signature=${signature(key, path, seconds).toString('base64url')}`;
}

/** `path` is the path that was signed; `query` what came with the request. */
export function verifyLink(
  keys: readonly Buffer[],
  path: string,
  query: { readonly expires?: string | undefined; readonly signature?: string | undefined },
  now: Date,
): LinkVerdict {
  if (!/^\d{1,12}$/.test(query.expires ?? '')) return 'wrong';
  const seconds = Number(query.expires);
  const given = Buffer.from(query.signature ?? '', 'base64url');
  const genuine = keys.some((key) => {
    const wanted = signature(key, path, seconds);
    return wanted.length === given.length && timingSafeEqual(wanted, given);
  });
  if (!genuine) return 'wrong';
  return now.getTime() < seconds * 1000 ? 'valid' : 'expired';
}

/**
 * When a link made now ends: in two to three weeks, always on a Monday at 00:00 UTC. A check run that is drawn again
 * within a week then holds the same link, and need not be sent again.
 */
export function linkExpiry(now: Date): Date {
  const week = 7 * 24 * 3_600_000;
  const firstMonday = 4 * 24 * 3_600_000;
  const passed = Math.floor((now.getTime() - firstMonday) / week);
  return new Date(firstMonday + (passed + 3) * week);
}

function signature(key: Buffer, path: string, seconds: number): Buffer {
  return createHmac('sha256', key).update(`${path}\n${seconds}`).digest();
}
