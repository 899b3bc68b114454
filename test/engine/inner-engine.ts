import { z } from 'zod';
import { recentExecutions } from '../../src/db/executions.ts';
import { loadDefinitions } from '../../src/db/definitions.ts';
import { findSite } from '../../src/engine/embedded/action-site.ts';
import { applyFact } from '../../src/engine/embedded/report-fact.ts';
import { applyRuleFact } from '../../src/engine/embedded/rule-report.ts';
import { findRuleSite } from '../../src/engine/embedded/rule-site.ts';
import type { ActionDeclaration } from '../../src/pipeline/definition.ts';
import type { LaneKey } from '../../src/pipeline/execution.ts';
import type { Fact } from '../../src/pipeline/fact.ts';
import { manualApproval } from '../../src/providers/manual-approval.ts';
import type { AnyProvider } from '../../src/providers/provider.ts';
import type { TestDatabase } from '../database.ts';
import type { OnRecord } from './contract.ts';
import type { EngineBench } from './engine-bench.ts';

/** Actions that begin and go on until the test tells how they ended. */
export function heldActions(): (declaration: ActionDeclaration) => AnyProvider {
  const held: AnyProvider = {
    type: { category: 'Compute', owner: 'AWS', provider: 'Commands', version: '1' },
    configuration: z.record(z.string(), z.string()),
    artifacts: { in: [0, 5], out: [0, 5] },
    start: ({ token }) => Promise.resolve({ kind: 'running', externalId: `held/${token}`, pollAfterMs: 3_600_000 }),
  };
  const manual = manualApproval() as AnyProvider;
  return ({ actionTypeId }) => (actionTypeId.provider === 'Manual' ? manual : held);
}

/** What an action or a rule came to, as its provider or its deadline would say it. */
export async function tellEngine({ runner }: EngineBench, fact: Fact): Promise<void> {
  if ('rule' in fact) {
    const site = await findRuleSite(runner.db, fact.execution, fact.rule);
    if (site) await applyRuleFact(runner, site, fact);
  } else if ('action' in fact) {
    const site = await findSite(runner.db, fact.execution, fact.action);
    if (site) await applyFact(runner, site, fact);
  }
}

/** Oldest first. */
export async function recordsOf({ db }: TestDatabase, lane: LaneKey): Promise<readonly OnRecord[]> {
  const records = await recentExecutions(db, { lane, limit: 100 });
  const definitions = await loadDefinitions(db, [...new Set(records.map(({ execution }) => execution.definition))]);
  return records
    .toSorted((a, b) => a.execution.order - b.execution.order)
    .flatMap((record) => {
      const definition = definitions[record.execution.definition];
      return definition ? [{ ...record, definition }] : [];
    });
}
