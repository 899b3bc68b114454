import Bottleneck from 'bottleneck';
import { ProbotOctokit } from 'probot';
import type { Logger } from 'pino';
import { boundedFetch } from './bounded-fetch.ts';

/** More waiting writes than this, and the queue in the database is the better place to wait. */
const mostWaiting = 100;

export interface WritePace {
  readonly writesAtOnce: number;
  readonly writesPerSecond: number;
}

function writeLimiter({ writesAtOnce, writesPerSecond }: WritePace) {
  return new Bottleneck.Group({
    maxConcurrent: 1,
    reservoir: writesAtOnce,
    reservoirIncreaseAmount: writesPerSecond,
    reservoirIncreaseInterval: 1000,
    reservoirIncreaseMaximum: writesAtOnce,
    highWater: mostWaiting,
    strategy: Bottleneck.strategy.OVERFLOW,
  });
}

interface GivenOptions {
  readonly throttle?: object;
  readonly request?: object;
}

export type OctokitClass = typeof ProbotOctokit;

/**
 * Probot's Octokit with our own pace: per installation so many writes at once, then so many a second, comments
 * included. It repeats nothing by itself: a POST may have worked although its answer was lost (SEC-F-12), and waiting is the
 * work of the queue. The throttle must be set in the function form; inside `new Probot` an object has no effect.
 */
export function throttledOctokit(pace: WritePace): OctokitClass {
  const write = writeLimiter(pace);
  // Comments count as writes already.
  const notifications = new Bottleneck.Group({ maxConcurrent: null });
  return ProbotOctokit.defaults((options: GivenOptions) => ({
    ...options,
    throttle: { ...options.throttle, write, notifications, onRateLimit: never, onSecondaryRateLimit: never },
    retry: { enabled: false },
    request: { ...options.request, fetch: boundedFetch() },
  }));
}

function never(): boolean {
  return false;
}

/** Octokit logs request bodies, which hold other people's words; only its warnings are of use. */
export function octokitLog(log: Logger) {
  const warn = (message: string) => log.warn(message);
  return { debug: ignore, info: ignore, warn, error: (message: string) => log.error(message) };
}

function ignore(): void {
  // Nothing of it is kept.
}
