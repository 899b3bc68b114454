import { loadConfiguration, type LoadedConfiguration } from '../config/load.ts';
import { misfits } from '../config/misfits.ts';
import { repositoryConfigPath } from '../config/repository.ts';
import type { PipelineConfig } from '../config/repository-types.ts';
import type { Deps } from '../deps.ts';
import { UserError } from '../errors.ts';
import type { RepositoryRef } from '../github/github.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Problem } from '../pipeline/problem.ts';

/**
 * What a repository says at one commit, with the declarations that CodePipeline holds for its bound pipelines. Those
 * change without a commit, so they are asked for each time; one that cannot be read is broken, and the others work.
 */
export async function loadGoverning(
  deps: Pick<Deps, 'github' | 'aws'>,
  repository: RepositoryRef,
  sha: string,
): Promise<LoadedConfiguration> {
  const loaded = await loadConfiguration(deps.github, repository, sha);
  if (loaded.kind !== 'ok') return loaded;
  const bound = loaded.config.pipelines.filter((pipeline) => pipeline.engine === 'aws');
  if (bound.length === 0) return loaded;
  const read = await Promise.all(bound.map((pipeline) => readBound(deps, repository, pipeline)));
  const good = read.flatMap(({ name, definition }) => (definition ? [[name, definition] as const] : []));
  const bad = read.flatMap(({ name, problems }) => (problems.length > 0 ? [[name, problems] as const] : []));
  return {
    ...loaded,
    definitions: { ...loaded.definitions, ...Object.fromEntries(good) },
    brokenPipelines: { ...loaded.brokenPipelines, ...Object.fromEntries(bad) },
  };
}

interface ReadBound {
  readonly name: string;
  readonly definition?: PipelineDefinition;
  readonly problems: readonly Problem[];
}

async function readBound(
  deps: Pick<Deps, 'aws'>,
  repository: RepositoryRef,
  pipeline: PipelineConfig,
): Promise<ReadBound> {
  const { name, line, column } = pipeline;
  try {
    const definition = await deps.aws.definitionOf(repository.id, name);
    const { errors } = misfits(pipeline, definition, () => ({ line, column }));
    return errors.length > 0 ? { name, problems: errors } : { name, definition, problems: [] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const message = 'The pipeline of AWS cannot be read.';
    const at = { severity: 'error', file: repositoryConfigPath, line, column } as const;
    return { name, problems: [{ ...at, path: `pipelines.${name}`, message, mend: error.message }] };
  }
}
