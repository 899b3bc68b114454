import type { LoadedConfiguration } from '../config/load.ts';
import { auditOf, recordAudit, type AuditRow } from '../db/audit.ts';
import { loadExecutions, waitingExecutions, type ExecutionRecord } from '../db/executions.ts';
import type { Deps } from '../deps.ts';
import { isPush } from './gate-facts.ts';
import type { Push } from './push.ts';

/**
 * A push to a base branch that changes the configuration: waiting gates of its pull requests take no approval any more,
 * and their checks say so (SEC-A-14). What refuses is `releaseGate`, which asks again; this is what people see.
 */
export async function voidByConfiguration(
  deps: Pick<Deps, 'db' | 'engine'>,
  push: Push,
  loaded: LoadedConfiguration,
): Promise<void> {
  if (push.ref.kind !== 'branch') return;
  const digest = loaded.kind === 'ok' ? loaded.digest : loaded.kind;
  const waiting = await loadExecutions(deps.db, await waitingExecutions(deps.db, push.repository.id));
  for (const record of waiting) {
    const { context, execution } = record;
    if (isPush(record) || context.baseRef !== push.ref.name) continue;
    if (configurationNow(record, await auditOf(deps.db, execution.id)) === digest) continue;
    await recordAudit(deps.db, {
      repositoryId: record.repositoryId,
      execution: execution.id,
      who: push.sender?.login ?? 'Penstock (the sweep found it)',
      what: 'configuration-changed',
      why: `the configuration on ${push.ref.name} is another one at ${push.after.slice(0, 7)}`,
      detail: { was: context.configDigest, now: digest, pullRequest: context.pullRequest ?? null },
    });
    await deps.engine.refresh(execution.id);
  }
}

/** Digest of what the base branch was last seen to say; a change and its undoing are both on record. */
export function configurationNow({ context }: ExecutionRecord, rows: readonly AuditRow[]): string {
  const last = rows.findLast(({ what }) => what === 'configuration-changed')?.detail['now'];
  return typeof last === 'string' ? last : context.configDigest;
}
