import { executionOfAttempt } from '../db/api-executions.ts';
import { recordAudit } from '../db/audit.ts';
import type { Call } from './door.ts';

/** Remembers who changed what through this API, as commands of people are (`penstock audit`). Values stay out. */
export async function recordCall(
  { door, caller }: Call,
  operation: string,
  input: Readonly<Record<string, unknown>>,
  output: unknown,
): Promise<void> {
  const { pipelineExecutionId: answered } = { ...(output as { readonly pipelineExecutionId?: unknown } | undefined) };
  const { token } = input;
  // Of an approval only the token tells which execution it was.
  const execution =
    input['pipelineExecutionId'] ??
    answered ??
    (typeof token === 'string' && (await executionOfAttempt(door.db, token)));
  const named = ['name', 'pipelineName', 'stageName', 'actionName', 'transitionType', 'conditionType'];
  await recordAudit(door.db, {
    repositoryId: caller.scope,
    ...(typeof execution === 'string' ? { execution } : {}),
    who: caller.arn,
    what: `api-${operation}`,
    why: typeof input['reason'] === 'string' ? input['reason'].slice(0, 1000) : 'done',
    detail: Object.fromEntries(named.flatMap((key) => (input[key] === undefined ? [] : [[key, input[key]]]))),
  });
}
