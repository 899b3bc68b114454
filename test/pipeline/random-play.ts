import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { changes, type Change } from '../../src/pipeline/changes.ts';
import type { Execution, LaneKey } from '../../src/pipeline/execution.ts';
import type { Effect } from '../../src/pipeline/effect.ts';
import type { Given, Input, PipelineState } from '../../src/pipeline/protocol.ts';
import { executionStatus, isBusy, isLive, isRunBusy, isTerminal } from '../../src/pipeline/status.ts';
import { emptyState, transition } from '../../src/pipeline/transition.ts';
import { pipeline } from './pipelines.ts';
import { inputFor, type Move, type Table } from './random-moves.ts';
import type { RandomPipeline } from './random-pipelines.ts';

/** Plays moves on one lane and complains about every promise of the core that is broken on the way. */
export interface Played {
  readonly state: PipelineState;
  readonly inputs: readonly { readonly input: Input; readonly given: Given }[];
  /** `execution: InProgress -> Failed` and the like: what was reached. */
  readonly reached: ReadonlySet<string>;
}

const tables = new Map<RandomPipeline, Table>();

export function play(spec: RandomPipeline, moves: readonly Move[]): Played {
  const table = tableOf(spec);
  let state = emptyState('1/web/main' as LaneKey, 'web');
  const inputs: { input: Input; given: Given }[] = [];
  const reached = new Set<string>();
  for (const [index, move] of moves.entries()) {
    const input = inputFor(state, move, table);
    if (!input) continue;
    const at = new Date(Date.UTC(2026, 0, 1) + index * (move.b === 11 ? 40 * 86_400_000 : 60_000));
    const given: Given = { at, seed: 'seed', by: { kind: 'person', id: 1, login: 'ann' } };
    inputs.push({ input, given });
    state = step(state, input, given, reached);
  }
  return { state, inputs, reached };
}

function tableOf(spec: RandomPipeline): Table {
  const known = tables.get(spec);
  if (known) return known;
  const updated = pipeline({ ...spec, variables: [{ name: 'NEW', defaultValue: 'x' }] });
  const table = { pipeline: pipeline(spec), updated, exclusive: spec.exclusive ?? [] };
  tables.set(spec, table);
  return table;
}

function step(state: PipelineState, input: Input, given: Given, reached: Set<string>): PipelineState {
  const result = transition(state, input, given);
  switch (result.outcome) {
    case 'ignored':
      claim(result.why.length > 10, 'an ignored input has no reason');
      return state;
    case 'refused': {
      const { exception, rule, message } = result.refusal;
      claim(
        exception.endsWith('Exception') && rule.startsWith('CP-') && message.length > 10,
        'a refusal does not say why',
      );
      claim(!('action' in input && !('token' in input)), 'a fact was refused');
      return state;
    }
    case 'moved': {
      const changed = changes(state, result.state);
      checkChanges(state, result.state, changed);
      checkRules(state, result.effects, result.state);
      checkEffects(changed, result.effects, result.state);
      checkEnds(changed, input);
      if (input.kind === 'retry') checkRetried(result.state, input.execution);
      for (const execution of Object.values(result.state.executions)) checkExecution(state, result.state, execution);
      checkStages(state, result.state);
      for (const change of changed) note(reached, change);
      return result.state;
    }
    default:
      return result satisfies never;
  }
}

/** Every execution that is not the same object is reported once, and no other. */
function checkChanges(before: PipelineState, after: PipelineState, changed: readonly Change[]): void {
  const reported = changed.flatMap((change) => (change.kind === 'execution' ? [change.execution] : []));
  const different = Object.values(after.executions).filter((one) => one !== before.executions[one.id]);
  claim(reported.length === different.length, 'a changed execution is not reported');
  for (const { id } of different) claim(reported.includes(id), `${id} changed and is not reported`);
  for (const id of Object.keys(before.executions)) claim(id in after.executions, `${id} got lost`);
}

