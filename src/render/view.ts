import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Actor, Execution } from '../pipeline/execution.ts';
import type { BuildPhase } from '../pipeline/build-phase.ts';
import type { TestReport } from '../pipeline/test-report.ts';
import type { GateVerdict } from '../commands/gate.ts';
import type { Channel } from '../commands/gate-policy.ts';

/** Everything that the check runs of one execution are drawn from. Equal views draw equal check runs. */
export interface ExecutionView {
  /** The name under `pipelines:` in .github/penstock.yml. */
  readonly pipeline: string;
  readonly execution: Execution;
  readonly definition: PipelineDefinition;
  /** The commit that the check runs stand on, 40 digits. */
  readonly headSha: string;
  /** Our page of this execution. */
  readonly detailsUrl: string;
  /** Why it started, in words: "push to main", "pull request opened". */
  readonly cause: string;
  readonly startedBy: Actor;
  /** Finished attempts before the current ones, oldest first. */
  readonly earlierAttempts: readonly EarlierAttempt[];
  /** Ends of logs, by action execution id; secrets are masked already. */
  readonly logTails: Readonly<Record<string, LogTail>>;
  /** By `Stage/Action`. A gate without an entry is shown without its story. */
  readonly gates: Readonly<Record<string, GateStory>>;
  readonly fork: boolean;
  /** Files of the pull request that say what runs or who decides, and do not hold yet. */
  readonly ruleChanges?: readonly string[];
  /** How local commands are kept apart, in words ("bubblewrap, network by proxy"); absent when nothing runs here. */
  readonly isolation?: string;
  readonly annotations: readonly StageAnnotation[];
  /** What test runners reported, by action execution id; earlier attempts too. */
  readonly reports: Readonly<Record<string, readonly TestReport[]>>;
  /** The phases of builds on this machine, by action execution id. */
  readonly phases: Readonly<Record<string, readonly BuildPhase[]>>;
  /** False: only `/penstock verb` is understood, and that is what the lines to copy say. */
  readonly bareCommands: boolean;
  /** The place where commands are taken: the pull request, if there is one. */
  readonly pullRequest?: number;
  /** Stages that could be rolled back, to which commit. */
  readonly rollbackTo: Readonly<Record<string, { readonly execution: string; readonly sha: string }>>;
  /** The commit of the newer execution that overtook this one, when the execution's own ending does not say it. */
  readonly supersededBySha?: string;
  /** Who is in the stage that it waits to enter, and its place (1 = next) where one lock holds over all lanes. */
  readonly queue?: {
    readonly stage: string;
    readonly place?: number;
    readonly behind?: { readonly pullRequest?: number; readonly headSha: string };
  };
  /** Stages whose entrance is held (`/hold`), with the reason and who holds it. */
  readonly holds?: Readonly<Record<string, { readonly reason?: string; readonly by: Actor }>>;
}

export interface EarlierAttempt {
  readonly id: string;
  readonly stage: string;
  readonly action: string;
  readonly attempt: number;
  readonly status: 'Succeeded' | 'Failed' | 'Abandoned';
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface LogTail {
  /** The last lines, oldest first. */
  readonly lines: readonly string[];
  /** Lines before them that are not here. */
  readonly cut: number;
  /** A page of the AWS console that has the whole log; absent: our own page has it. */
  readonly url?: string;
  /** A sentence: why there is none. */
  readonly note?: string;
}

export interface GateStory {
  readonly verdict: GateVerdict;
  /** The person must write the commit: the policy asks for it, or it is a fork. */
  readonly shaNeeded: boolean;
  /** A blank reason is refused (`IsSummaryRequired`). */
  readonly reasonNeeded: boolean;
  /** How it can be answered; absent: in every way. */
  readonly channels?: readonly Channel[];
  /** ISO 8601: when the policy lets the gate expire (`expiryOf`); the action's own deadline is shown when absent. */
  readonly expiresAt?: string;
}

interface StageAnnotation extends AnnotationView {
  readonly stage: string;
}

/** What a check run shows. */
export interface CheckRunView {
  /** '' for the aggregate. */
  readonly stage: string;
  readonly name: string;
  readonly detailsUrl: string;
  readonly status: 'queued' | 'in_progress' | 'completed';
  /** Present exactly when status is completed. */
  readonly conclusion?: CheckConclusionView;
  readonly startedAt?: string;
  readonly completedAt?: string;
  readonly title: string;
  /** Markdown, at most 65,535 characters each. */
  readonly summary: string;
  readonly text?: string;
  /** At most 50, the number that GitHub takes in one request. */
  readonly annotations: readonly AnnotationView[];
  /** At most 3; GitHub shows them on completed runs only. */
  readonly buttons: readonly ButtonView[];
}

type CheckConclusionView =
  'success' | 'failure' | 'neutral' | 'cancelled' | 'skipped' | 'timed_out' | 'action_required';

export interface AnnotationView {
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
  readonly startColumn?: number;
  readonly level: 'notice' | 'warning' | 'failure';
  readonly title?: string;
  readonly message: string;
}

/** What a button asks for; too short for an id, so the check run that it stands on says the rest. */
type ButtonIdentifier = 'approve' | 'reject' | 'retry' | 'retry-all' | 'rollback' | 'ok-to-test';

/** Label up to 20 characters, description up to 40. */
export interface ButtonView {
  readonly label: string;
  readonly identifier: ButtonIdentifier;
  readonly description: string;
}

/** A look-up by a name that people chose, which may be `constructor`. */
export function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined;
}
