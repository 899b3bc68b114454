import type { PipelineDefinition } from './definition.ts';
import { putExecution, refuse, type Draft, type Verdict } from './draft.ts';
import type { Execution } from './execution.ts';
import { fullText, isFull } from './limits.ts';
import type { StartInput } from './protocol.ts';
import { arrive } from './stage-occupancy.ts';

type Variables = StartInput['variables'];

/** Records a new execution and lets it arrive at the first stage (CP 2.1). */
export function startExecution(draft: Draft, input: StartInput): Verdict {
  if (draft.executions[input.execution]) return { ignored: `Execution ${input.execution} was started already.` };
  const twice = repeated(input.variables.map((variable) => variable.name));
  if (twice !== undefined) {
    return refuse('ValidationException', 'CP-X-6', `The variable ${twice} is given more than once.`);
  }
  if (input.notRunnable !== undefined && draft.given.by.kind === 'api') {
    return refuse('InvalidActionDeclarationException', 'CP-P-6', input.notRunnable);
  }
  draft.definitions[input.digest] = input.definition;
  const { values, missing } = resolveAtStart(input.definition, input.variables);
  const execution = newExecution(draft, input, values);
  if (input.notRunnable !== undefined) return fail(draft, execution, input.notRunnable);
  if (missing.length > 0) {
    // CP-X-7: no refusal, an execution that failed before any action.
    return fail(draft, execution, `Values for required variables haven't been provided: ${missing.join(',')}`);
  }
  if (isFull(draft, execution.mode)) return overLimit(draft, execution);
  record(draft, execution);
  const first = input.definition.stages[0];
  if (first) arrive(draft, execution.id, first.name);
  return 'moved';
}

function newExecution(draft: Draft, input: StartInput, variables: Variables): Execution {
  return {
    id: input.execution,
    lane: draft.before.lane,
    pipeline: draft.before.pipeline,
    order: draft.started + 1,
    definition: input.digest,
    mode: input.definition.executionMode,
    type: 'STANDARD',
    trigger: input.trigger,
    sourceRevisions: input.sourceRevisions,
    variables,
    startedAt: draft.at,
    startedBy: draft.given.by,
    updatedAt: draft.at,
    stages: [],
    ...(input.exclusive && { exclusive: input.exclusive }),
  };
}

/** Unknown names are left out without a word (CP-X-6); values are literal. */
function resolveAtStart(definition: PipelineDefinition, given: Variables): { values: Variables; missing: string[] } {
  const byName = new Map(given.map(({ name, value }) => [name, value]));
  const values: { name: string; value: string }[] = [];
  const missing: string[] = [];
  for (const { name, defaultValue } of definition.variables) {
    const value = byName.get(name) ?? defaultValue;
    if (value === undefined) missing.push(name);
    else values.push({ name, value });
  }
  return { values, missing };
}

/** CP-X-10: a caller is refused; what a trigger began is recorded as failed. */
function overLimit(draft: Draft, execution: Execution): Verdict {
  if (execution.trigger.type === 'StartPipelineExecution') {
    return refuse('ConcurrentPipelineExecutionsLimitExceededException', 'CP-X-10', fullText);
  }
  return fail(draft, execution, fullText);
}

function fail(draft: Draft, execution: Execution, summary: string): Verdict {
  record(draft, { ...execution, ending: { as: 'Failed', at: draft.at, summary } });
  return 'moved';
}

export function record(draft: Draft, execution: Execution): void {
  draft.started = execution.order;
  putExecution(draft, execution);
}

function repeated(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index);
}
