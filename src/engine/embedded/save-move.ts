import type { Transaction } from 'kysely';
import { saveActionEnd, saveActionStart } from '../../db/action-executions.ts';
import type { Database } from '../../db/database.ts';
import { saveDefinition } from '../../db/definitions.ts';
import { enqueueEvents } from '../../db/event-outbox.ts';
import { insertExecution, saveExecution } from '../../db/executions.ts';
import { enqueue } from '../../db/jobs.ts';
import { saveLane } from '../../db/lanes.ts';
import type { Execution } from '../../pipeline/execution.ts';
import type { Change } from '../../pipeline/changes.ts';
import type { Effect } from '../../pipeline/effect.ts';
import type { PipelineState } from '../../pipeline/protocol.ts';
import { stateEvents } from '../../pipeline/state-events.ts';
import { attemptsOf, executionStatus, isLive, waitingApprovals } from '../../pipeline/status.ts';
import type { Birth, InputRequest } from './apply-input.ts';
import { enqueueEffect } from './save-effects.ts';
import { saveRules } from './save-rules.ts';
import type { LoadedState } from './load-state.ts';

/** Changes within this time end in one drawing of the check runs. */
const reportDelayMs = 150;

interface Move {
  readonly request: InputRequest;
  readonly before: LoadedState;
  readonly after: PipelineState;
  readonly effects: readonly Effect[];
  readonly changes: readonly Change[];
}

/** Writes what one transition changed, and the jobs that follow from it. */
export async function saveMove(trx: Transaction<Database>, move: Move): Promise<void> {
  const { before, after } = move;
  for (const execution of Object.values(after.executions)) {
    if (before.state.executions[execution.id] !== execution) await saveOne(trx, move, execution);
  }
  await saveCurrentDefinition(trx, after);
  await saveLane(trx, {
    key: after.lane,
    started: after.started,
    stages: after.stages,
    current: after.current ?? null,
  });
  await saveActions(trx, move);
  await saveRules(trx, before.state, after);
  await enqueueEvents(trx, stateEvents(after, move.changes, move.request.at));
  for (const effect of move.effects) await enqueueEffect(trx, effect, hostOf(move, effect.execution));
  for (const id of new Set(move.changes.flatMap((change) => ('execution' in change ? [change.execution] : [])))) {
    await enqueueReport(trx, id);
  }
}

/** Asks for the execution's check runs to be drawn; several requests become one job. */
export async function enqueueReport(trx: Transaction<Database>, execution: string): Promise<void> {
  await enqueue(trx, {
    kind: 'report',
    payload: { execution },
    dedupeKey: `report/${execution}`,
    delayMs: reportDelayMs,
  });
}

async function saveOne(trx: Transaction<Database>, move: Move, execution: Execution): Promise<void> {
  const definition = move.after.definitions[execution.definition];
  if (!definition) throw new Error(`execution ${execution.id} names a definition that is not loaded`);
  const mirrors = {
    status: executionStatus(execution, definition),
    live: isLive(execution, definition),
    waiting: waitingApprovals(execution).length > 0,
  };
  if (move.before.records.has(execution.id)) return saveExecution(trx, execution, mirrors);
  await saveDefinition(trx, execution.definition, definition);
  await insertExecution(trx, {
    execution,
    repositoryId: move.request.repositoryId,
    ...birthOf(move, execution),
    ...mirrors,
  });
}

/** A rollback is born of the core: it inherits from the execution whose work it brings back (CP-X-51, CP-X-57). */
function birthOf(move: Move, execution: Execution): Birth {
  const target = execution.rollbackTarget && move.before.records.get(execution.rollbackTarget);
  if (target) return { idempotencyKey: `rollback/${execution.id}`, host: target.host, context: target.context };
  if (!move.request.birth) throw new Error(`execution ${execution.id} appeared without a birth`);
  return move.request.birth;
}

async function saveCurrentDefinition(trx: Transaction<Database>, { current, definitions }: PipelineState) {
  const definition = current === undefined ? undefined : definitions[current];
  if (current !== undefined && definition) await saveDefinition(trx, current, definition);
}

async function saveActions(trx: Transaction<Database>, move: Move): Promise<void> {
  for (const change of move.changes) {
    if (change.kind !== 'action') continue;
    const execution = move.after.executions[change.execution];
    const run = execution?.stages.flatMap(attemptsOf).find((action) => action.id === change.id);
    if (!run) continue;
    if (change.from === undefined)
      await saveActionStart(trx, { execution: change.execution, stage: change.stage, run });
    if (run.status === 'InProgress') continue;
    const output = move.request.output?.action === run.id ? move.request.output.output : undefined;
    await saveActionEnd(trx, { run, output: output ?? { outputVariables: {} } });
  }
}

function hostOf(move: Move, id: string): string {
  const execution = move.after.executions[id];
  const host = move.before.records.get(id)?.host ?? (execution && birthOf(move, execution).host);
  if (!host) throw new Error(`no host is known for execution ${id}`);
  return host;
}
