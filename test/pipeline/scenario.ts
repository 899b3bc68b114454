import { parse } from 'yaml';
import { changes, type Change } from '../../src/pipeline/changes.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import type { ActionExecutionId, Execution, ExecutionId, LaneKey } from '../../src/pipeline/execution.ts';
import type { Effect } from '../../src/pipeline/effect.ts';
import type { PipelineState } from '../../src/pipeline/protocol.ts';
import { stateEvents, type StateEvent } from '../../src/pipeline/state-events.ts';
import { conditionStatus, executionStatus, stageStatus, waitingApprovals } from '../../src/pipeline/status.ts';
import { emptyState, transition } from '../../src/pipeline/transition.ts';
import { pipeline, type BuiltPipeline, type PipelineSpec } from './pipelines.ts';
import { inputOf, type Ids } from './scenario-inputs.ts';

/**
 * A scenario file: a pipeline (YAML, see `PipelineSpec`, with `rules`: what it proves), `----`, inputs one a line, `----`,
 * what came of them: after each input its effects (`!`) and changes, with `events: true` also what receivers of events are
 * told (`~`); at the end every execution. The input `look` shows executions, stages and tokens as they stand.
 */
export interface Scenario {
  readonly rules: readonly string[];
  readonly title: string;
  readonly head: string;
  /** The second part as it stands. */
  readonly given: string;
  readonly inputs: readonly string[];
  readonly expected: string;
}

type ScenarioSpec = PipelineSpec & { readonly update?: Partial<PipelineSpec>; readonly events?: boolean };

interface World {
  state: PipelineState;
  pipeline: BuiltPipeline;
  at: Date;
  /** Every attempt ever started, by `e1/Stage/Action#1`, and back. */
  readonly attempts: Map<string, ActionExecutionId>;
  readonly names: Map<string, string>;
  /** Executions that the core started itself are called r1, r2, … */
  readonly own: Map<string, ExecutionId>;
}

export function parseScenario(text: string): Scenario {
  const [head = '', given = '', expected = ''] = text.split(/^----\n/m);
  const { title, rules } = parse(head) as { title: string; rules: string[] };
  return { title, rules, head, given, inputs: given.split('\n').filter((line) => line.trim() !== ''), expected };
}

export function runScenario(scenario: Scenario): string {
  const spec = parse(scenario.head) as ScenarioSpec;
  const world: World = {
    state: emptyState('1/web/main' as LaneKey, 'web'),
    pipeline: pipeline(spec),
    at: new Date('2026-01-05T10:00:00Z'),
    attempts: new Map(),
    names: new Map(),
    own: new Map(),
  };
  const steps = scenario.inputs.map((line) => step(world, line, spec));
  return [...steps, ...executionsOf(world)].join('\n');
}

function executionsOf(world: World): string[] {
  return Object.values(world.state.executions).map((execution) => {
    const definition = world.state.definitions[execution.definition];
    if (!definition) throw new Error('no definition');
    return describeExecution(execution, definition, (text) => named(world, text));
  });
}

/** Each execution, for each stage who is in or was last and who waits before it, and whom an approval asks for which token. */
function look(world: World): string[] {
  const books = Object.entries(world.state.stages).map(([stage, book]) => {
    const waits = book.inbound.length === 0 ? '' : `, before it: ${book.inbound.join(', ')}`;
    return `* ${stage}: ${book.latestEntered ?? 'nobody'}${waits}`;
  });
  const tokens = Object.values(world.state.executions)
    .flatMap(waitingApprovals)
    .map(({ token }) => `? answer with ${token}`);
  return [...executionsOf(world).map((text) => text.replaceAll('\n', '\n  ')), ...books, ...tokens];
}

function step(world: World, line: string, spec: ScenarioSpec): string {
  if (line.startsWith('#')) return line;
  if (line === 'look') return named(world, ['> look', ...look(world)].join('\n  '));
  const clock = /^at \+(\d+)([mhd])$/.exec(line);
  if (clock) {
    const unit = { m: 60_000, h: 3_600_000, d: 86_400_000 }[clock[2] ?? 'm'] ?? 0;
    world.at = new Date(world.at.getTime() + Number(clock[1]) * unit);
    return `> ${line}`;
  }
  if (line === 'update') world.pipeline = pipeline({ ...spec, ...spec.update });
  if (line === 'back') world.pipeline = pipeline(spec);
  const before = world.state;
  const input = inputOf(line, before, world.pipeline, idsOf(world));
  const by = line.includes('by-call')
    ? ({ kind: 'api', arn: 'arn' } as const)
    : ({ kind: 'person', id: 7, login: 'ann' } as const);
  const result = transition(before, input, { at: world.at, seed: 'seed', by });
  if (result.outcome === 'ignored') return `> ${line}\n  ignored: ${named(world, result.why)}`;
  if (result.outcome === 'refused') {
    const { exception, rule, message } = result.refusal;
    return `> ${line}\n  refused: ${exception} (${rule}) ${named(world, message)}`;
  }
  world.state = result.state;
  for (const id of Object.keys(result.state.executions)) {
    if (id.length === 36 && !world.names.has(id)) {
      world.names.set(id, `r${world.own.size + 1}`);
      world.own.set(`r${world.own.size + 1}`, id as ExecutionId);
    }
  }
  const effects = result.effects.map((effect) => `  ! ${effectText(world, effect)}`);
  const changed = changes(before, result.state);
  const texts = changed.flatMap((change) => changeText(change) ?? []).map((text) => `  ${text}`);
  const events = spec.events ? stateEvents(result.state, changed, world.at).map(eventText) : [];
  return named(world, [`> ${line}`, ...effects, ...texts, ...events].join('\n'));
}

