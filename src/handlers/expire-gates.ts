import { loadExecutions, waitingExecutions } from '../db/executions.ts';
import type { Deps } from '../deps.ts';
import { waitingApprovals } from '../pipeline/status.ts';
import { judgeGate } from './gate-facts.ts';

/** A gate whose policy says `expireAfter` is rejected when that time is over, with the reason in its summary. */
export async function expireGates(deps: Pick<Deps, 'db' | 'github' | 'engine' | 'now'>): Promise<void> {
  for (const record of await loadExecutions(deps.db, await waitingExecutions(deps.db))) {
    for (const gate of waitingApprovals(record.execution)) {
      const { verdict } = await judgeGate(deps, record, gate);
      if (verdict.outcome !== 'expired') continue;
      const { lane, id } = record.execution;
      const summary = 'Nobody answered in time (expireAfter).';
      const { stage, action, token } = gate;
      const by = { kind: 'penstock', why: 'the gate expired' } as const;
      await deps.engine.obey({ kind: 'reject', lane, execution: id, stage, action, token, summary }, by);
    }
  }
}
