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
  /** AWS starts it by itself, and it is shown as soon as its commit is known there. */
  | { readonly kind: 'awaited'; readonly pipeline: PipelineConfig; readonly reason: string }
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
  if (!definition) return { kind: 'filtered', pipeline, reason: 'its definition could not be read' };
  const awaited = awaitedFromAws(pipeline, definition, event);
  if (awaited !== undefined) return { kind: 'awaited', pipeline, reason: awaited };
  const decision = decideTrigger(filtersOf(definition, pipeline.on), event);
  return decision.starts
    ? { kind: 'start', pipeline, definition, reason: decision.reason }
    : { kind: 'filtered', pipeline, reason: decision.reason };
}

/** `starts: aws` never starts, and `both` only what AWS's own triggers leave out: one commit, one execution (CP-T-1). */
function awaitedFromAws(
  { engine, starts, on }: PipelineConfig,
  definition: PipelineDefinition,
  event: TriggerEvent,
): string | undefined {
  if (engine !== 'aws' || starts === 'bot') return undefined;
  if (startsByItself(definition, event)) return `AWS starts it by itself (starts: ${starts})`;
  if (starts === 'both') return undefined;
  const wanted = decideTrigger(filtersOf(definition, on), event).starts;
  return wanted ? 'only AWS starts it (starts: aws)' : undefined;
}

/** Whether CodePipeline's own triggers see this event; without triggers its connection watches the source's branch. */
function startsByItself(definition: PipelineDefinition, event: TriggerEvent): boolean {
  if (definition.triggers.length === 0) {
    const [source] = definition.stages[0]?.actions ?? [];
    const detects = source?.configuration['DetectChanges']?.toLowerCase() !== 'false';
    if (!detects || event.kind !== 'push-branch') return false;
  }
  return decideTrigger(filtersOf(definition), event).starts;
}
