import type { GateVerdict } from '../commands/gate.ts';
import type { Channel } from '../commands/gate-policy.ts';

/** What the answers to questions are made from. */

/** Why a pipeline did or did not start for a commit: a row of start_decisions. */
export interface StartNote {
  readonly pipeline: string;
  readonly headSha: string;
  readonly outcome: 'started' | 'filtered' | 'held' | 'broken' | 'passed';
  readonly reason: string;
}

/** A waiting gate as /why tells it. */
export interface WhyGate {
  readonly pipeline: string;
  readonly stage: string;
  readonly action: string;
  readonly verdict: GateVerdict;
  /** The exact line that approves it. */
  readonly copy: string;
  readonly channels: readonly Channel[];
}

export interface PlanEntry {
  readonly pipeline: string;
  readonly starts: boolean;
  /** The filter that lets it start, or why it does not. */
  readonly why: string;
  readonly gates: readonly PlannedGate[];
  /** What the configuration in the pull request would change, in words; absent when it changes nothing. */
  readonly inPullRequest?: string;
}

export interface PlannedGate {
  readonly stage: string;
  readonly action: string;
  /** The policy in words, as `policyWords` gives it. */
  readonly needs: string;
  /** Why the asker could not pass it; absent when they could. */
  readonly whyNot?: string;
}
