import type { Isolation } from '../buildspec/isolation.ts';
import type { LocalResults } from '../main/local-results.ts';
import type { ActionRun, Execution, ExecutionStatus } from '../pipeline/execution.ts';
import type { ActionFindings } from '../providers/findings-file.ts';
import type { FailureExplanation } from '../render/explain.ts';

/** Says what happens in a run: for people (run-text.ts) or for machines (run-json.ts). */
export interface RunTeller {
  begin(run: BegunRun): void;
  /** Begins, waits for a person, or has ended: told once each, the end after the last line of the log. */
  action(told: ToldAction): void;
  /** Whole lines, without control characters. */
  log(of: Pick<ToldAction, 'stage' | 'run'>, line: string): void;
  end(run: EndedRun): void;
}

export interface BegunRun {
  readonly pipeline: string;
  readonly execution: string;
  readonly source: string;
  readonly isolation: Pick<Isolation, 'level' | 'describe'>;
}

export interface ToldAction {
  readonly stage: string;
  readonly run: ActionRun;
  readonly state: ActionRun['status'] | 'Waiting';
}

export interface EndedRun {
  readonly execution: Execution;
  readonly status: ExecutionStatus;
  readonly stages: readonly EndedStage[];
  /** What logs, reports and phases of builds say; actions without any are left out. */
  readonly findings: readonly BuildFindings[];
  readonly seconds: number;
  readonly results: LocalResults;
}

export interface BuildFindings extends ActionFindings {
  readonly stage: string;
  readonly action: string;
}

export interface EndedStage {
  readonly stage: string;
  readonly status: string;
  readonly seconds: number;
  readonly failures: readonly ExplainedFailure[];
  /** What its conditions said, where it has some that were not met. */
  readonly unmet: readonly string[];
}

export interface ExplainedFailure extends FailureExplanation {
  readonly action: string;
}