function eventText({ level, detail }: StateEvent): string {
  const subject = ['state', 'stage', 'action-execution-id'].flatMap((key) =>
    key in detail ? String(detail[key]) : [],
  );
  return `  ~ ${level} ${subject.join(' ')} (attempt ${String(detail['pipeline-execution-attempt'])})`;
}

function idsOf(world: World): Ids {
  const find = (execution: string, path: string) => {
    const key = path.includes('#') ? `${execution}/${path}` : latest(world, `${execution}/${path}`);
    return world.attempts.get(key) ?? ('00000000-0000-5000-8000-000000000000' as ActionExecutionId);
  };
  const executionId = (name: string) => world.own.get(name) ?? (name as ExecutionId);
  return { actionId: find, ruleId: find, executionId };
}

function latest(world: World, path: string): string {
  return [...world.attempts.keys()].findLast((key) => key.startsWith(`${path}#`)) ?? path;
}

function effectText(world: World, effect: Effect): string {
  switch (effect.kind) {
    case 'start-action':
    case 'stop-action':
    case 'watch-deadline': {
      const name = `${effect.execution}/${effect.stage}/${effect.action}#${effect.attempt}`;
      remember(world, name, effect.id);
      return `${effect.kind} ${name}${effect.kind === 'watch-deadline' ? ` ${after(world, effect.at)}` : ''}`;
    }
    case 'start-rule':
    case 'stop-rule':
    case 'watch-rule-deadline': {
      const name = `${effect.execution}/${effect.stage}/${effect.rule}#${effect.attempt}`;
      remember(world, name, effect.id);
      const at = effect.kind === 'watch-rule-deadline' ? ` ${after(world, effect.at)}` : '';
      return `${effect.kind} ${name} (${effect.condition})${at}`;
    }
    case 'request-lock':
    case 'release-lock':
      return `${effect.kind} ${effect.execution}/${effect.stage}`;
    default:
      return effect satisfies never;
  }
}

function remember(world: World, path: string, id: ActionExecutionId): void {
  const name = named(world, path);
  world.attempts.set(name, id);
  world.names.set(id, name);
}

function after(world: World, at: string): string {
  return `after ${(new Date(at).getTime() - world.at.getTime()) / 60_000}m`;
}

function changeText(change: Change): string | undefined {
  switch (change.kind) {
    case 'execution':
      return change.from === change.to ? undefined : `${change.execution}: ${change.from ?? '-'} -> ${change.to}`;
    case 'stage':
      return `${change.execution}/${change.stage}#${change.attempt}: ${change.from ?? '-'} -> ${change.to}`;
    case 'action': {
      const name = `${change.execution}/${change.stage}/${change.action}#${change.attempt}`;
      return `${name}: ${change.from ?? '-'} -> ${change.to}`;
    }
    case 'transition':
      return `${change.transition} ${change.stage}: ${change.enabled ? 'enabled' : 'disabled'}`;
    default:
      return change satisfies never;
  }
}

/** Seeded ids are no reading matter. */
function named(world: World, text: string): string {
  return text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (id) => world.names.get(id) ?? '<unknown>');
}

/** The lines of one execution at the end of a scenario; `named` puts names in the place of ids. */
export function describeExecution(
  execution: Execution,
  definition: PipelineDefinition,
  named: (text: string) => string,
): string {
  const id = named(execution.id);
  const more = [
    execution.type === 'ROLLBACK' ? `rollback to ${execution.rollbackTarget}` : '',
    execution.waitingAt === undefined ? '' : `waiting at ${execution.waitingAt}`,
    execution.lock ? `lock ${execution.lock.state} ${execution.lock.place ?? ''}`.trim() : '',
    execution.ending && 'summary' in execution.ending ? execution.ending.summary : '',
    execution.ending && 'why' in execution.ending ? (execution.ending.why ?? '') : '',
    execution.ending?.as === 'Superseded' ? `by ${execution.ending.by.execution ?? execution.ending.by.sha}` : '',
    ...execution.variables.map(({ name, value }) => `${name}=${value}`),
  ].filter((text) => text !== '');
  const stages = execution.stages.map((run) => {
    const actions = run.actions.map((action) => `${action.action}#${action.attempt} ${action.status}`).join(', ');
    const conditions = Object.entries(run.conditions ?? {}).map(([kind, state]) => `${kind} ${conditionStatus(state)}`);
    const retries = run.retries ? [`retries ${run.retries.manual}+${run.retries.automatic} ${run.retries.latest}`] : [];
    const notes = [...conditions, ...retries].map((text) => ` <${text}>`).join('');
    return `  ${run.stage}#${run.attempt} ${stageStatus(run, execution, definition)} [${actions}]${notes}`;
  });
  const status = executionStatus(execution, definition);
  return named([`= ${id} ${status}${more.map((text) => ` (${text})`).join('')}`, ...stages].join('\n'));
}
