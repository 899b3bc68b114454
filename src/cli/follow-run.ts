import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { findExecution, type ExecutionRecord } from '../db/executions.ts';
import type { LocalEngine } from '../main/local-engine.ts';
import { linkResults } from '../main/local-results.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { ActionRun, ExecutionId, StageRun } from '../pipeline/execution.ts';
import { attemptsOf, conditionStatus, isTerminal, isUnmet, stageStatus } from '../pipeline/status.ts';
import { logPath } from '../providers/action-log.ts';
import { readFindings } from '../providers/findings-file.ts';
import { followLog } from '../providers/read-log.ts';
import { createTextCleaner } from '../web/visible-text.ts';
import { explainFailure } from '../render/explain.ts';
import { failedActions } from '../render/stage-view.ts';
import type { CliIo } from './command.ts';
import { createLines } from './lines.ts';
import { createGateKeeper } from './run-gates.ts';
import type { BuildFindings, EndedStage, ExplainedFailure, RunTeller, ToldAction } from './run-teller.ts';

export interface FollowedRun {
  readonly local: LocalEngine;
  readonly definition: PipelineDefinition;
  readonly execution: ExecutionId;
  readonly approveAll: boolean;
  readonly teller: RunTeller;
}

const pauseMs = 100;
/** The log of an action is closed just after its end is known. */
const logGraceMs = 300;

/** Tells what happens until the execution has ended, asks for approvals, and answers its exit code. */
export async function followRun(io: CliIo, run: FollowedRun): Promise<number> {
  const gates = createGateKeeper(io, run.local, run);
  const actions = new Map<string, FollowedAction>();
  let stopped: 'interrupted' | 'nobody to approve' | undefined;
  try {
    for (;;) {
      const record = await findExecution(run.local.database.db, run.execution);
      if (!record) throw new Error(`execution ${run.execution} is gone`);
      for (const told of toldActions(record)) follow(run, actions, told);
      if (isTerminal(record.status) && !record.live) {
        await Promise.all([...actions.values()].map(({ told }) => told));
        await finish(run, record);
        if (stopped === 'interrupted') return interruptedCode(io);
        return record.status === 'Succeeded' ? 0 : 1;
      }
      const isQuiet = [...actions.values()].every(({ endedAt, isTold }) => endedAt === undefined || isTold);
      const gateReason = isQuiet && (await gates.look(record.execution)) === 'nobody' ? 'nobody to approve' : undefined;
      const reason = stopped ?? (io.interrupted.aborted ? 'interrupted' : gateReason);
      if (reason !== stopped && reason !== undefined) {
        if (reason === 'nobody to approve')
          io.err('An approval waits and nobody can be asked here: use --approve-all, or run it in a terminal.');
        stopped = reason;
        await stop(run, record, reason);
      }
      await sleep(pauseMs, undefined, { signal: stopped ? undefined : io.interrupted }).catch(() => {});
    }
  } finally {
    gates.close();
  }
}

/** 128 and the number of the signal, as shells give it. */
export function interruptedCode({ interrupted }: CliIo): number {
  return 128 + (interrupted.reason === 'SIGTERM' ? constants.signals.SIGTERM : constants.signals.SIGINT);
}

function toldActions({ execution }: ExecutionRecord): readonly ToldAction[] {
  return execution.stages.flatMap((stage) =>
    attemptsOf(stage).map((run) => ({ stage: stage.stage, run, state: stateOf(run) })),
  );
}

function stateOf({ status, phase }: ActionRun): ToldAction['state'] {
  return status === 'InProgress' && phase === 'waiting' ? 'Waiting' : status;
}

interface FollowedAction {
  newest: ToldAction;
  begun: boolean;
  /** Milliseconds since the epoch. */
  endedAt: number | undefined;
  /** When its end was told. */
  readonly told: Promise<void>;
  isTold: boolean;
}

function follow(run: FollowedRun, actions: Map<string, FollowedAction>, told: ToldAction): void {
  const known = actions.get(told.run.id) ?? begin(run, actions, told);
  if (told.state === 'Waiting' && known.newest.state !== 'Waiting' && known.begun) run.teller.action(told);
  known.newest = told;
  if (told.run.status !== 'InProgress') known.endedAt ??= Date.now();
}

