import type { Caller, Door } from '../door.ts';
import type { Exchange } from '../http-server.ts';
import { queryOf, type Claim } from '../sigv4.ts';
import { S3Error } from './s3-error.ts';

/** One request to the object store, after its signature was checked. */
export interface S3Request {
  readonly door: Door;
  readonly caller: Caller;
  readonly exchange: Exchange;
  /** Empty: the request is about the store. */
  readonly bucket: string;
  /** Empty: it is about the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
  /** Of a body in signed chunks: what its chunks are checked with. */
  readonly chunkSigning?: { readonly claim: Claim; readonly secretAccessKey: string };
}

export function headerOf({ exchange }: Pick<S3Request, 'exchange'>, name: string): string | undefined {
  const value = exchange.request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/**
 * Bucket and key, from the path (`/bucket/key`) or from the host (`bucket.localhost`, or below the name under which this
 * door is reached).
 */
export function addressOf({ request, target }: Exchange, baseUrl: string): Pick<S3Request, 'bucket' | 'key' | 'query'> {
  const path = (target.split('?')[0] ?? '').replace(/^\//, '');
  const query = queryOf(target);
  const hosted = bucketOfHost(request.headers.host ?? '', new URL(baseUrl).hostname);
  if (hosted !== undefined) return { bucket: hosted, key: decoded(path), query };
  const slash = path.indexOf('/');
  if (slash < 0) return { bucket: decoded(path), key: '', query };
  return { bucket: decoded(path.slice(0, slash)), key: decoded(path.slice(slash + 1)), query };
}

function bucketOfHost(host: string, base: string): string | undefined {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  const isAddress = /^[\d.]+$/.test(base);
  const ending = ['.localhost', ...(isAddress || base.startsWith('[') ? [] : [`.${base}`])].find((one) =>
    name.endsWith(one),
  );
  return ending === undefined ? undefined : name.slice(0, -ending.length);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error('InvalidURI', 'The path is not encoded as it should be.', 400);
  }
}
