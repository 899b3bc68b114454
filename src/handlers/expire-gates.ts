import { recordAudit } from '../db/audit.ts';
import { loadExecutions, waitingExecutions } from '../db/executions.ts';
import type { Deps } from '../deps.ts';
import type { Recheck } from '../engine/engine.ts';
import { waitingApprovals } from '../pipeline/status.ts';
import { judgeGate } from './gate-facts.ts';
import { gateDetail, stillWaits, type OpenGate } from './gate-release.ts';

type ExpireDeps = Pick<Deps, 'db' | 'github' | 'engine' | 'now'>;

/** A gate whose policy says `expireAfter` is rejected when that time is over, with the reason in its summary. */
export async function expireGates(deps: ExpireDeps): Promise<void> {
  for (const record of await loadExecutions(deps.db, await waitingExecutions(deps.db))) {
    for (const gate of waitingApprovals(record.execution)) await expireGate(deps, { ...gate, record });
  }
}

async function expireGate(deps: ExpireDeps, gate: OpenGate): Promise<void> {
  const { verdict } = await judgeGate(deps, gate.record, gate);
  if (verdict.outcome !== 'expired') return;
  const { lane, id } = gate.record.execution;
  const { stage, action, token } = gate;
  const summary = 'Nobody answered in time (expireAfter).';
  const by = { kind: 'penstock', why: 'the gate expired' } as const;
  const reject = { kind: 'reject', lane, execution: id, stage, action, token, summary } as const;
  const recheck: Recheck = async (trx) => {
    // Somebody may have answered meanwhile; then there is no expiry to tell of.
    if (!(await stillWaits(trx, gate))) return undefined;
    await recordAudit(trx, {
      repositoryId: gate.record.repositoryId,
      execution: id,
      who: 'Penstock',
      what: 'gate-expired',
      why: 'nobody answered in time (expireAfter)',
      detail: gateDetail(gate, verdict),
    });
    return undefined;
  };
  await deps.engine.obey(reject, by, { recheck });
}
