import { createHash } from 'node:crypto';
import { ApiError } from './api-error.ts';
import type { Call } from './door.ts';
import { sameText } from './sigv4.ts';

/**
 * `nextToken`: where the next page begins, signed together with the query that it belongs to. A token of another query,
 * another caller or another server, or one that was altered, is InvalidNextTokenException (CP-X-71).
 */
export interface Query {
  readonly operation: string;
  /** Everything of the input that chooses the rows; not the page size. */
  readonly about: unknown;
}

export function readToken(call: Call, query: Query, token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  const [cursor = '', signature = ''] = token.split('.');
  if (!sameText(signature, sign(call, query, cursor))) {
    throw new ApiError('InvalidNextTokenException', 'The next token is not one that this request was answered with.');
  }
  return Buffer.from(cursor, 'base64url').toString();
}

/** `next` is the cursor of the next page, or nothing when this was the last one. */
export function tokenMember(call: Call, query: Query, next: string | undefined): { nextToken?: string } {
  if (next === undefined) return {};
  const cursor = Buffer.from(next).toString('base64url');
  return { nextToken: `${cursor}.${sign(call, query, cursor)}` };
}

function sign({ door, caller }: Call, { operation, about }: Query, cursor: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([operation, about ?? null, caller.scope]))
    .digest('hex');
  return door.secret.sign('next token', `${digest}/${cursor}`);
}

/** One page of a list that was read whole, for lists that are short by nature. */
export function pageOf<T>(
  call: Call,
  query: Query,
  given: { readonly items: readonly T[]; readonly token: string | undefined; readonly size: number },
): { readonly items: readonly T[]; readonly token: { nextToken?: string } } {
  const from = Number(readToken(call, query, given.token) ?? 0);
  const to = from + given.size;
  const next = to < given.items.length ? String(to) : undefined;
  return { items: given.items.slice(from, to), token: tokenMember(call, query, next) };
}
