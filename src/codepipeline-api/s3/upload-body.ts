import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { decodeChunks } from './chunked-body.ts';
import { digestFor, type Digest } from './digests.ts';
import { checksumPrefix } from './object-headers.ts';
import { S3Error } from './s3-error.ts';
import { headerOf, type S3Request } from './s3-request.ts';

/** S3's bound for one upload. */
const mostBytes = 5 * 1024 * 1024 * 1024;

const signedChunks = new Set(['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER']);

export interface UploadBody {
  /**
   * The bytes that a request uploads, unwrapped. It fails at its end when a digest that the client gave, in a header or
   * behind the body, is not that of the bytes, so whoever stores it stores nothing then.
   */
  readonly stream: Readable;
  /** At the end of the stream: their MD5 in hex. */
  md5(): string;
  /** At the end of the stream: those that the client gave, by header. */
  checksums(): Readonly<Record<string, string>>;
}

/** `own: false`: the headers of checksums are those of another thing than this body. */
export function uploadBody(request: S3Request, { own = true }: { readonly own?: boolean } = {}): UploadBody {
  request.exchange.proceed();
  const md5 = createHash('md5');
  const checksums: Record<string, string> = {};
  return {
    stream: Readable.from(checked(request, { md5, checksums, own }), { objectMode: false }),
    md5: () => md5.copy().digest('hex'),
    checksums: () => checksums,
  };
}

interface Learned {
  readonly md5: { update(part: Buffer): unknown };
  readonly checksums: Record<string, string>;
  readonly own: boolean;
}

async function* checked(request: S3Request, learned: Learned): AsyncGenerator<Buffer> {
  const declared = headerOf(request, 'x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD';
  const wanted = new Map(learned.own ? checksumsOf((name) => headerOf(request, name)) : []);
  const digests = digestsFor(request, wanted);
  for (const [name, value] of wanted) checkForm(name, value, digests.get(name));
  const whole = /^[0-9a-f]{64}$/.test(declared) ? createHash('sha256') : undefined;
  const source = declared.startsWith('STREAMING-') ? chunks(request, declared, wanted) : request.exchange.request;
  let size = 0;
  for await (const part of source as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > mostBytes) throw new S3Error('EntityTooLarge', `An upload has at most ${mostBytes} bytes.`, 400);
    learned.md5.update(part);
    whole?.update(part);
    for (const digest of digests.values()) digest.update(part);
    yield part;
  }
  checkSize(request, declared, size);
  if (whole && whole.digest('hex') !== declared) {
    throw new S3Error(
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
      400,
    );
  }
  for (const [name, value] of wanted) {
    checkDigest(name, value, digests.get(name));
    if (name.startsWith(checksumPrefix)) learned.checksums[name] = value;
  }
}

/** A checksum may stand in a header, or be announced there and come behind the body. */
function digestsFor(request: S3Request, wanted: ReadonlyMap<string, string>): ReadonlyMap<string, Digest> {
  const announced = (headerOf(request, 'x-amz-trailer') ?? '').split(',').map((one) => one.trim().toLowerCase());
  const digests = new Map<string, Digest>();
  for (const name of [...wanted.keys(), ...announced]) {
    const digest = digestFor(name);
    if (digest) digests.set(name, digest);
    else if (name !== '') throw new S3Error('InvalidRequest', `The checksum ${name} is not known here.`, 400);
  }
  return digests;
}

function chunks(request: S3Request, declared: string, wanted: Map<string, string>): AsyncGenerator<Buffer> {
  const isSigned = signedChunks.has(declared);
  if (!isSigned && declared !== 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') {
    throw new S3Error('InvalidRequest', `A body of the form ${declared} is not understood.`, 400);
  }
  return decodeChunks(request.exchange.request as AsyncIterable<Buffer>, {
    ...(isSigned && request.chunkSigning
      ? { signing: { ...request.chunkSigning, trailers: declared.endsWith('-TRAILER') } }
      : {}),
    trailers: (found) => {
      for (const [name, value] of checksumsOf((one) => found.get(one))) wanted.set(name, value);
    },
  });
}

function checkSize(request: S3Request, declared: string, size: number): void {
  const stated = headerOf(
    request,
    declared.startsWith('STREAMING-') ? 'x-amz-decoded-content-length' : 'content-length',
  );
  if (stated !== undefined && Number(stated) !== size) {
    throw new S3Error('IncompleteBody', `The body has ${size} bytes, and ${stated} were announced.`, 400);
  }
}

const checksumNames = ['crc32', 'crc32c', 'crc64nvme', 'sha256', 'sha1'].map((name) => `${checksumPrefix}${name}`);

function checksumsOf(get: (name: string) => string | undefined): (readonly [string, string])[] {
  return [...checksumNames, 'content-md5'].flatMap((name) => {
    const value = get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
}

/** What could be the digest of nothing is told before the body is read. */
function checkForm(name: string, value: string, digest: Digest | undefined): void {
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length === digest?.size && bytes.toString('base64') === value) return;
  if (name === 'content-md5') throw new S3Error('InvalidDigest', 'The Content-MD5 you specified is not valid.', 400);
  throw new S3Error('InvalidRequest', `Value for ${name} header is invalid.`, 400);
}

function checkDigest(name: string, wanted: string, digest: Digest | undefined): void {
  if (digest?.value() === wanted) return;
  if (!digest) {
    throw new S3Error('InvalidRequest', `The trailer ${name} was not announced in x-amz-trailer.`, 400);
  }
  throw new S3Error('BadDigest', `The ${name} you specified did not match the calculated checksum.`, 400);
}

/** A small body that says what to do: its digests are checked as those of an upload. */
export async function instructions(
  request: S3Request,
  most: number,
  options: { readonly own?: boolean } = {},
): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of uploadBody(request, options).stream as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > most) throw new S3Error('MaxMessageLengthExceeded', 'Your request was too big.', 400);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
