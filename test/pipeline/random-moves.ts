import * as fc from 'fast-check';
import type { Execution, ExecutionId } from '../../src/pipeline/execution.ts';
import type { Input, PipelineState } from '../../src/pipeline/protocol.ts';
import { attemptsOf } from '../../src/pipeline/status.ts';
import type { BuiltPipeline } from './pipelines.ts';

/** One move of a random play: what to do, and numbers that choose from what is there at that moment. */
export interface Move {
  readonly verb: (typeof verbs)[number];
  readonly a: number;
  readonly b: number;
}

const verbs = [
  'start',
  'progress',
  'fail',
  'approve',
  'reject',
  'old-fact',
  'deadline',
  'rule',
  'lock',
  'retry',
  'stop',
  'withdraw',
  'hold',
  'release',
  'rollback',
  'override',
  'update',
] as const;

const weights: Readonly<Partial<Record<Move['verb'], number>>> = {
  start: 5,
  progress: 14,
  fail: 3,
  approve: 3,
  rule: 6,
  lock: 4,
  retry: 3,
};

export const moves = fc.array(
  fc.record({
    verb: fc.oneof(...verbs.map((verb) => ({ arbitrary: fc.constant(verb), weight: weights[verb] ?? 1 }))),
    a: fc.nat(11),
    b: fc.nat(11),
  }),
  { minLength: 10, maxLength: 50 },
);

export interface Table {
  readonly pipeline: BuiltPipeline;
  readonly updated: BuiltPipeline;
  readonly exclusive: readonly string[];
}

/** The move as an input, or undefined when nothing there fits. */
export function inputFor(state: PipelineState, { verb, a, b }: Move, table: Table): Input | undefined {
  const all = Object.values(state.executions);
  const execution = all[a % Math.max(1, all.length)];
  if (verb === 'start')
    return startInput(state, state.current === table.updated.digest ? table.updated : table.pipeline, table);
  if (verb === 'update') return { kind: 'update-definition', ...(a % 2 === 0 ? table.updated : table.pipeline) };
  const stage = table.pipeline.definition.stages[b % table.pipeline.definition.stages.length]?.name ?? '';
  if (verb === 'hold' || verb === 'release') return transitionInput(state, verb, stage, a);
  if (!execution) return undefined;
  const { lane } = state;
  const id = execution.id;
  switch (verb) {
    case 'retry':
      return { kind: 'retry', lane, execution: id, stage: lastStage(execution, stage, b), mode: modeOf(b) };
    case 'stop':
      return { kind: 'stop', lane, execution: id, abandon: b % 2 === 0 };
    case 'withdraw':
      return {
        kind: 'withdraw',
        lane,
        execution: id,
        because: b % 2 === 0 ? { kind: 'newer-commit', sha: 'abc1234' } : { kind: 'closed', merged: false },
      };
    case 'rollback':
      return { kind: 'rollback', lane, stage, target: id, execution: `b${state.started + 1}` as ExecutionId };
    case 'override': {
      const condition = b % 2 === 0 ? 'BEFORE_ENTRY' : 'ON_SUCCESS';
      return { kind: 'override', lane, execution: id, stage: lastStage(execution, stage, b), condition };
    }
    default:
      return factFor(state, verb, a, b);
  }
}

function modeOf(b: number) {
  return b % 2 === 0 ? 'ALL_ACTIONS' : 'FAILED_ACTIONS';
}

function startInput(state: PipelineState, { definition, digest }: BuiltPipeline, { exclusive }: Table): Input {
  return {
    kind: 'start',
    execution: `e${state.started + 1}` as ExecutionId,
    definition,
    digest,
    trigger: { type: 'WebhookV2', detail: 'push' },
    sourceRevisions: [],
    variables: [],
    exclusive,
  };
}

function transitionInput(state: PipelineState, verb: 'hold' | 'release', stage: string, a: number): Input {
  const transition = a % 2 === 0 ? 'Inbound' : 'Outbound';
  const { lane } = state;
  if (verb === 'hold') return { kind: 'disable-transition', lane, stage, transition, reason: 'a test' };
  return { kind: 'enable-transition', lane, stage, transition };
}

/** Mostly the stage that something happens in. */
function lastStage(execution: Execution, other: string, b: number): string {
  return b % 4 === 0 ? other : (execution.stages.at(-1)?.stage ?? other);
}

function factFor(state: PipelineState, verb: Move['verb'], a: number, b: number): Input | undefined {
  const attempts = Object.values(state.executions).flatMap((execution) =>
    execution.stages.flatMap((run) => attemptsOf(run).map((action) => ({ execution, run, action }))),
  );
  const isOld = verb === 'old-fact';
  const open = attempts.filter(({ action }) => isOld || action.status === 'InProgress');
  const chosen = open[a % Math.max(1, open.length)];
  if (verb === 'rule') return ruleFact(state, a, b);
  if (verb === 'lock') return lockFact(state, a, b);
  if (!chosen) return undefined;
  const { execution, run, action } = chosen;
  const address = { execution: execution.id, action: action.id };
  const isApproval = action.token !== undefined;
  if (verb === 'deadline') return { kind: 'deadline-passed', ...address };
  const answer = { lane: state.lane, execution: execution.id, stage: run.stage, action: action.action } as const;
  if (isApproval && verb !== 'old-fact' && verb !== 'fail') {
    const kind = verb === 'reject' ? 'reject' : 'approve';
    return b % 5 === 0 ? { kind: 'action-waiting', ...address } : { kind, ...answer, token: action.id, summary: '' };
  }
  if (verb === 'progress' && b % 4 === 0) return { kind: 'action-running', ...address, externalExecutionId: `x${b}` };
  if (verb === 'fail' || b % 6 === 0) {
    return { kind: 'action-failed', ...address, error: { code: 'JobFailed', message: 'exit 1' } };
  }
  return { kind: 'action-succeeded', ...address };
}

function ruleFact(state: PipelineState, a: number, b: number): Input | undefined {
  const rules = Object.values(state.executions).flatMap((execution) =>
    execution.stages.flatMap((run) =>
      Object.values(run.conditions ?? {}).flatMap((condition) => condition.rules.map((rule) => ({ execution, rule }))),
    ),
  );
  const open = rules.filter(({ rule }) => b === 0 || rule.status === 'InProgress');
  const chosen = open[a % Math.max(1, open.length)];
  if (!chosen) return undefined;
  const address = { execution: chosen.execution.id, rule: chosen.rule.id };
  if (b % 6 === 1) return { kind: 'rule-running', ...address, summary: `seen ${b}` };
  if (b % 6 === 2) return { kind: 'rule-deadline-passed', ...address };
  if (b % 3 !== 0) return { kind: 'rule-succeeded', ...address };
  return { kind: b % 2 === 0 ? 'rule-failed' : 'rule-errored', ...address, error: { code: 'x', message: 'no' } };
}

function lockFact(state: PipelineState, a: number, b: number): Input | undefined {
  const asking = Object.values(state.executions).filter(
    (execution) => execution.lock?.state === 'requested' || b === 0,
  );
  const execution = asking[a % Math.max(1, asking.length)];
  if (!execution) return undefined;
  const stage = execution.lock?.stage ?? 'Deploy';
  if (b % 4 === 1) return { kind: 'lock-queued', execution: execution.id, stage, place: a };
  return { kind: 'lock-granted', execution: execution.id, stage };
}
