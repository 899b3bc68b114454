import { actionArn } from '../codepipeline-api/arns.ts';
import { ApiError } from '../codepipeline-api/api-error.ts';
import type { Door } from '../codepipeline-api/door.ts';
import { checkNames } from '../codepipeline-api/execution-commands.ts';
import { sourceOverrides } from '../codepipeline-api/source-overrides.ts';
import { startRequestOf } from '../codepipeline-api/start-pipeline.ts';
import { findApiPipeline } from '../db/api-pipelines.ts';
import { findExecution, findExecutionByKey, type ExecutionRecord } from '../db/executions.ts';
import { UserError } from '../errors.ts';
import type { ExecutionId } from '../pipeline/execution.ts';
import type { CallPipeline, PipelineCall, PipelineCallAnswer } from '../providers/code-pipeline.ts';

/** What starting takes of a door; a server without the API has no more of one. */
export type StartingDoor = Pick<Door, 'db' | 'engine' | 'now' | 'account' | 'region' | 'repositories'>;

/** Pipelines may call each other in a ring, and each call costs a run. */
const mostCalls = 10;

/**
 * Starts pipelines for pipelines: those that a key of their repository made through the API, else those that the
 * repository declares, in the pull request's lane when the caller runs in one. Nothing of another repository is found.
 */
export function callPipelines(door: () => StartingDoor): CallPipeline {
  return async (call) => {
    const caller = await findExecution(door().db, call.execution);
    if (!caller) return refused(`The execution ${call.execution} is gone.`);
    const known = await findExecutionByKey(door().db, keyOf(caller, call));
    if (known) return { kind: 'started', execution: known.execution.id };
    if (depthOf(caller) >= mostCalls) {
      return refused(`${mostCalls} pipelines called one another in a row; '${call.pipeline}' was not started.`);
    }
    try {
      return { kind: 'started', execution: await startOne(door(), caller, call) };
    } catch (error) {
      if (error instanceof UserError || error instanceof ApiError) return refused(error.message);
      throw error;
    }
  };
}

async function startOne(door: StartingDoor, caller: ExecutionRecord, call: PipelineCall): Promise<ExecutionId> {
  const { pipeline, repositoryId, variables, from } = call;
  checkNames(variables.map(({ name }) => name));
  const by = { kind: 'api', arn: actionArn(door, from) } as const;
  const idempotencyKey = keyOf(caller, call);
  const made = await findApiPipeline(door.db, repositoryId, pipeline);
  if (made) {
    const trigger = { type: 'StartPipelineExecution', detail: by.arn } as const;
    const sourceRevisions = sourceOverrides(made.definition, call.sourceRevisions);
    return door.engine.start(startRequestOf(made, idempotencyKey, { trigger, sourceRevisions, variables }, by));
  }
  if (!(await door.repositories?.serves(repositoryId))) throw new UserError(notThere(pipeline));
  const shas = [...new Set(call.sourceRevisions.map(({ revisionValue }) => revisionValue))];
  const [sha] = shas;
  if (shas.length > 1 || (sha !== undefined && !/^[0-9a-f]{40}$/.test(sha))) {
    throw new UserError('A pipeline of a repository takes one commit: give its 40 digits in SourceRevisions.');
  }
  const pullRequest = caller.execution.lane.endsWith(`/pr-${caller.pullRequest}`) ? caller.pullRequest : null;
  const start = { idempotencyKey, repositoryId, pipeline, pullRequest, variables, by };
  const id = await door.repositories?.start({ ...start, ...(sha === undefined ? {} : { sha }) });
  if (id === undefined) throw new UserError(notThere(pipeline));
  return id;
}

function notThere(pipeline: string): string {
  return `There is no pipeline '${pipeline}' here that this one may start. Only pipelines of the same repository, or made with a key of the same scope, can be started.`;
}

/** How many calls led to this execution stands in its key. */
function depthOf({ idempotencyKey }: ExecutionRecord): number {
  return Number(/^pipeline-call\/(\d+)\//.exec(idempotencyKey)?.[1] ?? 0);
}

function keyOf(caller: ExecutionRecord, { actionExecution }: PipelineCall): string {
  return `pipeline-call/${depthOf(caller) + 1}/${actionExecution}`;
}

function refused(message: string): PipelineCallAnswer {
  return { kind: 'refused', message };
}
