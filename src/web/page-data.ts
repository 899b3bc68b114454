import type { ExecutionContext } from '../engine/engine.ts';
import { actorName } from '../pipeline/actor-name.ts';
import type { PipelineDefinition, StageDeclaration } from '../pipeline/definition.ts';
import type { ActionError, ActionRun, Execution, StageRun } from '../pipeline/execution.ts';
import { executionStatus, stageStatus } from '../pipeline/status.ts';
import type { BuildPhase } from '../pipeline/build-phase.ts';
import type { TestReport } from '../pipeline/test-report.ts';
import type { EarlierAttempt } from '../render/view.ts';

/** Everything that the page of one execution shows. */
export interface ExecutionPageData {
  readonly id: string;
  readonly pipeline: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly status: string;
  /** It may still change by itself. */
  readonly live: boolean;
  readonly headSha: string;
  readonly commitUrl: string;
  readonly pullRequest?: { readonly number: number; readonly url: string };
  readonly title?: string;
  readonly cause: string;
  readonly startedBy: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  /** Why it ended, when no stage says it. */
  readonly note?: string;
  readonly stages: readonly StagePageData[];
}

export interface StagePageData {
  readonly name: string;
  readonly status: string;
  readonly attempt: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly actions: readonly ActionPageData[];
}

export interface ActionPageData {
  readonly name: string;
  readonly provider: string;
  /** Absent while it was not started. */
  readonly id?: string;
  readonly attempt: number;
  readonly status: string;
  readonly running: boolean;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly summary?: string;
  readonly error?: ActionError;
  readonly answeredBy?: string;
  readonly externalUrl?: string;
  readonly earlier: readonly EarlierAttempt[];
  /** What its current attempt stored. */
  readonly artifacts: readonly ArtifactPageData[];
  /** What the test runners of its current attempt reported. */
  readonly reports: readonly TestReport[];
  /** Of its build, when it is one. */
  readonly phases: readonly BuildPhase[];
}

