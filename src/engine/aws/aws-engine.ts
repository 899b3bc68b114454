import type { Watched } from '../../db/aws-executions.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import type { ExecutionId } from '../../pipeline/execution.ts';
import type { Engine, StartRequest } from '../engine.ts';
import type { FoundExecution } from './find-executions.ts';
import { boundTo, type Ground } from './ground.ts';
import { logTail, type AwsLog } from './log-tail.ts';
import { declarationOf } from './look.ts';
import { obey } from './obey.ts';
import { observe, type Observation } from './observe.ts';
import { refresh } from './refresh.ts';
import { adoptRollback } from './rollback.ts';
import { adopt, start } from './start.ts';

/** Drives bound pipelines of AWS CodePipeline: see src/engine/engine.ts for the contract. */
export interface AwsEngine extends Engine {
  /** The declaration that CodePipeline holds now; what was read a moment ago is used again. */
  definitionOf(repositoryId: number, pipeline: string): Promise<PipelineDefinition>;
  /** Makes everything that runs of the bound pipeline true again, and finds what is not on record. */
  observe(watched: Watched): Promise<Observation>;
  /** Puts an execution that AWS started on record. Undefined: it is there already, or may turn out to be one of ours. */
  adopt(request: StartRequest, awsId: string): Promise<ExecutionId | undefined>;
  /** A rollback that was started in the console, next to the execution whose work it brings back. */
  adoptRollback(target: ExecutionId, found: FoundExecution): Promise<void>;
  /** The end of an action's log; undefined when there is none at AWS. */
  logTail(execution: string, action: string, lines: number): Promise<AwsLog | undefined>;
}

const definitionKeptMs = 30_000;

export function createAwsEngine(ground: Ground): AwsEngine {
  const definitions = new Map<string, { readonly at: number; readonly definition: PipelineDefinition }>();
  const definitionOf = async (repositoryId: number, pipeline: string): Promise<PipelineDefinition> => {
    const key = `${repositoryId}/${pipeline}`;
    const now = ground.now().getTime();
    const kept = definitions.get(key);
    if (kept && now - kept.at < definitionKeptMs) return kept.definition;
    const definition = await declarationOf(ground, await boundTo(ground, repositoryId, pipeline));
    definitions.set(key, { at: now, definition });
    return definition;
  };
  return {
    start: (request) => start(ground, request),
    obey: (command, by, along) => obey(ground, command, by, along?.recheck),
    refresh: (execution) => refresh(ground, execution),
    definitionOf,
    observe: (watched) => observe(ground, watched),
    adopt: (request, awsId) => adopt(ground, request, awsId),
    adoptRollback: (target, found) => adoptRollback(ground, target, found),
    logTail: (execution, action, lines) => logTail(ground, execution, action, lines),
  };
}