/** What begins is started once and watched; what is stopped has ended. */
function checkEffects(changed: readonly Change[], effects: readonly Effect[], after: PipelineState): void {
  const begun = changed.flatMap((change) => (change.kind === 'action' && change.from === undefined ? [change.id] : []));
  const started = effects.flatMap((effect) => (effect.kind === 'start-action' ? [effect.id] : []));
  const watched = effects.flatMap((effect) => (effect.kind === 'watch-deadline' ? [effect.id] : []));
  const all = new Set(begun);
  claim(new Set(started).size === started.length, 'an action is started twice');
  claim(started.length === all.size && started.every((id) => all.has(id)), 'starts and begun actions differ');
  claim(watched.length === all.size && watched.every((id) => all.has(id)), 'a begun action has no deadline');
  for (const effect of effects) {
    if (effect.kind !== 'stop-action') continue;
    const runs = after.executions[effect.execution]?.stages.flatMap((run) => run.actions) ?? [];
    claim(runs.find((run) => run.id === effect.id)?.status !== 'InProgress', 'a running action is stopped');
  }
}

/** A rule that begins is started, and what a retry replaces is kept and at rest. */
function checkRules(before: PipelineState, effects: readonly Effect[], after: PipelineState): void {
  const changed = Object.values(after.executions).filter((execution) => execution !== before.executions[execution.id]);
  const runs = changed.flatMap((execution) => execution.stages);
  const known = new Map(
    runs.flatMap((run) =>
      [...Object.values(run.conditions ?? {}), ...(run.earlierConditions ?? [])].flatMap((condition) =>
        condition.rules.map((rule) => [rule.id, rule] as const),
      ),
    ),
  );
  for (const effect of effects) {
    if (effect.kind === 'start-rule')
      claim(known.get(effect.id)?.status === 'InProgress', 'a rule is started and not there');
    if (effect.kind === 'stop-rule')
      claim(known.get(effect.id)?.status === 'Abandoned', 'a rule is stopped and goes on');
  }
  for (const run of runs) {
    const replaced = (run.earlierConditions ?? []).flatMap((condition) => condition.rules);
    claim(!replaced.some((rule) => rule.status === 'InProgress'), 'a replaced rule goes on');
  }
}

/** CP 2.12: Succeeded, Superseded and Cancelled are final; Failed and Stopped are left by people only. */
function checkEnds(changed: readonly Change[], input: Input): void {
  for (const change of changed) {
    if (change.kind === 'transition' || change.from === change.to || change.from === undefined) continue;
    const words = `${change.kind} ${change.from} -> ${change.to} by ${input.kind}`;
    if (change.kind === 'action') {
      claim(change.from === 'InProgress', words);
      continue;
    }
    const isRevived = change.from === 'Failed' || change.from === 'Stopped';
    if (isRevived) claim(input.kind === 'retry' || input.kind === 'override', words);
    else claim(change.from === 'InProgress' || change.from === 'Stopping', words);
  }
}

/** It goes on, or was all done but for being stopped. */
function checkRetried(state: PipelineState, id: string): void {
  const execution = state.executions[id];
  const definition = execution && state.definitions[execution.definition];
  const status = definition ? executionStatus(execution, definition) : 'lost';
  claim(status === 'InProgress' || status === 'Succeeded', `${id} is ${status} after a retry`);
}

/** What is at rest and the same as before was looked at when it came to rest; that nobody waits for it, checkStages sees. */
function checkExecution(before: PipelineState, state: PipelineState, execution: Execution): void {
  const definition = state.definitions[execution.definition];
  if (!definition) throw new Error(`${execution.id} has no definition`);
  const isAlive = isLive(execution, definition);
  if (!isAlive && execution === before.executions[execution.id]) return;
  const status = executionStatus(execution, definition);
  const open = execution.stages.filter((run) => run.endedAt === undefined);
  claim(open.length <= 1, `${execution.id} is in two stages`);
  claim(
    !execution.stages.some((run) => run.endedAt !== undefined && isRunBusy(run)),
    `${execution.id} left work behind`,
  );
  claim(open.length === 0 || open[0] === execution.stages.at(-1), `${execution.id} is in an earlier stage`);
  checkLock(execution);
  const inbound = Object.entries(state.stages).filter(([, book]) => book.inbound.includes(execution.id));
  claim(inbound.length === (execution.waitingAt === undefined ? 0 : 1), `${execution.id} waits wrongly`);
  if (!isAlive) {
    claim(open.length === 0 && inbound.length === 0 && !execution.lock, `${execution.id} is ${status} and not at rest`);
    return;
  }
  // Failed with the others of its group still running.
  if (isTerminal(status)) return claim(isBusy(execution), `${execution.id} is ${status} and alive without reason`);
  claim(isBusy(execution) || isWaitingForSomething(state, execution), `${execution.id} is stuck`);
  const running = execution.stages.flatMap((run) => run.actions).filter((action) => action.status === 'InProgress');
  if (execution.mode === 'PARALLEL') claim(running.length <= 5, `${execution.id} runs ${running.length} actions`);
}

