import type { RepositoryConfig, PipelineConfig } from '../config/repository-types.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Problem } from '../pipeline/problem.ts';
import { decideTrigger, filtersOf, needsFiles, type TriggerEvent } from '../pipeline/triggers.ts';

/** Which pipelines one event starts, and why the others do not. Pure: everything it looks at is given. */
export type StartPlan =
  | {
      readonly kind: 'start';
      readonly pipeline: PipelineConfig;
      readonly definition: PipelineDefinition;
      readonly reason: string;
    }
  | { readonly kind: 'filtered'; readonly pipeline: PipelineConfig; readonly reason: string }
  | { readonly kind: 'broken'; readonly pipeline: PipelineConfig; readonly problems: readonly Problem[] };

export interface ReadConfiguration {
  readonly config: RepositoryConfig;
  readonly definitions: Readonly<Record<string, PipelineDefinition>>;
  readonly brokenPipelines: Readonly<Record<string, readonly Problem[]>>;
}

/** True when some pipeline's filters look at changed files, so that they must be asked for. */
export function plansNeedFiles(read: ReadConfiguration): boolean {
  return read.config.pipelines.some((pipeline) => {
    const definition = read.definitions[pipeline.name];
    return definition !== undefined && needsFiles(filtersOf(definition, pipeline.on));
  });
}

export function planStarts(read: ReadConfiguration, event: TriggerEvent): readonly StartPlan[] {
  return read.config.pipelines.map((pipeline) => planOne(read, pipeline, event));
}

function planOne(read: ReadConfiguration, pipeline: PipelineConfig, event: TriggerEvent): StartPlan {
  const problems = read.brokenPipelines[pipeline.name];
  if (problems) return { kind: 'broken', pipeline, problems };
  const definition = read.definitions[pipeline.name];
  if (!definition) {
    return {
      kind: 'filtered',
      pipeline,
      reason: 'it is driven by AWS, and no AWS engine is configured on this server',
    };
  }
  const decision = decideTrigger(filtersOf(definition, pipeline.on), event);
  return decision.starts
    ? { kind: 'start', pipeline, definition, reason: decision.reason }
    : { kind: 'filtered', pipeline, reason: decision.reason };
}
