/** One phase of a build (CP 9.4), as everything that shows it sees it. */
export interface BuildPhase {
  /** `DOWNLOAD_SOURCE`, `PRE_BUILD` and so on. */
  readonly phase: string;
  /** CodeBuild's word: `SUCCEEDED`, `FAILED`, `IN_PROGRESS`. */
  readonly status: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt?: string;
  /** More than 1 when on-failure: RETRY ran it again. */
  readonly attempts: number;
  /** What went wrong in it. */
  readonly message?: string;
}

/** Milliseconds; undefined while it runs. */
export function lengthOf({ startedAt, endedAt }: BuildPhase): number | undefined {
  return endedAt === undefined ? undefined : Math.max(0, Date.parse(endedAt) - Date.parse(startedAt));
}

/**
 * The phases in a line, for places without a table: those that took long enough to matter, failed or still run.
 * @param shortest milliseconds
 * @param words the length of a phase in words
 */
export function phasesText(
  phases: readonly BuildPhase[],
  shortest: number,
  words: (milliseconds: number) => string,
): string {
  return phases
    .filter((phase) => phase.status !== 'SUCCEEDED' || phase.attempts > 1 || (lengthOf(phase) ?? Infinity) >= shortest)
    .map((phase) => {
      const length = lengthOf(phase);
      const again = phase.attempts > 1 ? [`${phase.attempts} attempts`] : [];
      const status = phase.status === 'SUCCEEDED' ? [] : [phase.status.toLowerCase().replaceAll('_', ' ')];
      return [`${phase.phase} ${[length === undefined ? [] : words(length), ...again, ...status].flat().join(', ')}`];
    })
    .join(' · ');
}
