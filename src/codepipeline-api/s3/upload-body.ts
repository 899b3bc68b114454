import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Readable } from 'node:stream';
import { decodeChunks } from './chunked-body.ts';
import { S3Error } from './s3-error.ts';
import { headerOf, type S3Request } from './s3-request.ts';

/** S3's bound for one upload. */
const mostBytes = 5 * 1024 * 1024 * 1024;

const signedChunks = new Set(['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER']);

/**
 * The bytes that a request uploads, unwrapped. The stream fails at its end when a digest that the client gave, in a
 * header or behind the body, is not that of the bytes, so whoever stores it stores nothing then.
 */
export function uploadBody(request: S3Request): Readable {
  request.exchange.proceed();
  return Readable.from(checked(request), { objectMode: false });
}

async function* checked(request: S3Request): AsyncGenerator<Buffer> {
  const declared = headerOf(request, 'x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD';
  const wanted = new Map(checksumsOf((name) => headerOf(request, name)));
  const digests = new Map<string, Digest>();
  const announced = headerOf(request, 'x-amz-trailer')?.split(',') ?? [];
  for (const name of [...wanted.keys(), ...announced.map((one) => one.trim().toLowerCase())]) {
    const digest = digestFor(name);
    if (digest) digests.set(name, digest);
  }
  const whole = /^[0-9a-f]{64}$/.test(declared) ? createHash('sha256') : undefined;
  const source = declared.startsWith('STREAMING-') ? chunks(request, declared, wanted) : request.exchange.request;
  let size = 0;
  for await (const part of source as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > mostBytes) throw new S3Error('EntityTooLarge', `An upload has at most ${mostBytes} bytes.`, 400);
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
  for (const [name, value] of wanted) checkDigest(name, value, digests.get(name));
}

function chunks(request: S3Request, declared: string, wanted: Map<string, string>): AsyncGenerator<Buffer> {
  const isSigned = signedChunks.has(declared);
  if (!isSigned && declared !== 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') {
    throw new S3Error('InvalidRequest', `A body of the form ${declared} is not understood.`, 400);
  }
  return decodeChunks(request.exchange.request as AsyncIterable<Buffer>, {
    ...(isSigned && request.chunkSigning ? { signing: request.chunkSigning } : {}),
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

interface Digest {
  update(part: Buffer): void;
  /** base64 */
  value(): string;
}

/** Checksums that can be checked here. Others (CRC32C, CRC64NVME) are taken without a check. */
const algorithms = ['x-amz-checksum-crc32', 'x-amz-checksum-sha256', 'x-amz-checksum-sha1', 'content-md5'];

function checksumsOf(get: (name: string) => string | undefined): (readonly [string, string])[] {
  return algorithms.flatMap((name) => {
    const value = get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
}

function digestFor(name: string): Digest | undefined {
  switch (name) {
    case 'x-amz-checksum-crc32':
      return crcDigest();
    case 'x-amz-checksum-sha256':
      return hashDigest(createHash('sha256'));
    case 'x-amz-checksum-sha1':
      return hashDigest(createHash('sha1'));
    case 'content-md5':
      return hashDigest(createHash('md5'));
    default:
      return undefined;
  }
}

function crcDigest(): Digest {
  let crc = 0;
  return {
    update: (part) => void (crc = crc32(part, crc)),
    value: () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(crc);
      return bytes.toString('base64');
    },
  };
}

function hashDigest(hash: Hash): Digest {
  return { update: (part) => void hash.update(part), value: () => hash.digest('base64') };
}

function checkDigest(name: string, wanted: string, digest: Digest | undefined): void {
  // A checksum that comes in a trailer without having been announced was not computed along.
  if (!digest || digest.value() === wanted) return;
  throw new S3Error('BadDigest', `The ${name} you specified did not match the calculated checksum.`, 400);
}
