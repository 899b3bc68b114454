import { createHash } from 'node:crypto';

/** A UUID of the n-th hand-out of an action or rule execution, so that a repeated effect hands out nothing twice. */
export function workerJobId(subjectId: string, n: number): string {
  const bytes = createHash('sha256').update(`worker-job/${subjectId}/${n}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
