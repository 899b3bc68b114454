import type { PipelineConfig } from '../config/repository-types.ts';
import { recordDecision } from '../db/start-decisions.ts';
import { liveExecutionsOfLane, type ExecutionRecord } from '../db/executions.ts';
import type { Deps } from '../deps.ts';
import type { ExecutionContext } from '../engine/engine.ts';
import type { RepositoryRef } from '../github/github.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Actor, ExecutionId, LaneKey, SourceRevision, TriggerType } from '../pipeline/execution.ts';

/** Everything about one start that does not depend on how it was asked for. */
export interface StartSubject {
  readonly repository: RepositoryRef;
  readonly pipeline: PipelineConfig;
  readonly definition: PipelineDefinition;
  readonly lane: LaneKey;
  readonly idempotencyKey: string;
  readonly context: ExecutionContext;
  readonly by: Actor;
  readonly trigger?: { readonly type: TriggerType; readonly detail: string };
  readonly variables?: readonly { readonly name: string; readonly value: string }[];
  readonly delivery?: string;
  readonly reason: string;
}

/** Starts one execution (once per key) and remembers why. */
export async function startExecution(deps: Pick<Deps, 'db' | 'engine'>, subject: StartSubject): Promise<ExecutionId> {
  const { repository, pipeline, context } = subject;
  const execution = await deps.engine.start({
    idempotencyKey: subject.idempotencyKey,
    repositoryId: repository.id,
    pipeline: pipeline.name,
    lane: subject.lane,
    definition: subject.definition,
    trigger: subject.trigger ?? { type: 'WebhookV2', detail: triggerDetail(subject) },
    sourceRevisions: sourceRevisions(subject),
    variables: subject.variables ?? [],
    by: subject.by,
    context,
    exclusive: pipeline.exclusive,
  });
  await recordDecision(deps.db, {
    repositoryId: repository.id,
    pipeline: pipeline.name,
    headSha: context.headSha,
    ...(context.pullRequest === undefined ? {} : { pullRequest: context.pullRequest }),
    ...(subject.delivery === undefined ? {} : { delivery: subject.delivery }),
    outcome: 'started',
    reason: subject.reason,
    execution,
  });
  return execution;
}

/** Every source action that reads this repository takes the head commit; others take their newest revision. */
function sourceRevisions(subject: StartSubject): readonly SourceRevision[] {
  const full = `${subject.repository.owner}/${subject.repository.name}`.toLowerCase();
  const { headSha, title } = subject.context;
  return (subject.definition.stages[0]?.actions ?? [])
    .filter((action) => {
      const named = action.configuration['FullRepositoryId'];
      return named === undefined || named.toLowerCase() === full;
    })
    .map((action) => ({
      actionName: action.name,
      revisionId: headSha,
      revisionType: 'COMMIT_ID' as const,
      ...(title === undefined ? {} : { revisionSummary: title }),
    }));
}

function triggerDetail(subject: StartSubject): string {
  const { repository, context } = subject;
  return JSON.stringify({
    fullRepositoryName: `${repository.owner}/${repository.name}`,
    eventType: context.cause,
    ...(context.pullRequest === undefined ? {} : { pullRequest: context.pullRequest }),
  });
}

/** A newer commit ends the lane's older executions; closing ends all of them (docs/architecture.md, lanes). */
export async function endLane(
  deps: Pick<Deps, 'db' | 'engine'>,
  lane: LaneKey,
  because:
    { readonly kind: 'newer-commit'; readonly sha: string } | { readonly kind: 'closed'; readonly merged: boolean },
  by: Actor,
): Promise<readonly ExecutionRecord[]> {
  const older = (await liveExecutionsOfLane(deps.db, lane)).filter(
    (record) => because.kind === 'closed' || record.context.headSha !== because.sha,
  );
  for (const record of older) {
    await deps.engine.obey({ kind: 'withdraw', lane, execution: record.execution.id, because }, by);
  }
  return older;
}
