import type { PipelineExecution } from '@aws-sdk/client-codepipeline';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { digestOf } from '../../pipeline/digest.ts';
import type { AwsExecution } from './aws-execution.ts';
import { buildStories } from './builds.ts';
import { boundTo, type Bound, type Ground } from './ground.ts';
import { allActions, allRules, declarationOf, pipelineExecution, pipelineState } from './look.ts';
import { observeExecution } from './observe-execution.ts';
import type { Observed } from './observe-stages.ts';
import { nextLookMs } from './pace.ts';
import { changeRecord, definitionOfRecord, enqueueLook, findAwsRecord, type AwsRecord } from './records.ts';
import { finishStart } from './start.ts';

/** A new execution may be missing from reads for a while; one that stays away this long is gone with its pipeline. */
const goneAfterMs = 10 * 60_000;

/** Looks at AWS, stores what is different, and asks for the next look as long as the execution lives. */
export async function refresh(ground: Ground, id: string): Promise<void> {
  const record = await findAwsRecord(ground.db, id);
  if (!record) return;
  const awsId = record.execution.aws.executionId;
  if (awsId === undefined) {
    if (record.live) await finishStart(ground, id);
    return;
  }
  const bound = await boundTo(ground, record.repositoryId, record.pipeline);
  ground.budget.admit(bound.target.account);
  const told = await pipelineExecution(ground, bound, awsId);
  const after = told ? await take(ground, bound, record, told) : await missing(ground, record);
  if (after?.live) await enqueueLook(ground.db, id, delayOf(ground, after));
}

function delayOf(ground: Ground, { execution, waiting }: AwsRecord): number {
  const quietMs = Math.max(0, ground.now().getTime() - Date.parse(execution.updatedAt));
  return nextLookMs(ground.pace, quietMs, waiting, ground.chance());
}

async function take(
  ground: Ground,
  bound: Bound,
  record: AwsRecord,
  told: PipelineExecution,
): Promise<AwsRecord | undefined> {
  const definition = await definitionFor(ground, bound, record, told);
  const observed = await gather(ground, bound, { record, told, definition });
  const look = { at: ground.now().toISOString(), roleArn: bound.target.roleArn };
  const outputs = Object.fromEntries(
    observed.actions.map(({ actionExecutionId = '', output }) => [actionExecutionId, output?.outputVariables ?? {}]),
  );
  return changeRecord(ground.db, record.execution.id, ({ execution }) => {
    const digest = digestOf(definition);
    const prior = execution.definition === digest ? execution : { ...execution, definition: digest };
    const next = observeExecution(prior, definition, observed, look);
    // The same as before, and only our copy of the declaration follows.
    return next === prior ? { execution: prior, definition } : { execution: next, definition, outputs };
  });
}

/** AWS may have run a newer version than the one that we planned with. */
async function definitionFor(
  ground: Ground,
  bound: Bound,
  record: AwsRecord,
  told: PipelineExecution,
): Promise<PipelineDefinition> {
  const stored = await definitionOfRecord(ground.db, record);
  const version = told.pipelineVersion;
  return version === undefined || version === stored.version ? stored : declarationOf(ground, bound, version);
}

interface Subject {
  readonly record: AwsRecord;
  readonly told: PipelineExecution;
  readonly definition: PipelineDefinition;
}

async function gather(ground: Ground, bound: Bound, { record, told, definition }: Subject): Promise<Observed> {
  const id = told.pipelineExecutionId ?? record.execution.aws.executionId ?? '';
  const actions = await allActions(ground, bound, id);
  const hasConditions = definition.stages.some(
    (stage) => stage.beforeEntry ?? stage.onSuccess ?? stage.onFailure?.conditions,
  );
  const rules = hasConditions ? await allRules(ground, bound, id) : [];
  // In PARALLEL mode the state knows nothing of executions (CP 2.2).
  const state = record.execution.mode === 'PARALLEL' ? undefined : await pipelineState(ground, bound);
  const builds = await buildStories(ground, bound, actions, record.execution);
  return { execution: told, actions, rules, builds, ...(state ? { state } : {}) };
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
