import type {
  ActionExecutionDetail,
  GetPipelineStateOutput,
  PipelineExecution,
  PipelineExecutionSummary,
} from '@aws-sdk/client-codepipeline';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { digestOf } from '../../pipeline/digest.ts';
import type { SourceRevision } from '../../pipeline/execution.ts';
import { hasRunningRules, isLive } from '../../pipeline/status.ts';
import type { AwsExecution } from './aws-execution.ts';
import type { Bound, Ground } from './ground.ts';
import { allActions, allRules, declarationOf, pipelineExecution } from './look.ts';
import { observeExecution } from './observe-execution.ts';
import { lagMs, quietFor, type Look, type Observed } from './seen-stage.ts';
import { atRest } from './settle-stage.ts';
import { given } from './read-declaration.ts';
import { changeRecord, definitionOfRecord, type AwsRecord } from './records.ts';
import { tellStories } from './stories/stories.ts';

/** A new execution may be missing from reads for a while; one that stays away this long is gone with its pipeline. */
const goneAfterMs = 10 * 60_000;
/** What a look that far ahead would find by itself, without any news, is still to come. */
const farMs = 60 * 60_000;

/** What a list of executions says of one of them. */
export interface Told {
  readonly execution: PipelineExecution;
  readonly revisions: readonly SourceRevision[];
  /** See `AwsExecution.aws.seen`. */
  readonly seen?: string;
}

/** What was read already; the rest is asked for. */
export interface Known {
  readonly told: Told | undefined;
  readonly state: GetPipelineStateOutput | undefined;
  readonly actions: readonly ActionExecutionDetail[] | undefined;
}

/** Reads all there is of one execution and stores what is different. */
export async function take(
  ground: Ground,
  bound: Bound,
  record: AwsRecord,
  known: Known,
): Promise<AwsRecord | undefined> {
  const stored = await definitionOfRecord(ground.db, record);
  const told = await complete(ground, bound, { record, known, stored });
  if (!told) return missing(ground, record);
  const definition = await definitionFor(ground, bound, stored, told.execution);
  const { observed, missed } = await gather(ground, bound, { record, known, told, definition });
  const look = { at: ground.now().toISOString(), roleArn: bound.target.roleArn };
  const outputs = Object.fromEntries(
    observed.actions.map(({ actionExecutionId = '', output }) => [actionExecutionId, output?.outputVariables ?? {}]),
  );
  return changeRecord(ground.db, record.execution.id, ({ execution }) => {
    const digest = digestOf(definition);
    const prior = execution.definition === digest ? execution : { ...execution, definition: digest };
    const next = observeExecution(prior, definition, observed, look);
    const isDone = !missed && isSettled(next, definition, observed, look);
    const ended = isLive(next, definition) ? undefined : 'over';
    const changed = { execution: next, definition, observed: { seen: isDone ? (told.seen ?? ended) : undefined } };
    // The same as before, and only our copy of the declaration follows.
    return next === prior ? changed : { ...changed, outputs };
  });
}

export function toldOf(summary: PipelineExecutionSummary): Told {
  const { pipelineExecutionId, status, statusSummary, trigger, executionType, rollbackMetadata } = summary;
  const revisions = (summary.sourceRevisions ?? []).flatMap(
    ({ actionName, revisionId, revisionSummary, revisionUrl }): SourceRevision[] =>
      actionName === undefined || revisionId === undefined
        ? []
        : [{ actionName, revisionId, ...given({ revisionSummary, revisionUrl }) }],
  );
  return {
    execution: { pipelineExecutionId, status, statusSummary, trigger, executionType, rollbackMetadata },
    revisions,
  };
}

interface Asked {
  readonly record: AwsRecord;
  readonly known: Known;
  /** The declaration that we have of it. */
  readonly stored: PipelineDefinition;
}

/**
 * A list knows neither the version nor the variables. The version is ours when the pipeline has had no other one since
 * we read it; variables are resolved by AWS.
 */
async function complete(ground: Ground, bound: Bound, asked: Asked): Promise<Told | undefined> {
  const { record, known, stored } = asked;
  const { aws } = record.execution;
  const isCurrent = known.state !== undefined && known.state.pipelineVersion === stored.version;
  const needsVariables = stored.variables.length > 0;
  const pipelineVersion = aws.version ?? (isCurrent && !needsVariables ? stored.version : undefined);
  if (known.told && pipelineVersion !== undefined) {
    return { ...known.told, execution: { ...known.told.execution, pipelineVersion } };
  }
  const execution = await pipelineExecution(ground, bound, aws.executionId ?? '');
  return execution && { revisions: [], ...known.told, execution };
}