/** A lock over lanes is held inside its stage only, and nothing runs there without it. */
function checkLock({ id, lock, stages, exclusive }: Execution): void {
  const open = stages.find((run) => run.endedAt === undefined);
  if (lock?.state === 'held') claim(open?.stage === lock.stage, `${id} holds a lock that it does not use`);
  if (open && exclusive?.includes(open.stage) && isRunBusy(open)) {
    claim(lock?.state === 'held' && lock.stage === open.stage, `${id} runs without the lock`);
  }
}

/** A lock over lanes, a closed gate, somebody in the stage, or somebody before it in the queue. */
function isWaitingForSomething(state: PipelineState, execution: Execution): boolean {
  if (execution.lock?.state === 'requested') return true;
  const stage = execution.waitingAt;
  if (stage === undefined) return false;
  const names = state.definitions[execution.definition]?.stages.map((one) => one.name) ?? [];
  const previous = state.stages[names[names.indexOf(stage) - 1] ?? ''];
  if (state.stages[stage]?.inboundTransition?.enabled === false) return true;
  if (previous?.outboundTransition?.enabled === false) return true;
  const head = state.stages[stage]?.inbound[0];
  const isBehind = execution.mode === 'QUEUED' && head !== undefined && head !== execution.id;
  return isBehind || occupants(state, stage).length > 0;
}

function occupants(state: PipelineState, stage: string): Execution[] {
  return Object.values(state.executions).filter((one) =>
    one.stages.some((run) => run.stage === stage && run.endedAt === undefined),
  );
}

function checkStages(before: PipelineState, after: PipelineState): void {
  for (const [stage, book] of Object.entries(after.stages)) {
    const inside = occupants(after, stage).filter((one) => one.mode !== 'PARALLEL');
    claim(inside.length <= 1, `${inside.length} executions are in ${stage}`);
    const waiting = book.inbound.map((id) => after.executions[id]);
    claim(!waiting.some((one) => one?.waitingAt !== stage), `somebody stands at ${stage} and does not wait there`);
    const orders = waiting.flatMap((one) => (one && one.mode !== 'PARALLEL' ? [one.order] : []));
    const superseded = waiting.filter((one) => one?.mode === 'SUPERSEDED');
    claim(superseded.length <= 1, `${superseded.length} executions wait at ${stage} in mode SUPERSEDED`);
    const isInOrder = orders.every((order, place) => place === 0 || order > (orders[place - 1] ?? 0));
    claim(isInOrder, `the queue at ${stage} is out of order`);
    for (const one of inside) checkOverOvertaking(before, stage, one, orders);
  }
}

/** FIFO: who just entered a queued stage was first. */
function checkOverOvertaking(before: PipelineState, stage: string, one: Execution, waiting: readonly number[]): void {
  const wasIn = before.executions[one.id]?.stages.some((run) => run.stage === stage);
  if (one.mode !== 'QUEUED' || one.type === 'ROLLBACK' || wasIn) return;
  for (const order of waiting) claim(order > one.order, `${one.id} overtook ${order} at ${stage}`);
}

function note(reached: Set<string>, change: Change): void {
  if (change.kind !== 'transition') reached.add(`${change.kind}: ${change.from ?? '-'} -> ${change.to}`);
}

/**
 * The same inputs on what the shell would load from its rows: live executions, those in the books, the named ones. What a
 * move changed is written and read again; nothing that was read may be changed in place. Writing is most of the work:
 * `kept` leaves it out.
 */
