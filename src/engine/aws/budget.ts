import type { Kysely } from 'kysely';
import { pauseBudget, settleBudget, type BudgetSize } from '../../db/aws-budgets.ts';
import type { Database } from '../../db/database.ts';
import { TransientError } from '../../errors.ts';

/**
 * How many calls an account takes from us: CodePipeline publishes no rates, and loops over many pipelines were seen
 * throttled (CP-O-1). People's commands always pass and are paid for by the polling that waits.
 */
export interface Budget {
  /**
   * Asked once before a look that makes several calls, so that no look is cut off half-way. Throws TransientError when
   * it has to wait; a start that an event asked for waits less than a look.
   */
  admit(account: string, what: 'look' | 'start'): Promise<void>;
  /** Attempts at calls were made, whoever asked for them. */
  spent(account: string, calls: number): void;
  /** AWS said that it was too much: nothing but commands for a while. */
  throttled(account: string): Promise<void>;
}

/** Five seconds' worth at once. */
export function budgetOf(perSecond: number): BudgetSize {
  return { perSecond, burst: 5 * perSecond };
}

/** Looks leave so much of the burst to starts, which people wait for. */
const keptForStarts = 0.2;

/**
 * One bucket for each account in the database, shared by all replicas. A process takes what it spent since the last time
 * when it asks for more: one statement for each look, none for each call.
 */
export function createBudget(db: Kysely<Database>, size: BudgetSize, chance: () => number = Math.random): Budget {
  const unsettled = new Map<string, number>();
  return {
    admit: async (account, what) => {
      const spent = unsettled.get(account) ?? 0;
      unsettled.delete(account);
      const { tokens, pausedMs } = await settleBudget(db, account, { spent, size });
      const needed = what === 'start' ? 1 : 1 + size.burst * keptForStarts;
      const missingMs = tokens < needed ? ((needed - tokens) / size.perSecond) * 1000 : 0;
      const waitMs = Math.max(missingMs, pausedMs);
      if (waitMs === 0) return;
      const why = pausedMs > missingMs ? 'AWS throttled calls to' : 'For the moment nothing is left of the calls to';
      const retryAfterMs = Math.ceil(waitMs + 200 + chance() * (300 + waitMs / 2));
      throw new TransientError(`${why} account ${account}`, { retryAfterMs });
    },
    spent: (account, calls) => {
      unsettled.set(account, (unsettled.get(account) ?? 0) + calls);
    },
    throttled: (account) => pauseBudget(db, account, size),
  };
}
