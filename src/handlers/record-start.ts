import { recordAudit } from '../db/audit.ts';
import { recordDecision, type StartDecision } from '../db/start-decisions.ts';
import type { Deps } from '../deps.ts';
import type { Actor } from '../pipeline/execution.ts';
import { actorName } from '../pipeline/actor-name.ts';

/** Remembers why a pipeline did or did not start: for /status, and for the audit with who asked. */
export async function recordStart(
  deps: Pick<Deps, 'db'>,
  decision: StartDecision,
  by: Actor,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await deps.db.transaction().execute(async (trx) => {
    await recordDecision(trx, decision);
    await recordAudit(trx, {
      repositoryId: decision.repositoryId,
      ...(decision.execution === undefined ? {} : { execution: decision.execution }),
      who: actorName(by),
      what: `start-${decision.outcome}`,
      why: decision.reason,
      detail: {
        pipeline: decision.pipeline,
        headSha: decision.headSha,
        ...(decision.pullRequest === undefined ? {} : { pullRequest: decision.pullRequest }),
        ...(decision.delivery === undefined ? {} : { delivery: decision.delivery }),
        ...(by.kind === 'person' ? { personId: by.id } : {}),
        ...detail,
      },
    });
  });
}
