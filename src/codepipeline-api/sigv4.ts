import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from './api-error.ts';

/** AWS Signature Version 4 as a server checks it, in the header form and in the presigned form (CP-W-12). */

export interface SignedRequest {
  readonly method: string;
  /** Path and query exactly as sent. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
}

/** What a request says of its signature, before anything of it is believed. */
export interface Claim {
  readonly form: 'header' | 'presigned';
  readonly accessKeyId: string;
  /** `20260101` */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20260101T120000Z` */
  readonly at: string;
  /** Of a presigned request. */
  readonly expiresInSeconds?: number;
  readonly sessionToken?: string;
}

const skewMs = 5 * 60_000;
const longestPresignedSeconds = 7 * 24 * 3600;
const algorithm = 'AWS4-HMAC-SHA256';

/** `undefined` when the request carries no signature at all. Throws IncompleteSignatureException for half a one. */
export function readClaim(request: SignedRequest): Claim | undefined {
  const { authorization } = request.headers;
  const query = queryOf(request.target);
  if (authorization !== undefined) return headerClaim(request.headers, authorization);
  if (query.has('AWSAccessKeyId')) {
    // What `aws s3 presign` of the CLI v1 makes unless it is told otherwise.
    throw incomplete('Signature version 2 is not taken. Run: aws configure set default.s3.signature_version s3v4');
  }
  return query.has('X-Amz-Signature') || query.has('X-Amz-Algorithm') ? presignedClaim(query) : undefined;
}

function headerClaim(headers: IncomingHttpHeaders, authorization: string): Claim {
  if (!authorization.startsWith(`${algorithm} `)) throw incomplete(`Authorization has to begin with ${algorithm}.`);
  const parts = new Map(
    authorization
      .slice(algorithm.length)
      .split(',')
      .map((part) => {
        const [name = '', ...value] = part.trim().split('=');
        return [name, value.join('=')] as const;
      }),
  );
  const sessionToken = single(headers['x-amz-security-token']);
  return {
    form: 'header',
    ...credentialOf(parts.get('Credential')),
    signedHeaders: signedHeadersOf(parts.get('SignedHeaders')),
    signature: required(parts.get('Signature'), 'Signature'),
    at: momentText(single(headers['x-amz-date']) ?? headers.date),
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
}

function presignedClaim(query: URLSearchParams): Claim {
  if (query.get('X-Amz-Algorithm') !== algorithm) throw incomplete(`X-Amz-Algorithm has to be ${algorithm}.`);
  const expires = query.get('X-Amz-Expires') ?? '';
  if (!/^\d{1,6}$/.test(expires) || Number(expires) > longestPresignedSeconds) {
    throw incomplete('X-Amz-Expires has to be a number of seconds, at most a week.');
  }
  const sessionToken = query.get('X-Amz-Security-Token');
  return {
    form: 'presigned',
    ...credentialOf(query.get('X-Amz-Credential') ?? undefined),
    signedHeaders: signedHeadersOf(query.get('X-Amz-SignedHeaders') ?? undefined),
    signature: required(query.get('X-Amz-Signature') ?? undefined, 'X-Amz-Signature'),
    at: momentText(query.get('X-Amz-Date') ?? undefined),
    expiresInSeconds: Number(expires),
    ...(sessionToken === null ? {} : { sessionToken }),
  };
}

function credentialOf(text: string | undefined): Pick<Claim, 'accessKeyId' | 'date' | 'region' | 'service'> {
  const [accessKeyId, date, region, service, end, ...more] = required(text, 'Credential').split('/');
  if (!accessKeyId || !date || !region || !service || end !== 'aws4_request' || more.length > 0) {
    throw incomplete('Credential has to be key/date/region/service/aws4_request.');
  }
  return { accessKeyId, date, region, service };
}

function signedHeadersOf(text: string | undefined): readonly string[] {
  const names = required(text, 'SignedHeaders').split(';');
  if (!names.includes('host')) throw incomplete('The host header has to be signed.');
  return names;
}

function momentText(text: string | undefined): string {
  const given = required(text, 'X-Amz-Date');
  if (/^\d{8}T\d{6}Z$/.test(given)) return given;
  const parsed = new Date(given);
  if (Number.isNaN(parsed.getTime())) throw incomplete('X-Amz-Date has to look like 20260101T120000Z.');
  return parsed.toISOString().replaceAll(/[-:]|\.\d+/g, '');
}

/** Throws unless the signature is the one that `secret` makes over exactly this request at about this time. */
export function verifySignature(
  request: SignedRequest,
  claim: Claim,
  given: { readonly secret: string; readonly service: string; readonly payloadHash: string; readonly now: Date },
): void {
  if (claim.service !== given.service) {
    throw invalid(`Credential should be scoped to correct service: '${given.service}'.`);
  }
  if (!claim.at.startsWith(claim.date))
    throw invalid('The date of the credential scope is not the date of the request.');
  checkTime(claim, given.now);
  checkAmzHeadersSigned(request, claim);
  const expected = signatureOf(stringToSign(request, claim, given.payloadHash), given.secret, claim);
  if (!sameText(expected, claim.signature)) {
    throw invalid(
      'The request signature we calculated does not match the signature you provided. ' +
        'Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    );
  }
}

function checkTime({ at, form, expiresInSeconds = 0 }: Claim, now: Date): void {
  const signedAt = Date.parse(at.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (Number.isNaN(signedAt)) throw incomplete('X-Amz-Date is no moment in time.');
  const nowText = now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  if (signedAt > now.getTime() + skewMs)
    throw invalid(`Signature not yet current: ${at} is still later than ${nowText}`);
  const until = form === 'presigned' ? signedAt + expiresInSeconds * 1000 : signedAt + skewMs;
  if (until < now.getTime()) throw invalid(`Signature expired: ${at} is now earlier than ${nowText}`);
}

/** A header that steers the request but is not signed could have been added on the way. */
function checkAmzHeadersSigned({ headers }: SignedRequest, claim: Claim): void {
  const stray = Object.keys(headers).find((name) => name.startsWith('x-amz-') && !claim.signedHeaders.includes(name));
  if (stray !== undefined) {
    throw invalid(`There were headers present in the request which were not signed: ${stray}`);
  }
}

function stringToSign(request: SignedRequest, claim: Claim, payloadHash: string): string {
  const scope = `${claim.date}/${claim.region}/${claim.service}/aws4_request`;
  return [algorithm, claim.at, scope, sha256(canonicalRequest(request, claim, payloadHash))].join('\n');
}

function canonicalRequest({ method, target, headers }: SignedRequest, claim: Claim, payloadHash: string): string {
  const [path = '/', ...query] = target.split('?');
  return [
    method,
    // S3 signs the path as sent; other services encode it once more. Ours of the others is always `/`.
    path === '' ? '/' : path,
    canonicalQuery(query.join('?')),
    ...claim.signedHeaders.map((name) => `${name}:${headerText(headers[name])}`),
    '',
    claim.signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

/** Sorted by encoded name, then value; the signature itself is not part of it. */
function canonicalQuery(query: string): string {
  if (query === '') return '';
  return query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const [name = '', ...value] = part.split('=');
      return [encodeStrictly(decode(name)), encodeStrictly(decode(value.join('=')))] as const;
    })
    .filter(([name]) => name !== 'X-Amz-Signature')
    .toSorted(([a, av], [b, bv]) => compare(a, b) || compare(av, bv))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', '%20'));
  } catch {
    throw invalid('The query of the request is not encoded as it should be.');
  }
}

/** RFC 3986 unreserved characters stay, everything else is percent-encoded. */
function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function headerText(value: string | string[] | undefined): string {
  const text = Array.isArray(value) ? value.join(',') : (value ?? '');
  return text.trim().replaceAll(/ +/g, ' ');
}

export function signingKey(
  secret: string,
  { date, region, service }: Pick<Claim, 'date' | 'region' | 'service'>,
): Buffer {
  return [date, region, service, 'aws4_request'].reduce<Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from(`AWS4${secret}`),
  );
}

function signatureOf(text: string, secret: string, claim: Claim): string {
  return createHmac('sha256', signingKey(secret, claim)).update(text).digest('hex');
}

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

export function queryOf(target: string): URLSearchParams {
  const at = target.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : target.slice(at + 1));
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function required(value: string | undefined, name: string): string {
  if (value === undefined || value === '') throw incomplete(`Authorization header requires '${name}' parameter.`);
  return value;
}

function incomplete(message: string): ApiError {
  return new ApiError('IncompleteSignatureException', message);
}

function invalid(message: string): ApiError {
  return new ApiError('InvalidSignatureException', message);
}
