import { createInterface } from 'node:readline/promises';
import { findExecution, type ExecutionRecord } from '../db/executions.ts';
import type { LocalEngine } from '../main/local-engine.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { ActionRun, ExecutionId } from '../pipeline/execution.ts';
import { isTerminal, waitingApprovals } from '../pipeline/status.ts';
import { logPath } from '../providers/action-log.ts';
import { followLog } from '../providers/read-log.ts';
import { createTextCleaner } from '../web/visible-text.ts';
import type { CliIo } from './command.ts';

export interface Followed {
  readonly local: LocalEngine;
  readonly definition: PipelineDefinition;
  readonly execution: ExecutionId;
  readonly approveAll: boolean;
  readonly json: boolean;
}

/** Tells what happens until the execution has ended, asks for approvals, and answers its exit code. */
export async function followRun(io: CliIo, run: Followed): Promise<number> {
  const told = new Map<string, string>();
  const logs: Promise<void>[] = [];
  let stopped = false;
  for (;;) {
    const record = await findExecution(run.local.database.db, run.execution);
    if (!record) throw new Error(`execution ${run.execution} is gone`);
    for (const { stage, action } of currentActions(record)) {
      if (!told.has(action.id) && !run.json) logs.push(followAction(io, run, `${stage}/${action.action}`, action));
      tell(io, run, told, stage, action);
    }
    if (isTerminal(record.status) && !record.live) {
      await Promise.all(logs);
      return finish(io, run, record);
    }
    if (io.interrupted.aborted && !stopped) {
      stopped = true;
      await stop(run, record, 'interrupted');
    } else if (!stopped && (await answerGates(io, run, record)) === 'nobody') {
      stopped = true;
      io.err('An approval waits and nobody can be asked here: use --approve-all, or run it in a terminal.');
      await stop(run, record, 'nobody to approve');
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function currentActions({ execution }: ExecutionRecord): readonly { stage: string; action: ActionRun }[] {
  return execution.stages.flatMap(({ stage, actions }) => actions.map((action) => ({ stage, action })));
}

function tell(io: CliIo, run: Followed, told: Map<string, string>, stage: string, action: ActionRun): void {
  const state = action.status === 'InProgress' && action.phase === 'waiting' ? 'Waiting' : action.status;
  if (told.get(action.id) === state) return;
  told.set(action.id, state);
  const { summary, error } = action;
  if (run.json) {
    const event = { event: 'action', stage, action: action.action, attempt: action.attempt, state, summary, error };
    io.out(JSON.stringify(event));
  } else {
    const why = error?.message ?? (action.status === 'Succeeded' ? summary : undefined);
    io.out(`${mark(state)} ${stage}/${action.action}  ${state}${why === undefined ? '' : `: ${why}`}`);
  }
}

function mark(state: string): string {
  return { Succeeded: '✓', Failed: '✗', Abandoned: '■', Waiting: '‖' }[state] ?? '●';
}

/** The log of one action, line by line, each behind the action's name: several may run side by side. */
async function followAction(io: CliIo, run: Followed, name: string, action: ActionRun): Promise<void> {
  const ended = async (): Promise<boolean> => {
    const record = await findExecution(run.local.database.db, run.execution);
    const now = record && currentActions(record).find((one) => one.action.id === action.id);
    return now?.action.status !== 'InProgress';
  };
  const cleaner = createTextCleaner();
  let rest = '';
  const file = logPath(run.local.home, run.execution, action.id);
  for await (const chunk of followLog(file, { ended, pauseMs: 100 })) {
    const lines = (rest + cleaner.push(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) io.out(`  ${name} | ${line}`);
  }
  if (rest !== '') io.out(`  ${name} | ${rest}`);
}

async function answerGates(io: CliIo, run: Followed, record: ExecutionRecord): Promise<'answered' | 'nobody'> {
  for (const gate of waitingApprovals(record.execution)) {
    const answer = run.approveAll ? 'y' : await ask(io, `${gate.stage}/${gate.action}`);
    if (answer === undefined) return 'nobody';
    const { lane, id } = record.execution;
    const kind = answer === 'y' ? 'approve' : 'reject';
    const { stage, action, token } = gate;
    const summary = run.approveAll ? 'approved by --approve-all' : `answered in the terminal: ${kind}`;
    const by = { kind: 'penstock', why: 'penstock run' } as const;
    await run.local.engine.obey({ kind, lane, execution: id, stage, action, token, summary }, by);
  }
  return 'answered';
}

async function ask(io: CliIo, gate: string): Promise<'y' | 'n' | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await terminal.question(`Approve ${gate}? [y/n] `, { signal: io.interrupted });
    return /^y(es)?$/i.test(answer.trim()) ? 'y' : 'n';
  } catch {
    return 'n';
  } finally {
    terminal.close();
  }
}

async function stop(run: Followed, record: ExecutionRecord, reason: string): Promise<void> {
  const { lane, id } = record.execution;
  const by = { kind: 'penstock', why: reason } as const;
  await run.local.engine.obey({ kind: 'stop', lane, execution: id, abandon: true, reason }, by);
}

function finish(io: CliIo, run: Followed, { status, execution }: ExecutionRecord): number {
  if (run.json)
    io.out(JSON.stringify({ event: 'end', execution: execution.id, pipeline: run.definition.name, status }));
  else io.out(`${status === 'Succeeded' ? '✓' : '✗'} ${run.definition.name}: ${status}`);
  return status === 'Succeeded' ? 0 : 1;
}
