import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { crc32c, crc64nvme } from './crc.ts';

export interface Digest {
  /** How many bytes it has. */
  readonly size: number;
  update(part: Buffer): void;
  /** base64, as S3 writes it in headers. To be called once, at the end. */
  value(): string;
}

/** By the header, or the trailer, that carries it; undefined for one that is no digest. */
export function digestFor(header: string): Digest | undefined {
  switch (header) {
    case 'x-amz-checksum-crc32':
      return crcDigest((part, crc) => crc32(part, crc));
    case 'x-amz-checksum-crc32c':
      return crcDigest(crc32c);
    case 'x-amz-checksum-crc64nvme': {
      const crc = crc64nvme();
      return { size: 8, update: (part) => crc.update(part), value: () => crc.value().toString('base64') };
    }
    case 'x-amz-checksum-sha256':
      return hashDigest(createHash('sha256'), 32);
    case 'x-amz-checksum-sha1':
      return hashDigest(createHash('sha1'), 20);
    case 'content-md5':
      return hashDigest(createHash('md5'), 16);
    default:
      return undefined;
  }
}

function crcDigest(next: (part: Buffer, crc: number) => number): Digest {
  let crc = 0;
  return {
    size: 4,
    update: (part) => void (crc = next(part, crc)),
    value: () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(crc);
      return bytes.toString('base64');
    },
  };
}

function hashDigest(hash: Hash, size: number): Digest {
  return { size, update: (part) => void hash.update(part), value: () => hash.digest('base64') };
}
