/** A token bucket per access key: `burst` requests at once, then `perSecond`. */
export interface Throttle {
  /** False: over the rate, ask again later. */
  admit(key: string, now: Date): boolean;
}

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

const mostKeys = 10_000;

export function createThrottle({ perSecond, burst }: Rate): Throttle {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    admit(key, now) {
      const at = now.getTime();
      const bucket = buckets.get(key) ?? { tokens: burst, at };
      const tokens = Math.min(burst, bucket.tokens + (Math.max(0, at - bucket.at) / 1000) * perSecond);
      // Keys are checked before they get here, so the map grows with real keys only; the bound is for a leak.
      if (buckets.size >= mostKeys) buckets.clear();
      buckets.set(key, { tokens: tokens < 1 ? tokens : tokens - 1, at });
      return tokens >= 1;
    },
  };
}
