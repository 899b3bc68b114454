import type { Execution } from '../../pipeline/execution.ts';

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
    /** Where builds wrote, by action execution. */
    readonly logs?: Readonly<Record<string, LogPlace>>;
  };
}

/** Undefined for an execution of the embedded engine. */
export function asAws(execution: Execution): AwsExecution | undefined {
  return 'aws' in execution && typeof execution.aws === 'object' ? (execution as AwsExecution) : undefined;
}
