import type { CallSubject, RefusedCall } from './aws-calls.ts';
import type { ExecutionSite } from './execution-site.ts';

export function callSubject({ record, repository }: ExecutionSite): CallSubject {
  const { pullRequest } = record.context;
  return { repository, execution: record.execution.id, ...(pullRequest === undefined ? {} : { pullRequest }) };
}

/** A function acts with rights of the operator's account, and what it is given may come from the fork's code. */
export function refusedToFork({ record }: ExecutionSite): RefusedCall | undefined {
  if (!record.context.fork) return undefined;
  const message = 'Functions are not called for code of a fork. Start the pipeline from a branch of this repository.';
  return { kind: 'refused', code: 'PermissionError', message };
}