export function replayFromRows({ inputs }: Played, rowsAre: 'written' | 'kept' = 'written'): PipelineState {
  const pass: <T>(value: T) => T = rowsAre === 'written' ? readBack : (value) => value;
  let state = pass(emptyState('1/web/main' as LaneKey, 'web'));
  const rows: Record<string, Execution> = {};
  for (const { input, given } of inputs) {
    const loaded = { ...state, executions: load(state, rows, input) };
    const result = transition(loaded, input, given);
    if (result.outcome !== 'moved') continue;
    const { definitions, stages, executions, ...rest } = result.state;
    state = {
      ...pass(rest),
      definitions: putChanged(loaded.definitions, definitions, { ...definitions }, pass),
      stages: putChanged(loaded.stages, stages, { ...stages }, pass),
      executions: {},
    };
    putChanged(loaded.executions, executions, rows, pass);
  }
  return { ...state, executions: rows };
}

/** Puts what is no longer the same object. */
function putChanged<T>(
  before: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
  into: Record<string, T>,
  pass: (value: T) => T,
): Record<string, T> {
  for (const [key, value] of Object.entries(after)) if (value !== before[key]) into[key] = pass(value);
  return into;
}

/** As it comes out of the database, and frozen. */
function readBack<T>(value: T): T {
  return frozen(JSON.parse(JSON.stringify(value)) as T);
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}

/** Quick where all is well; what differs is told by the slow comparison. */
export function expectSame(one: PipelineState, other: PipelineState): void {
  if (!isDeepStrictEqual(one, other)) expect(one).toEqual(other);
}

function load(
  state: PipelineState,
  rows: Readonly<Record<string, Execution>>,
  input: Input,
): Record<string, Execution> {
  const named = new Set<string>();
  for (const book of Object.values(state.stages)) {
    for (const id of [book.latestEntered, book.latestSucceeded, ...book.inbound]) if (id) named.add(id);
  }
  if ('execution' in input) named.add(input.execution);
  if ('target' in input) named.add(input.target);
  const loaded: Record<string, Execution> = {};
  for (const one of Object.values(rows)) {
    const definition = state.definitions[one.definition];
    if (named.has(one.id) || (definition && isLive(one, definition))) loaded[one.id] = one;
  }
  return loaded;
}

/** From wherever a play ended, kind answers bring every execution to an end. */
export function claimRest(start: PipelineState): void {
  let state = start;
  const given: Given = { at: new Date('2030-01-01'), seed: 'drain', by: { kind: 'person', id: 1, login: 'ann' } };
  for (let round = 0; round < 400; round += 1) {
    const input = kindAnswer(state);
    if (!input) return claim(isAtRest(state), 'nobody is waited for and something goes on');
    state = step(state, input, given, new Set());
  }
  throw new Error('it never comes to rest');
}

function kindAnswer(state: PipelineState): Input | undefined {
  const { lane } = state;
  for (const [stage, book] of Object.entries(state.stages)) {
    if (book.inboundTransition?.enabled === false)
      return { kind: 'enable-transition', lane, stage, transition: 'Inbound' };
    if (book.outboundTransition?.enabled === false) {
      return { kind: 'enable-transition', lane, stage, transition: 'Outbound' };
    }
  }
  for (const execution of Object.values(state.executions)) {
    const { id, lock } = execution;
    const run = execution.stages.at(-1);
    const action = run?.actions.find((one) => one.status === 'InProgress');
    if (run && action?.token !== undefined) {
      const { token } = action;
      return { kind: 'approve', lane, execution: id, stage: run.stage, action: action.action, token, summary: 'yes' };
    }
    if (action) return { kind: 'action-succeeded', execution: id, action: action.id };
    const rules = Object.values(run?.conditions ?? {}).flatMap((condition) => condition.rules);
    const rule = rules.find((one) => one.status === 'InProgress');
    if (rule) return { kind: 'rule-succeeded', execution: id, rule: rule.id };
    if (lock?.state === 'requested') return { kind: 'lock-granted', execution: id, stage: lock.stage };
  }
  return undefined;
}

function isAtRest(state: PipelineState): boolean {
  return Object.values(state.executions).every((execution) => {
    const definition = state.definitions[execution.definition];
    return definition !== undefined && !isLive(execution, definition);
  });
}

function claim(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}