/** AWS may have run a newer version than the one that we planned with. */
async function definitionFor(
  ground: Ground,
  bound: Bound,
  stored: PipelineDefinition,
  { pipelineVersion: version }: PipelineExecution,
): Promise<PipelineDefinition> {
  return version === undefined || version === stored.version ? stored : declarationOf(ground, bound, version);
}

async function gather(
  ground: Ground,
  bound: Bound,
  about: {
    readonly record: AwsRecord;
    readonly known: Known;
    readonly told: Told;
    readonly definition: PipelineDefinition;
  },
): Promise<{ readonly observed: Observed; readonly missed: boolean }> {
  const { record, known, told, definition } = about;
  const id = record.execution.aws.executionId ?? '';
  const actions = known.actions ?? (await allActions(ground, bound, id));
  const rules = hasConditions(definition) ? await allRules(ground, bound, id) : [];
  const { told: stories, missed } = await tellStories(ground, bound, actions, record.execution);
  const { execution, revisions } = told;
  const state = record.execution.mode === 'PARALLEL' ? undefined : known.state;
  return { observed: { execution, revisions, actions, rules, stories, ...given({ state }) }, missed };
}

function hasConditions({ stages }: PipelineDefinition): boolean {
  return stages.some((stage) => stage.beforeEntry ?? stage.onSuccess ?? stage.onFailure?.conditions);
}

/**
 * Whether there is nothing left to see: the reads agree with each other, they are not from before something that we did
 * (CP-X-69), and time alone changes nothing. Only then may the next look go by what all executions share.
 */
function isSettled(next: AwsExecution, definition: PipelineDefinition, observed: Observed, look: Look): boolean {
  const { state, actions, execution } = observed;
  const stages = (state?.stageStates ?? []).filter(
    ({ latestExecution }) => latestExecution?.pipelineExecutionId === execution.pipelineExecutionId,
  );
  const states = stages.flatMap(({ actionStates = [] }) =>
    actionStates.flatMap(({ latestExecution }) => latestExecution ?? []),
  );
  const agree = states.every(({ actionExecutionId, status }) =>
    actions.some((action) => action.actionExecutionId === actionExecutionId && action.status === status),
  );
  const touched = next.aws.touchedAt;
  if (touched !== undefined && Date.parse(look.at) - Date.parse(touched) < lagMs) return false;
  const isOver = execution.status !== 'InProgress' && execution.status !== 'Stopping';
  if (!agree || (isOver && isLive(next, definition))) return false;
  if (isOver && stages.some(({ latestExecution }) => !atRest.has(latestExecution?.status ?? ''))) return false;
  // The list of rules is a read of its own, and nothing that is shared shows when it changes.
  if (hasConditions(definition) && (quietFor(observed, look) <= lagMs || next.stages.some(hasRunningRules)))
    return false;
  const later = { ...look, at: new Date(Date.parse(look.at) + farMs).toISOString() };
  return observeExecution(next, definition, observed, later) === next;
}

async function missing(ground: Ground, record: AwsRecord): Promise<AwsRecord | undefined> {
  const age = ground.now().getTime() - Date.parse(record.execution.aws.askedAt);
  if (age < goneAfterMs) return record;
  return changeRecord(ground.db, record.execution.id, ({ execution }) => ({
    execution: gone(execution, ground.now()),
  }));
}

function gone(execution: AwsExecution, now: Date): AwsExecution {
  if (execution.ending) return execution;
  const at = now.toISOString();
  const why = 'CodePipeline does not know this execution any more: its pipeline was deleted or made anew.';
  const stages = execution.stages.map((stage) => ({
    ...stage,
    ...(stage.endedAt === undefined ? { endedAt: at, cancelled: true } : {}),
    actions: stage.actions.map((run) =>
      run.status === 'InProgress'
        ? { ...run, status: 'Abandoned' as const, phase: 'ended' as const, endedAt: at }
        : run,
    ),
  }));
  return { ...execution, stages, ending: { as: 'Cancelled', at, why }, updatedAt: at };
}