/** What ended before is told to its end before the new one begins. */
function begin(run: FollowedRun, actions: Map<string, FollowedAction>, first: ToldAction): FollowedAction {
  const before = [...actions.values()].flatMap(({ endedAt, told }) => (endedAt === undefined ? [] : [told]));
  const tellAll = async (): Promise<void> => {
    await Promise.all(before);
    action.begun = true;
    const { newest } = action;
    run.teller.action(action.endedAt === undefined ? newest : { ...newest, state: 'InProgress' });
    await printLog(run, action);
    run.teller.action(action.newest);
    action.isTold = true;
  };
  const told = Promise.resolve().then(tellAll);
  const action: FollowedAction = { newest: first, begun: false, endedAt: undefined, told, isTold: false };
  actions.set(first.run.id, action);
  return action;
}

/** The log of one attempt, line by line: several may run side by side. Answers when all of it was told. */
async function printLog(run: FollowedRun, action: FollowedAction): Promise<void> {
  const cleaner = createTextCleaner();
  const lines = createLines((line) => run.teller.log(action.newest, line));
  const ended = (): boolean => action.endedAt !== undefined && Date.now() - action.endedAt > logGraceMs;
  const file = logPath(run.local.home, run.execution, action.newest.run.id);
  for await (const chunk of followLog(file, { ended, pauseMs })) lines.add(cleaner.push(chunk));
  lines.add(cleaner.flush());
  lines.end();
}

async function stop(run: FollowedRun, { execution }: ExecutionRecord, reason: string): Promise<void> {
  const { lane, id } = execution;
  const by = { kind: 'penstock', why: reason } as const;
  await run.local.engine.obey({ kind: 'stop', lane, execution: id, abandon: true, reason }, by);
}

async function finish({ local, definition, teller }: FollowedRun, record: ExecutionRecord): Promise<void> {
  const { execution, status } = record;
  const stages = execution.stages.map((stage) => endedStage(stage, record, definition));
  const seconds = secondsBetween(execution.startedAt, execution.updatedAt);
  const findings = await findingsOf(local.home, record);
  const results = await linkResults(local.home, definition, execution);
  teller.end({ execution, status, stages, seconds, findings, results });
}

async function findingsOf(home: string, record: ExecutionRecord): Promise<readonly BuildFindings[]> {
  const read = toldActions(record).map(async ({ stage, run }) => {
    const found = await readFindings(home, record.execution.id, run.id);
    return { stage, action: run.action, ...found };
  });
  return (await Promise.all(read)).filter(
    ({ findings, reports, phases }) => findings.length + reports.length + phases.length > 0,
  );
}

function endedStage(run: StageRun, { execution }: ExecutionRecord, definition: PipelineDefinition): EndedStage {
  return {
    stage: run.stage,
    status: stageStatus(run, execution, definition),
    seconds: secondsBetween(run.startedAt, run.endedAt ?? execution.updatedAt),
    failures: failuresOf(run, definition),
    unmet: unmetOf(run),
  };
}

function failuresOf(run: StageRun, definition: PipelineDefinition): readonly ExplainedFailure[] {
  const declared = definition.stages.find(({ name }) => name === run.stage)?.actions ?? [];
  return failedActions(run).map((failed) => {
    const action = declared.find(({ name }) => name === failed.action);
    const { cause, mend } = explainFailure(failed, action);
    return { action: failed.action, cause, mend };
  });
}

function unmetOf(run: StageRun): readonly string[] {
  return Object.entries(run.conditions ?? {}).flatMap(([kind, condition]) => {
    if (!isUnmet(condition)) return [];
    const why = condition.rules.flatMap(({ rule, error }) => (error === undefined ? [] : `${rule}: ${error.message}`));
    return [`${kind} ${conditionStatus(condition)}${why.length === 0 ? '' : `: ${why.join('; ')}`}`];
  });
}

function secondsBetween(from: string, to: string): number {
  return Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
}
