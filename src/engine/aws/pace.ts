/** How often a pipeline with live executions is looked at, in milliseconds. */
export interface Pace {
  readonly fastest: number;
  readonly slowestRunning: number;
  readonly slowestWaiting: number;
}

export const usualPace: Pace = { fastest: 5_000, slowestRunning: 30_000, slowestWaiting: 5 * 60_000 };

/** Events count as coming for so long after the last one; a quiet day, and polling does not rely on them. */
const eventsCountMs = 24 * 60 * 60_000;
/** How much rarer looks are while events tell what moves: they only make up for those that get lost. */
const rarerWithEvents = 4;

/** `eventMs`: since AWS last told something of this pipeline; null: never. */
export function paceFor(pace: Pace, eventMs: number | null): Pace {
  if (!eventsCome(eventMs)) return pace;
  return {
    fastest: pace.fastest * rarerWithEvents,
    slowestRunning: pace.slowestRunning * rarerWithEvents,
    slowestWaiting: pace.slowestWaiting * rarerWithEvents,
  };
}

export function eventsCome(eventMs: number | null): boolean {
  return eventMs !== null && eventMs < eventsCountMs;
}

/**
 * Soon after a change, ever later while nothing happens, latest while a person is awaited. Jitter of a fifth either way
 * keeps pipelines that began together from being asked together (CP-O-1).
 */
export function nextLookMs(pace: Pace, quietMs: number, waiting: boolean, chance: number): number {
  const slowest = waiting ? pace.slowestWaiting : pace.slowestRunning;
  const base = Math.min(slowest, Math.max(pace.fastest, quietMs / 4));
  return Math.round(base * (0.8 + 0.4 * chance));
}

/** Between two looks at one pipeline that events ask for. */
const eventSpacingMs = 5_000;
/** Several events of one moment become one look. */
const oneMomentMs = 500;

/** `lookMs`: since the pipeline was looked at; null: never. */
export function lookAfterEventMs(lookMs: number | null): number {
  return Math.max(oneMomentMs, lookMs === null ? 0 : eventSpacingMs - lookMs);
}

/** Between looks at a pipeline that nothing is known to run of: what AWS starts by itself is found so late at most. */
export function idleLookMs(eventMs: number | null): number {
  return eventsCome(eventMs) ? 5 * 60_000 : 60_000;
}
