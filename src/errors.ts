/** Something a person can mend. The message names the file, key or command, and the next step. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** Worth trying again later: the other side was away, slow or busy. */
export class TransientError extends Error {
  override readonly name = 'TransientError';
  /** Do not try before this many milliseconds have passed, when the other side said so. */
  readonly retryAfterMs: number | undefined;
  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, { cause: options.cause });
    this.retryAfterMs = options.retryAfterMs;
  }
}

export type ErrorClass = 'user' | 'transient' | 'broken';

const transientCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '57P01', // admin_shutdown
  '57P02',
  '57P03', // cannot_connect_now
  '53300', // too_many_connections
  '08000',
  '08003',
  '08006',
  '57014', // query_canceled
  '55P03', // lock_not_available
  '25P03', // idle_in_transaction_session_timeout
  // A full disk: somebody makes room, and what was asked for still counts.
  '53100',
  'ENOSPC',
  'EDQUOT',
]);

/** Node and Postgres say it by a code; the embedded database, while it opens, by WASI's number (51 and 19). */
export function isDiskFull(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const named = 'code' in error ? String(error.code) : '';
  const numbered = 'name' in error && error.name === 'ErrnoError' && 'errno' in error ? Number(error.errno) : 0;
  return ['53100', 'ENOSPC', 'EDQUOT'].includes(named) || [51, 19].includes(numbered);
}

/** Tells what to do about an error that was caught: show it, try again, or report a defect. */
export function classify(error: unknown): ErrorClass {
  if (error instanceof UserError) return 'user';
  if (error instanceof TransientError) return 'transient';
  if (error instanceof AggregateError) {
    return error.errors.every((inner) => classify(inner) === 'transient') ? 'transient' : 'broken';
  }
  if (typeof error === 'object' && error !== null) {
    if ('code' in error && transientCodes.has(String(error.code))) return 'transient';
    // pg gives no code when a checked-out connection ends under it.
    if (
      'message' in error &&
      /connection error and is not queryable|Connection terminated|timeout exceeded when trying to connect/.test(
        String(error.message),
      )
    )
      return 'transient';
  }
  return 'broken';
}

/** One line for logs, job rows and people: never a stack or a token, never more than 500 characters. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describeError).join('; ').slice(0, 500);
  return maskTokens(textOf(error)).slice(0, 500);
}

function textOf(error: unknown): string {
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  // What is thrown without being an Error tells nothing as a string.
  return typeof error === 'object' && error !== null ? JSON.stringify(error) : String(error);
}

const tokens = /\b(?:gh[a-z]_[A-Za-z0-9_.-]{10,}|github_pat_\w{10,}|eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]{5,})/g;
const keys = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;
const inAddress = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]*:[^\s/@]*@/gi;
const inHeader = /(\bauthorization["']?\s*[:=]\s*["']?(?:basic|bearer|token)\s+)[^\s"',]+/gi;
const inQuery = /([?&](?:x-amz-(?:signature|security-token|credential)|signature)=)[^&\s"']+/gi;

/** Masks tokens, JWTs, keys, authorization headers, signed addresses and passwords in addresses, wherever they stand. */
export function maskTokens(text: string): string {
  return text
    .replaceAll(keys, '[key]')
    .replaceAll(tokens, '[token]')
    .replaceAll(inHeader, '$1[credentials]')
    .replaceAll(inQuery, '$1[credentials]')
    .replaceAll(inAddress, '$1[credentials]@');
}
