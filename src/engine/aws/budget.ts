import { TransientError } from '../../errors.ts';

/**
 * How many calls an account takes from us: CodePipeline publishes no rates, and loops over many pipelines were seen
 * throttled (CP-O-1). People's commands always pass and are paid for by the polling that waits.
 */
export interface Budget {
  /**
   * Asked once before a look that makes several calls, so that no look is cut off half-way. Throws TransientError when
   * polling has to wait.
   */
  admit(account: string): void;
  /** One call was made, whoever asked for it. */
  spent(account: string): void;
  /** AWS said that it was too much: nothing but commands for a while. */
  throttled(account: string): void;
}

const perSecond = 5;
const burst = 25;
const penaltySeconds = 5;

export function createBudget(now: () => Date): Budget {
  const buckets = new Map<string, { tokens: number; at: number }>();
  const refilled = (account: string) => {
    const at = now().getTime();
    const bucket = buckets.get(account) ?? { tokens: burst, at };
    const tokens = Math.min(burst, bucket.tokens + ((at - bucket.at) / 1000) * perSecond);
    const fresh = { tokens, at };
    buckets.set(account, fresh);
    return fresh;
  };
  return {
    admit: (account) => {
      const bucket = refilled(account);
      if (bucket.tokens < 1) {
        const retryAfterMs = Math.ceil(((1 - bucket.tokens) / perSecond) * 1000) + 500;
        throw new TransientError(`The calls to AWS account ${account} are used up for the moment`, { retryAfterMs });
      }
    },
    spent: (account) => {
      refilled(account).tokens -= 1;
    },
    throttled: (account) => {
      const bucket = refilled(account);
      bucket.tokens = Math.min(bucket.tokens, -penaltySeconds * perSecond);
    },
  };
}
