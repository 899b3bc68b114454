import type { PipelineDefinition } from '../../pipeline/definition.ts';
import type { ActionRun, Actor, Execution, StageRun } from '../../pipeline/execution.ts';
import type { PipelineCommand } from '../../pipeline/protocol.ts';
import { attemptsOf, executionStatus } from '../../pipeline/status.ts';

/** What CodePipeline does twice when it is asked twice: only a start brings a token along (CP-O-3). */
export type OnceCommand = Extract<
  PipelineCommand,
  { readonly kind: 'approve' | 'reject' | 'retry' | 'stop' | 'rollback' | 'override' }
>;

/** Written down before the call, taken away by its answer: what stays open may have had its effect. */
export interface Intent {
  readonly command: OnceCommand;
  readonly by: Actor;
  readonly at: string;
  /** Attempts of the execution that were on record then. */
  readonly known: readonly string[];
  /** Of an answer: the attempt that waited for it, which keeps its token only as long as it waits. */
  readonly answers?: string;
}

/** Nobody waits for an older one any more, and asking the same again means it anew. */
const forgottenMs = 60 * 60_000;
/** Clocks differ a little. */
const slackMs = 60_000;

export function intentOf(execution: Execution, command: OnceCommand, by: Actor, at: string): Intent {
  const runs = runsOf(execution);
  const answers = 'token' in command ? runs.find(({ token }) => token === command.token)?.id : undefined;
  return { command, by, at, known: runs.map(({ id }) => id), ...(answers === undefined ? {} : { answers }) };
}

/** An earlier call for the same, by the same, that has not been answered. */
export function openIntent(intents: readonly Intent[] | undefined, wanted: Intent): Intent | undefined {
  return intents?.find((one) => isSame(one, wanted) && Date.parse(wanted.at) - Date.parse(one.at) < forgottenMs);
}

/** Without those for the same. */
export function otherIntents(intents: readonly Intent[] | undefined, wanted: Intent): readonly Intent[] {
  return intents?.filter((one) => !isSame(one, wanted)) ?? [];
}

function isSame(a: Intent, b: Intent): boolean {
  return keyOf(a) === keyOf(b);
}

/** Words to it may differ from call to call, as when another vote has come in. */
function keyOf({ command, by }: Intent): string {
  const who = nameOf(by);
  switch (command.kind) {
    case 'approve':
    case 'reject':
      return JSON.stringify([command.kind, who, command.token]);
    case 'retry':
      return JSON.stringify([command.kind, who, command.stage, command.mode]);
    case 'stop':
      return JSON.stringify([command.kind, who, command.abandon]);
    case 'rollback':
      return JSON.stringify([command.kind, who, command.execution]);
    case 'override':
      return JSON.stringify([command.kind, who, command.stage, command.condition]);
    default:
      return command satisfies never;
  }
}

function nameOf(actor: Actor): string | number {
  return actor.kind === 'person' ? actor.id : actor.kind === 'api' ? actor.arn : actor.why;
}

function isSamePerson(one: Actor | undefined, other: Actor): boolean {
  return one?.kind === other.kind && nameOf(one) === nameOf(other);
}

/** Whether the execution, as AWS tells it now, shows what was asked for. A rollback is an execution of its own. */
export function tookEffect(intent: Intent, execution: Execution, definition: PipelineDefinition): boolean {
  const { command } = intent;
  switch (command.kind) {
    case 'approve':
    case 'reject':
      return runsOf(execution).some((run) => isAnswerOf(intent, run) && isSamePerson(run.answeredBy, intent.by));
    case 'retry':
      return stagesNamed(execution, command.stage).some((run) =>
        attemptsOf(run).some((attempt) => isNewSince(intent, attempt)),
      );
    case 'stop': {
      const status = executionStatus(execution, definition);
      const isAbandoned = runsOf(execution).some((run) => run.status === 'Abandoned' && isAfter(intent, run.endedAt));
      return status === 'Stopped' || isAbandoned || (status === 'Stopping' && !command.abandon);
    }
    case 'override':
      return isOverridden(intent, command, execution, definition);
    case 'rollback':
      return false;
    default:
      return command satisfies never;
  }
}

