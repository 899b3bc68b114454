import type { BuildStatus, PhaseContext, PhaseRecord, PhaseType } from '../buildspec/build-record.ts';

/** The phases of a build that follow one another: each begins where the one before has ended (CP 9.4). */
export interface Timeline {
  readonly phases: readonly PhaseRecord[];
  /** The phase that was entered and has not ended. */
  readonly current: CurrentPhase | undefined;
  enter(phaseType: PhaseType): void;
  end(phaseType: PhaseType, at: Date, failure?: { readonly status: BuildStatus; readonly context: PhaseContext }): void;
  add(phase: PhaseRecord): void;
}

export interface CurrentPhase {
  readonly phaseType: PhaseType;
  readonly startTime: string;
}

/** @param entered is called whenever a phase is entered, so that who looks on sees where the build is. */
export function createTimeline(begin: Date, entered: (timeline: Timeline) => void): Timeline {
  const phases: PhaseRecord[] = [];
  let last = begin.toISOString();
  let current: CurrentPhase | undefined;
  const add = (phase: PhaseRecord): void => {
    phases.push(phase);
    last = phase.endTime;
    current = undefined;
  };
  const timeline: Timeline = {
    phases,
    get current() {
      return current;
    },
    enter: (phaseType) => {
      current = { phaseType, startTime: last };
      entered(timeline);
    },
    end: (phaseType, at, failure) => {
      const contexts = failure === undefined ? [] : [failure.context];
      const phaseStatus = failure?.status ?? 'SUCCEEDED';
      add({ phaseType, phaseStatus, startTime: last, endTime: at.toISOString(), contexts, attempts: 1 });
    },
    add,
  };
  return timeline;
}
