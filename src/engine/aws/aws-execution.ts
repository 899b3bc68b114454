import type { Execution } from '../../pipeline/execution.ts';
import type { Intent } from './intents.ts';

export interface LogPlace {
  readonly region: string;
  readonly group: string;
  readonly stream: string;
}

/** What an execution that CodePipeline runs holds besides what every execution holds. */
export interface AwsExecution extends Execution {
  readonly aws: {
    /** CodePipeline's own id; absent while we do not know yet whether the start arrived. */
    readonly executionId?: string;
    /** When we decided to start it. */
    readonly askedAt: string;
    /** AWS started it and we found it: it is shown, and never stopped because a newer commit came. */
    readonly adopted?: true;
    /** What the reads that all executions of the pipeline share said when everything of it was on record. */
    readonly seen?: string;
    /** When it was last changed by us and not by what AWS told. */
    readonly touchedAt?: string;
    /** CodePipeline runs it by this version of the pipeline; absent while only assumed. */
    readonly version?: number;
    /** Commands that went to CodePipeline and were not answered. */
    readonly asked?: readonly Intent[];
    /** Where builds wrote, by action execution. */
    readonly logs?: Readonly<Record<string, LogPlace>>;
  };
}

/** Undefined for an execution of the embedded engine. */
export function asAws(execution: Execution): AwsExecution | undefined {
  return 'aws' in execution && typeof execution.aws === 'object' ? (execution as AwsExecution) : undefined;
}
