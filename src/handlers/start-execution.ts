import type { PipelineConfig } from '../config/repository-types.ts';
import { findExecutionByKey, liveExecutionsOfLane, type ExecutionRecord } from '../db/executions.ts';
import type { Deps } from '../deps.ts';
import type { ExecutionContext } from '../engine/engine.ts';
import type { RepositoryRef } from '../github/github.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Actor, ExecutionId, LaneKey, SourceRevision, TriggerType } from '../pipeline/execution.ts';
import type { PipelineCommand } from '../pipeline/protocol.ts';
import { recordStart } from './record-start.ts';

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
    engine: pipeline.engine,
  });
  const decision = {
    repositoryId: repository.id,
    pipeline: pipeline.name,
    headSha: context.headSha,
    ...(context.pullRequest === undefined ? {} : { pullRequest: context.pullRequest }),
    ...(subject.delivery === undefined ? {} : { delivery: subject.delivery }),
    outcome: 'started' as const,
    reason: subject.reason,
    execution,
  };
  const { configSha, configDigest, fork } = context;
  await recordStart(deps, decision, subject.by, { cause: context.cause, configSha, configDigest, fork });
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

type Because = Extract<PipelineCommand, { kind: 'withdraw' }>['because'];

/**
 * Ends what of the lane does not go with the reason: a newer commit ends executions of older ones, another base those
 * of the base before, closing all of them (docs/architecture.md, lanes). Their gates take no answer any more.
 */
export async function endLane(
  deps: Pick<Deps, 'db' | 'engine'>,
  lane: LaneKey,
  because: Because,
  by: Actor,
): Promise<readonly ExecutionRecord[]> {
  const ended = (await liveExecutionsOfLane(deps.db, lane)).filter((record) => concerns(because, record));
  for (const record of ended) {
    await deps.engine.obey({ kind: 'withdraw', lane, execution: record.execution.id, because }, by);
  }
  return ended;
}

function concerns(because: Because, { context }: ExecutionRecord): boolean {
  switch (because.kind) {
    case 'newer-commit':
      return context.headSha !== because.sha;
    case 'base-changed':
      return context.baseRef !== undefined && context.baseRef !== because.base;
    case 'configuration-changed':
      return context.configDigest !== because.digest;
    case 'closed':
      return true;
    default:
      return because satisfies never;
  }
}

/**
 * One start per intent; but what was stopped with its pull request or its base starts again when that comes back, and so
 * does what gave way to another commit, when a force-push makes its own the head again (SEC-A-07).
 */
export async function startKeyAfter(deps: Pick<Deps, 'db'>, base: string): Promise<string> {
  let key = base;
  for (;;) {
    const known = await findExecutionByKey(deps.db, key);
    if (!known || !gaveWay(known)) return key;
    key = `${base}/after/${known.execution.id}`;
  }
}

/** Not so what a newer execution of the same commit overtook. */
function gaveWay({ execution: { ending } }: ExecutionRecord): boolean {
  return ending?.as === 'Stopped' || (ending?.as === 'Superseded' && ending.by.sha !== undefined);
}
