import Bottleneck from 'bottleneck';
import { ProbotOctokit } from 'probot';
import type { Logger } from 'pino';
import { boundedFetch } from './bounded-fetch.ts';

/** GitHub's guidance on writes: about 80 a minute. A burst is allowed, because a pipeline ends with many at once. */
const burst = 20;
const refillMs = 1000;
/** More waiting writes than this, and the queue in the database is the better place to wait. */
const mostWaiting = 100;

function writeLimiter() {
  return new Bottleneck.Group({
    maxConcurrent: 1,
    reservoir: burst,
    reservoirIncreaseAmount: 1,
    reservoirIncreaseInterval: refillMs,
    reservoirIncreaseMaximum: burst,
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
 * Probot's Octokit with our own pace: per installation 20 writes at once, then one a second, comments included.
 * It repeats nothing by itself: a POST may have worked although its answer was lost (SEC-F-12), and waiting is the
 * work of the queue. The throttle must be set in the function form; inside `new Probot` an object has no effect.
 */
export function throttledOctokit(): OctokitClass {
  const write = writeLimiter();
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
