import type { PipelineExecution } from '@aws-sdk/client-codepipeline';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { UserError } from '../../errors.ts';
import { digestOf } from '../../pipeline/digest.ts';
import type { AwsExecution } from './aws-execution.ts';
import { boundTo, type Bound, type Ground } from './ground.ts';
import { allActions, allRules, declarationOf, pipelineExecution, pipelineState } from './look.ts';
import { observeExecution } from './observe-execution.ts';
import { over, type Observed } from './seen-stage.ts';
import { nextLookMs } from './pace.ts';
import { changeRecord, definitionOfRecord, enqueueLook, findAwsRecord, type AwsRecord } from './records.ts';
import { finishStart } from './start.ts';
import { tellStories } from './stories/stories.ts';

/** A new execution may be missing from reads for a while; one that stays away this long is gone with its pipeline. */
const goneAfterMs = 10 * 60_000;
/** A service that was too busy to say why an action failed is asked again for so long. */
const storiesMs = 10 * 60_000;

/** Looks at AWS, stores what is different, and asks for the next look as long as the execution lives. */
export async function refresh(ground: Ground, id: string): Promise<void> {
  const record = await findAwsRecord(ground.db, id);
  if (!record) return;
  const awsId = record.execution.aws.executionId;
  if (awsId === undefined) {
    if (record.live) await finishStart(ground, id);
    return;
  }
  try {
    await look(ground, record, awsId);
  } catch (error) {
    if (!(error instanceof UserError) || !record.live) throw error;
    // Somebody has to mend a permission or the binding: the check says so, and it is looked at again meanwhile.
    await changeRecord(ground.db, id, ({ execution }) =>
      execution.notice === error.message ? undefined : { execution: { ...execution, notice: error.message } },
    );
    await enqueueLook(ground.db, id, ground.pace.slowestWaiting);
  }
}

async function look(ground: Ground, record: AwsRecord, awsId: string): Promise<void> {
  const { id } = record.execution;
  const bound = await boundTo(ground, record.repositoryId, record.pipeline);
  ground.budget.admit(bound.target.account);
  const told = await pipelineExecution(ground, bound, awsId);
  const { after, missed } = told
    ? await take(ground, bound, record, told)
    : { after: await missing(ground, record), missed: false };
  if (!after) return;
  const isMissed = missed && quietMsOf(ground, after) < storiesMs;
  if (after.live || isMissed || isRevived(after, told)) await enqueueLook(ground.db, id, delayOf(ground, after));
}

/** AWS says that it runs, and the list of its actions still ends with the failure before the retry (CP-X-69). */
function isRevived({ status }: AwsRecord, told: PipelineExecution | undefined): boolean {
  return (status === 'Failed' || status === 'Stopped') && told?.status !== undefined && !over.has(told.status);
}

function quietMsOf(ground: Ground, { execution }: AwsRecord): number {
  return Math.max(0, ground.now().getTime() - Date.parse(execution.updatedAt));
}

function delayOf(ground: Ground, record: AwsRecord): number {
  return nextLookMs(ground.pace, quietMsOf(ground, record), record.waiting, ground.chance());
}

async function take(
  ground: Ground,
  bound: Bound,
  record: AwsRecord,
  told: PipelineExecution,
): Promise<{ after: AwsRecord | undefined; missed: boolean }> {
  const definition = await definitionFor(ground, bound, record, told);
  const { observed, missed } = await gather(ground, bound, { record, told, definition });
  const seenBy = { at: ground.now().toISOString(), roleArn: bound.target.roleArn };
  const outputs = Object.fromEntries(
    observed.actions.map(({ actionExecutionId = '', output }) => [actionExecutionId, output?.outputVariables ?? {}]),
  );
  const after = await changeRecord(ground.db, record.execution.id, ({ execution }) => {
    const digest = digestOf(definition);
    const prior = execution.definition === digest ? execution : { ...execution, definition: digest };
    const next = observeExecution(prior, definition, observed, seenBy);
    // The same as before, and only our copy of the declaration follows.
    return next === prior ? { execution: prior, definition } : { execution: next, definition, outputs };
  });
  return { after, missed };
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

async function gather(
  ground: Ground,
  bound: Bound,
  { record, told, definition }: Subject,
): Promise<{ observed: Observed; missed: boolean }> {
  const id = told.pipelineExecutionId ?? record.execution.aws.executionId ?? '';
  const actions = await allActions(ground, bound, id);
  const hasConditions = definition.stages.some(
    (stage) => stage.beforeEntry ?? stage.onSuccess ?? stage.onFailure?.conditions,
  );
  const rules = hasConditions ? await allRules(ground, bound, id) : [];
  // In PARALLEL mode the state knows nothing of executions (CP 2.2).
  const state = record.execution.mode === 'PARALLEL' ? undefined : await pipelineState(ground, bound);
  const { told: stories, missed } = await tellStories(ground, bound, actions, record.execution);
  return { observed: { execution: told, actions, rules, stories, ...(state ? { state } : {}) }, missed };
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