/** Nobody overrides twice: what is known to be another person's was not ours (SEC-T-09); AWS itself names nobody. */
function isOverridden(
  intent: Intent,
  { stage, condition }: Extract<OnceCommand, { kind: 'override' }>,
  execution: Execution,
  definition: PipelineDefinition,
): boolean {
  const index = execution.stages.findIndex((run) => run.stage === stage);
  const run = execution.stages[index];
  if (!run) return false;
  const overridden = run.conditions?.[conditionKind(condition)]?.overridden;
  if (overridden) return overridden.by.kind === 'penstock' || isSamePerson(overridden.by, intent.by);
  // In PARALLEL mode no read names the condition: what it held back tells (CP 2.2).
  if (condition === 'BEFORE_ENTRY') return run.actions.some((action) => isNewSince(intent, action));
  const isBegun = execution.stages.slice(index + 1).some((later) => isAfter(intent, later.startedAt));
  return isBegun || executionStatus(execution, definition) === 'Succeeded';
}

function isNewSince(intent: Intent, { id, startedAt }: ActionRun): boolean {
  return !intent.known.includes(id) && isAfter(intent, startedAt);
}

function isAfter({ at }: Intent, time: string | undefined): boolean {
  return Date.parse(time ?? '') > Date.parse(at) - slackMs;
}

/** The attempt was answered by our role, in the words of that intent: then it was that person (CP-A-10). */
function isAnswerOf({ command, answers }: Intent, { id, status, summary = '' }: ActionRun): boolean {
  if (command.kind !== 'approve' && command.kind !== 'reject') return false;
  return (
    id === answers && status === (command.kind === 'approve' ? 'Succeeded' : 'Failed') && summary === command.summary
  );
}

/** What AWS did for our role, with the person who asked: their call went unanswered, and is recognized by what it did. */
export function attributed(
  intents: readonly Intent[] | undefined,
  stages: readonly StageRun[],
  isOurs: (arn: string) => boolean,
): readonly StageRun[] {
  if (!intents?.length) return stages;
  const answerer = (run: ActionRun): ActionRun => {
    if (run.answeredBy?.kind !== 'api' || !isOurs(run.answeredBy.arn)) return run;
    const intent = intents.find((one) => isAnswerOf(one, run));
    return intent ? { ...run, answeredBy: intent.by } : run;
  };
  return stages.map((stage) => ({ ...overrider(intents, stage), actions: stage.actions.map(answerer) }));
}

/** AWS does not say who overrode a condition. */
function overrider(intents: readonly Intent[], stage: StageRun): StageRun {
  const conditions = Object.entries(stage.conditions ?? {}).map(([kind, run]) => {
    const intent = intents.find(
      ({ command }) =>
        command.kind === 'override' && command.stage === stage.stage && conditionKind(command.condition) === kind,
    );
    if (!intent || run.overridden?.by.kind !== 'penstock') return [kind, run] as const;
    return [kind, { ...run, overridden: { ...run.overridden, by: intent.by } }] as const;
  });
  return conditions.length > 0 ? { ...stage, conditions: Object.fromEntries(conditions) } : stage;
}

export function conditionKind(condition: 'BEFORE_ENTRY' | 'ON_SUCCESS'): 'beforeEntry' | 'onSuccess' {
  return condition === 'BEFORE_ENTRY' ? 'beforeEntry' : 'onSuccess';
}

/** Who asked for the stop that AWS shows. */
export function stopIntent(intents: readonly Intent[] | undefined): Execution['stop'] | undefined {
  for (const { command, by, at } of intents ?? []) {
    if (command.kind !== 'stop') continue;
    const { abandon, reason } = command;
    return { abandon, at, by, ...(reason === undefined ? {} : { reason }) };
  }
  return undefined;
}

function stagesNamed({ stages }: Execution, name: string): readonly StageRun[] {
  return stages.filter(({ stage }) => stage === name);
}

function runsOf({ stages }: Execution): readonly ActionRun[] {
  return stages.flatMap((run) => attemptsOf(run));
}
