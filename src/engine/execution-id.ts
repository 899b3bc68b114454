import { createHash } from 'node:crypto';
import type { ExecutionId } from '../pipeline/execution.ts';

/** The id follows from the intent, so a repeated start finds the first one even when they race. */
export function executionIdFor(idempotencyKey: string): ExecutionId {
  const hash = createHash('sha1').update(`penstock/execution/${idempotencyKey}`).digest();
  hash[6] = (hash[6]! & 0x0f) | 0x50;
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)];
  return parts.join('-') as ExecutionId;
}
