import type { Transaction } from 'kysely';
import type { Database } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import type { Effect } from '../../pipeline/effect.ts';

/** Turns effects into jobs, in the transaction of the move that asked for them. The key of a job is its attempt. */
export async function enqueueEffect(trx: Transaction<Database>, effect: Effect, host: string): Promise<void> {
  switch (effect.kind) {
    case 'watch-deadline': {
      const payload = { execution: effect.execution, action: effect.id };
      await enqueue(trx, { kind: 'deadline', payload, dedupeKey: keyOf(effect), runAt: new Date(effect.at) });
      return;
    }
    case 'watch-rule-deadline':
      await enqueue(trx, { kind: 'effect', payload: { effect }, dedupeKey: keyOf(effect), runAt: new Date(effect.at) });
      return;
    case 'start-action':
    case 'stop-action':
    case 'start-rule':
    case 'stop-rule':
      await enqueue(trx, { kind: 'effect', payload: { effect }, dedupeKey: keyOf(effect), host });
      return;
    case 'request-lock':
    case 'release-lock':
      // Locks are rows, not files: any host may take the turn.
      await enqueue(trx, { kind: 'effect', payload: { effect }, dedupeKey: keyOf(effect) });
      return;
    default:
      return effect satisfies never;
  }
}

function keyOf(effect: Effect): string {
  if ('action' in effect)
    return `${effect.kind}/${effect.execution}/${effect.stage}/${effect.action}/${effect.attempt}`;
  return 'rule' in effect ? `${effect.kind}/${effect.id}` : `${effect.kind}/${effect.execution}/${effect.stage}`;
}
