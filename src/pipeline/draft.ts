import type { PipelineDefinition, StageDeclaration } from './definition.ts';
import type { Execution, ExecutionId, StageRun } from './execution.ts';
import type { Effect } from './effect.ts';
import type { Given, PipelineState, Refusal, StageBook, Transition } from './protocol.ts';
import { declaredStage } from './status.ts';

/**
 * A state that one transition is working on. Only this file writes to it, by replacing whole executions and books, so
 * what a transition does not touch stays the same object: the shell saves what is not.
 */
export interface Draft {
  readonly given: Given;
  readonly at: string;
  readonly before: PipelineState;
  readonly executions: Record<string, Execution>;
  readonly stages: Record<string, StageBook>;
  readonly definitions: Record<string, PipelineDefinition>;
  readonly effects: Effect[];
  /** Executions whose stage has to be looked at before the transition is over (`stage-flow.ts`). */
  readonly due: Set<ExecutionId>;
  started: number;
  current: string | undefined;
}

/** What a handler says: it moved the draft, or why it did not. */
export type Verdict = 'moved' | { readonly ignored: string } | { readonly refused: Refusal };

export function openDraft(state: PipelineState, given: Given): Draft {
  return {
    given,
    at: given.at.toISOString(),
    before: state,
    executions: { ...state.executions },
    stages: { ...state.stages },
    definitions: { ...state.definitions },
    effects: [],
    due: new Set(),
    started: state.started,
    current: state.current,
  };
}

export function closeDraft(draft: Draft): Transition {
  const { lane, pipeline } = draft.before;
  const { started, executions, stages, definitions, current, effects } = draft;
  const state = { lane, pipeline, started, definitions, executions, stages };
  return { outcome: 'moved', state: current === undefined ? state : { ...state, current }, effects };
}

export function refuse(exception: string, rule: string, message: string): Verdict {
  return { refused: { exception, rule, message } };
}

/** Throws when the shell handed over an execution without its definition: a defect, not a refusal. */
export function definitionOf(draft: Draft, execution: Execution): PipelineDefinition {
  const definition = draft.definitions[execution.definition];
  if (!definition) throw new Error(`The definition ${execution.definition} of execution ${execution.id} is missing.`);
  return definition;
}

export function stageOf(draft: Draft, execution: Execution, name: string): StageDeclaration | undefined {
  return declaredStage(definitionOf(draft, execution), name);
}

export function executionOf(draft: Draft, id: ExecutionId): Execution {
  const execution = draft.executions[id];
  if (!execution) throw new Error(`Execution ${id} is not in the state of lane ${draft.before.lane}.`);
  return execution;
}

export function putExecution(draft: Draft, execution: Execution): Execution {
  const saved = { ...execution, updatedAt: draft.at };
  draft.executions[execution.id] = saved;
  return saved;
}

/** Takes keys away; with exact optional types `undefined` is no way to say "not there". */
export function without<T extends object, K extends keyof T>(value: T, ...keys: K[]): Omit<T, K> {
  const copy: T = { ...value };
  for (const key of keys) delete copy[key];
  return copy;
}

export function putRun(draft: Draft, id: ExecutionId, run: StageRun): StageRun {
  const execution = executionOf(draft, id);
  const known = execution.stages.some((other) => other.stage === run.stage);
  const stages = known
    ? execution.stages.map((other) => (other.stage === run.stage ? run : other))
    : [...execution.stages, run];
  putExecution(draft, { ...execution, stages });
  return run;
}

export function runOf(draft: Draft, id: ExecutionId, stage: string): StageRun | undefined {
  return draft.executions[id]?.stages.find((run) => run.stage === stage);
}

/** The stage that the execution is in: entered and not settled. Only the last one can be. */
export function openRun(execution: Execution): StageRun | undefined {
  const last = execution.stages.at(-1);
  return last?.endedAt === undefined ? last : undefined;
}

const nothingYet: StageBook = { inbound: [] };

export function bookOf(draft: Draft, stage: string): StageBook {
  return (Object.hasOwn(draft.stages, stage) ? draft.stages[stage] : undefined) ?? nothingYet;
}

export function patchBook(draft: Draft, stage: string, patch: Partial<StageBook>): void {
  draft.stages[stage] = { ...bookOf(draft, stage), ...patch };
}
