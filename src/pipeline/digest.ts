import { createHash } from 'node:crypto';
import type { PipelineDefinition } from './definition.ts';

/** sha256 (hex) of the canonical JSON: keys sorted, no spaces. The same declaration gives the same digest. */
export function digestOf(definition: PipelineDefinition): string {
  return createHash('sha256').update(JSON.stringify(definition, sortKeys)).digest('hex');
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
