import { setTimeout as sleep } from 'node:timers/promises';

/** The demo did not go as it should: what was expected, what was seen, and what helps to understand it. */
export class Deviation extends Error {
  override readonly name = 'Deviation';
  readonly expected: string;
  readonly seen: string;
  /** Log lines and the like, under a heading each. */
  readonly evidence: readonly Evidence[];
  constructor(expected: string, seen: string, evidence: readonly Evidence[] = []) {
    super(`expected ${expected}, but saw ${seen}`);
    this.expected = expected;
    this.seen = seen;
    this.evidence = evidence;
  }
}

export interface Evidence {
  readonly heading: string;
  readonly lines: readonly string[];
}

export interface Expectation {
  readonly expected: string;
  readonly holds: boolean;
  readonly seen: string;
  readonly evidence?: () => readonly Evidence[];
}

/** Whatever the demo shows, it checks; the score says how often. */
export interface Score {
  readonly held: number;
  /** Throws Deviation when it does not hold. */
  expect(expectation: Expectation): void;
}

export function newScore(): Score {
  let held = 0;
  return {
    get held() {
      return held;
    },
    expect({ expected, holds, seen, evidence }) {
      if (!holds) throw new Deviation(expected, seen, evidence?.() ?? []);
      held += 1;
    },
  };
}

export interface Awaited<T> {
  readonly expected: string;
  readonly withinMs: number;
  /** undefined: not yet. May throw Deviation when it can never come any more. */
  readonly look: () => T | undefined | Promise<T | undefined>;
  readonly seen: () => string;
  readonly evidence: () => readonly Evidence[];
}

/** Looks again and again. Throws Deviation when the time is over, and the reason of `signal` when that is aborted. */
export async function until<T>(awaited: Awaited<T>, signal: AbortSignal): Promise<T> {
  const deadline = performance.now() + awaited.withinMs;
  for (;;) {
    signal.throwIfAborted();
    const found = await awaited.look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) {
      const expected = `${awaited.expected} within ${Math.round(awaited.withinMs / 1000)} s`;
      throw new Deviation(expected, awaited.seen(), awaited.evidence());
    }
    await sleep(40);
  }
}
