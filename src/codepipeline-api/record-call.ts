import { recordAudit } from '../db/audit.ts';
import type { Call } from './door.ts';

/** Remembers who made, changed or deleted what through this API. Values stay out. */
export async function recordCall(
  { door, caller }: Call,
  operation: string,
  input: Readonly<Record<string, unknown>>,
): Promise<void> {
  const pipeline = input['pipeline'] as { readonly name?: unknown } | undefined;
  const name = input['name'] ?? input['resourceArn'] ?? input['provider'] ?? pipeline?.name;
  await recordAudit(door.db, {
    repositoryId: caller.scope,
    who: caller.arn,
    what: `api-${operation}`,
    why: 'done',
    detail: typeof name === 'string' ? { name } : {},
  });
}
