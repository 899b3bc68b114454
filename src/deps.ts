import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { ApprovalLimits } from './config/server-types.ts';
import type { Database } from './db/database.ts';
import type { AwsEngine } from './engine/aws/aws-engine.ts';
import type { Engine } from './engine/engine.ts';
import type { GitHub } from './github/github.ts';
import type { Execution } from './pipeline/execution.ts';
import type { BuildPhase } from './pipeline/build-phase.ts';
import type { TestReport } from './pipeline/test-report.ts';

/** What handlers are given. Each names the part that it uses: `Pick<Deps, 'db' | 'github'>`. */
export interface Deps {
  readonly db: Kysely<Database>;
  readonly github: GitHub;
  readonly engine: Engine;
  readonly log: Logger;
  readonly now: () => Date;
  /** Signed, time-limited address of our page of an execution. */
  readonly detailsUrl: (execution: Pick<Execution, 'id' | 'startedAt'>) => string;
  readonly appId: number;
  /** Where people reach this server; no slash at the end. */
  readonly publicUrl: string;
  /** The isolation in force, in a sentence for people. */
  readonly isolation: string;
  /** The last lines of an action attempt's log, already masked; empty when there is none on this host. */
  readonly logTail: (execution: string, actionExecution: string, lines: number) => Promise<LogTail>;
  /** What an action attempt says about the code, places in files and counts of tests, and the phases of its build. */
  readonly findings: (execution: string, actionExecution: string) => Promise<CodeFindings>;
  /** What a repository's gates may loosen at most. */
  readonly approvals: ApprovalLimits;
  /** Pipelines that AWS holds and that the operator bound to repositories. */
  readonly aws: BoundPipelines;
  /** Whether the operator serves this repository. */
  readonly serves: (owner: string, name: string) => boolean;
}

export type FoundExecution = Parameters<AwsEngine['adoptRollback']>[1];

export interface BoundPipelines extends Pick<
  AwsEngine,
  'definitionOf' | 'observe' | 'adopt' | 'adoptRollback' | 'logTail'
> {
  /** Names of the pipelines that the operator bound to a repository. */
  readonly pipelinesOf: (owner: string, name: string) => readonly string[];
  /** How long a pipeline may go without a look while nothing is known to run of it. `eventMs`: since AWS last told of it. */
  readonly idleLookMs: (eventMs: number | null) => number;
}

export interface LogTail {
  readonly lines: readonly string[];
  /** Lines left out above the first one. */
  readonly cut: number;
  /** Where the whole log is, when not on our page. */
  readonly url?: string;
  /** A sentence: why there is none. */
  readonly note?: string;
}

export interface CodeFindings {
  readonly findings: readonly {
    readonly path: string;
    /** 1-based. */
    readonly line: number;
    readonly column?: number;
    readonly level: 'notice' | 'warning' | 'failure';
    readonly title?: string;
    readonly message: string;
  }[];
  readonly reports: readonly TestReport[];
  readonly phases: readonly BuildPhase[];
}
