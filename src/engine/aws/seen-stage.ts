import type {
  ActionExecutionDetail,
  GetPipelineStateOutput,
  PipelineExecution,
  RuleExecutionDetail,
  StageState,
} from '@aws-sdk/client-codepipeline';
import type { StageDeclaration } from '../../pipeline/definition.ts';
import type { SourceRevision, StageRun } from '../../pipeline/execution.ts';
import type { Story } from './stories/stories.ts';

/** Everything that AWS said in one look at one execution. Reads may be seconds old and disagree (CP-X-69). */
export interface Observed {
  readonly execution: PipelineExecution;
  /** All pages, every attempt. */
  readonly actions: readonly ActionExecutionDetail[];
  readonly rules: readonly RuleExecutionDetail[];
  readonly state?: GetPipelineStateOutput;
  /** As ListPipelineExecutions tells them: by source action. */
  readonly revisions?: readonly SourceRevision[];
  /** What was asked in this look, by action execution. */
  readonly stories: Readonly<Record<string, Story>>;
}

export interface Look {
  readonly at: string;
  /** The role that we work with: what it answered, a person asked us to. */
  readonly roleArn: string;
}

/** A stage without actions in a succeeded execution was skipped, unless the list of actions is only late. */
export const lagMs = 60_000;

/** One stage, from every place that tells something of it. */
export interface Seen {
  readonly name: string;
  readonly stage: StageDeclaration | undefined;
  /** As stored. */
  readonly before: StageRun | undefined;
  /** Of this execution; a stage shows its latest execution only (CP-X-66). */
  readonly state: StageState | undefined;
  readonly details: readonly ActionExecutionDetail[];
  readonly rules: readonly RuleExecutionDetail[];
}

export interface Around {
  readonly observed: Observed;
  readonly look: Look;
  /** The execution has gone on to a later stage. */
  readonly later: boolean;
  /** Somebody here stopped it; AWS may not say so yet. */
  readonly stopAsked: boolean;
  readonly isParallel: boolean;
}

export const over: ReadonlySet<string | undefined> = new Set([
  'Succeeded',
  'Failed',
  'Stopped',
  'Superseded',
  'Cancelled',
]);

/** Milliseconds since the last thing that any action of it did. */
export function quietFor({ actions }: Observed, { at }: Look): number {
  const last = Math.max(0, ...actions.map((action) => (action.lastUpdateTime ?? action.startTime)?.getTime() ?? 0));
  return Date.parse(at) - last;
}
