import type { BuildStatus, PhaseContext, PhaseRecord, PhaseType } from '../buildspec/build-record.ts';

/** The phases of a build that follow one another: each begins where the one before has ended (CP 9.4). */
export interface Timeline {
  readonly phases: readonly PhaseRecord[];
  end(phaseType: PhaseType, at: Date, failure?: { readonly status: BuildStatus; readonly context: PhaseContext }): void;
  add(phases: readonly PhaseRecord[]): void;
}

export function createTimeline(begin: Date): Timeline {
  const phases: PhaseRecord[] = [];
  let last = begin.toISOString();
  return {
    phases,
    end: (phaseType, at, failure) => {
      const contexts = failure === undefined ? [] : [failure.context];
      const phaseStatus = failure?.status ?? 'SUCCEEDED';
      phases.push({ phaseType, phaseStatus, startTime: last, endTime: at.toISOString(), contexts, attempts: 1 });
      last = at.toISOString();
    },
    add: (more) => {
      phases.push(...more);
      last = more.at(-1)?.endTime ?? last;
    },
  };
}