export interface ArtifactPageData {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

export interface PageSource {
  readonly repository: { readonly owner: string; readonly name: string };
  /** Where people read GitHub, without a slash at the end: `https://github.com`. */
  readonly githubWebUrl: string;
  readonly execution: Execution;
  readonly definition: PipelineDefinition;
  readonly context: ExecutionContext;
  readonly live: boolean;
  readonly earlierAttempts: readonly EarlierAttempt[];
  /** By action execution id; absent where artifacts lie on another host. */
  readonly artifacts?: Readonly<Record<string, readonly ArtifactPageData[]>>;
  /** By action execution id. */
  readonly reports?: Readonly<Record<string, readonly TestReport[]>>;
  /** By action execution id. */
  readonly phases?: Readonly<Record<string, readonly BuildPhase[]>>;
}

export function executionPageData(source: PageSource): ExecutionPageData {
  const { execution, definition, context } = source;
  const repository = `${source.repository.owner}/${source.repository.name}`;
  const site = `${source.githubWebUrl}/${repository}`;
  const endedAt = source.live ? undefined : endOf(execution);
  const note = noteOn(execution);
  return {
    id: execution.id,
    pipeline: execution.pipeline,
    repository,
    status: executionStatus(execution, definition),
    live: source.live,
    headSha: context.headSha,
    commitUrl: `${site}/commit/${context.headSha}`,
    ...(context.pullRequest === undefined
      ? {}
      : { pullRequest: { number: context.pullRequest, url: `${site}/pull/${context.pullRequest}` } }),
    ...(context.title === undefined ? {} : { title: context.title }),
    cause: context.cause,
    startedBy: actorName(execution.startedBy),
    startedAt: execution.startedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(note === undefined ? {} : { note }),
    stages: definition.stages.map((stage) => stagePageData(source, stage)),
  };
}

function stagePageData(source: PageSource, declared: StageDeclaration): StagePageData {
  const run = source.execution.stages.findLast((candidate) => candidate.stage === declared.name);
  const earlier = source.earlierAttempts.filter((attempt) => attempt.stage === declared.name);
  return {
    name: declared.name,
    status:
      run === undefined ? notEntered(source, declared.name) : stageStatus(run, source.execution, source.definition),
    attempt: run?.attempt ?? 1,
    ...(run === undefined ? {} : { startedAt: run.startedAt }),
    ...(run?.endedAt === undefined ? {} : { endedAt: run.endedAt }),
    actions: declared.actions
      .toSorted((a, b) => a.runOrder - b.runOrder)
      .map((action) =>
        actionPageData({
          name: action.name,
          provider: action.actionTypeId.provider,
          stage: run,
          earlier,
          artifacts: source.artifacts ?? {},
          reports: source.reports ?? {},
          phases: source.phases ?? {},
        }),
      ),
  };
}

function notEntered(source: PageSource, stage: string): string {
  if (source.execution.waitingAt === stage) return 'Waiting to enter';
  return source.live ? 'Not started' : 'Not reached';
}

interface ActionSource {
  readonly name: string;
  readonly provider: string;
  readonly stage: StageRun | undefined;
  readonly earlier: readonly EarlierAttempt[];
  readonly artifacts: Readonly<Record<string, readonly ArtifactPageData[]>>;
  readonly reports: Readonly<Record<string, readonly TestReport[]>>;
  readonly phases: Readonly<Record<string, readonly BuildPhase[]>>;
}

function actionPageData({ name, provider, stage, earlier, artifacts, reports, phases }: ActionSource): ActionPageData {
  const mine = earlier.filter((attempt) => attempt.action === name);
  const run = stage?.actions.find((candidate) => candidate.action === name);
  if (run === undefined) {
    const nothing = { artifacts: [], reports: [], phases: [] };
    return { name, provider, attempt: 1, status: 'Not started', running: false, earlier: mine, ...nothing };
  }
  return {
    name,
    provider,
    id: run.id,
    attempt: run.attempt,
    status: run.phase === 'waiting' && run.status === 'InProgress' ? 'Waiting for approval' : run.status,
    running: run.status === 'InProgress' && run.phase !== 'waiting',
    startedAt: run.startedAt,
    ...details(run),
    earlier: mine.filter((attempt) => attempt.id !== run.id),
    artifacts: artifacts[run.id] ?? [],
    reports: reports[run.id] ?? [],
    phases: phases[run.id] ?? [],
  };
}

function details(run: ActionRun): Partial<ActionPageData> {
  const url = run.externalExecutionUrl;
  return {
    ...(run.endedAt === undefined ? {} : { endedAt: run.endedAt }),
    ...(run.summary === undefined ? {} : { summary: run.summary }),
    ...(run.error === undefined ? {} : { error: run.error }),
    ...(run.answeredBy === undefined ? {} : { answeredBy: actorName(run.answeredBy) }),
    // Providers report addresses; only one that a browser opens as a page becomes a link (SEC-R11).
    ...(url !== undefined && /^https?:\/\//.test(url) ? { externalUrl: url } : {}),
  };
}

function endOf(execution: Execution): string {
  return execution.ending?.at ?? execution.stages.at(-1)?.endedAt ?? execution.updatedAt;
}

function noteOn({ ending, stop }: Execution): string | undefined {
  switch (ending?.as) {
    case 'Superseded':
      return `Superseded by ${ending.by.sha?.slice(0, 7) ?? ending.by.execution ?? 'a newer execution'}.`;
    case 'Stopped':
      return ending.why === undefined ? 'Stopped.' : `Stopped: ${ending.why}`;
    case 'Cancelled':
      return `Cancelled: ${ending.why}`;
    case 'Failed':
      return ending.summary;
    case undefined:
      return stop === undefined
        ? undefined
        : `Stop asked for by ${actorName(stop.by)}${stop.reason ? `: ${stop.reason}` : '.'}`;
    default:
      return ending satisfies never;
  }
}
