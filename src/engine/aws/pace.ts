/** How often a live execution is looked at, in milliseconds. */
export interface Pace {
  readonly fastest: number;
  readonly slowestRunning: number;
  readonly slowestWaiting: number;
}

export const usualPace: Pace = { fastest: 5_000, slowestRunning: 30_000, slowestWaiting: 5 * 60_000 };

/**
 * Soon after a change, ever later while nothing happens, latest while a person is awaited. Jitter of a fifth either way
 * keeps executions that began together from asking together (CP-O-1).
 */
export function nextLookMs(pace: Pace, quietMs: number, waiting: boolean, chance: number): number {
  const slowest = waiting ? pace.slowestWaiting : pace.slowestRunning;
  const base = Math.min(slowest, Math.max(pace.fastest, quietMs / 4));
  return Math.round(base * (0.8 + 0.4 * chance));
}
