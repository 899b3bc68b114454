import { TransientError } from '../../errors.ts';

/**
 * How many calls an account takes from us: CodePipeline publishes no rates, and loops over many pipelines were seen
 * throttled (CP-O-1). People's commands always pass and are paid for by the polling that waits.
 */
export interface Budget {
  /** Throws TransientError when polling has to wait. */
  take(account: string, urgent: boolean): void;
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
    take: (account, urgent) => {
      const bucket = refilled(account);
      if (!urgent && bucket.tokens < 1) {
        const retryAfterMs = Math.ceil(((1 - bucket.tokens) / perSecond) * 1000) + 500;
        throw new TransientError(`The calls to AWS account ${account} are used up for the moment`, { retryAfterMs });
      }
      bucket.tokens -= 1;
    },
    throttled: (account) => {
      const bucket = refilled(account);
      bucket.tokens = Math.min(bucket.tokens, -penaltySeconds * perSecond);
    },
  };
}
