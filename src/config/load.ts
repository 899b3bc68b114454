import { createHash } from 'node:crypto';
import { UserError } from '../errors.ts';
import type { GitHub, RepositoryRef } from '../github/github.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { refusedAtStart } from '../pipeline/runnable.ts';
import type { Problem } from '../pipeline/problem.ts';
import { readDeclarationValue, readDefinition } from '../pipeline/read-definition.ts';
import type { ReadDefinition } from '../pipeline/read-definition.ts';
import { misfits } from './misfits.ts';
import { lookup, readRepositoryConfig, repositoryConfigPath } from './repository.ts';
import type { PipelineConfig, RepositoryConfig } from './repository-types.ts';
import type { Locate } from './yaml-file.ts';

export type LoadedConfiguration =
  /** The repository has no `.github/penstock.yml` at that commit: Penstock has nothing to do there. */
  | { readonly kind: 'none' }
  | { readonly kind: 'broken'; readonly problems: readonly Problem[] }
  | {
      readonly kind: 'ok';
      readonly config: RepositoryConfig;
      /** By the name of the pipeline; none for pipelines of AWS and for broken ones. Has no prototype. */
      readonly definitions: Readonly<Record<string, PipelineDefinition>>;
      /** sha256 (hex) of every text that was read, with its path. */
      readonly digest: string;
      /** By the name of the pipeline: errors of its own, while the others work. Has no prototype. */
      readonly brokenPipelines: Readonly<Record<string, readonly Problem[]>>;
      readonly warnings: readonly Problem[];
    };

type Reader = Pick<GitHub, 'readFile'>;

const mostKept = 200;
const kept = new WeakMap<Reader, Map<string, LoadedConfiguration>>();

/**
 * What a repository says at one commit: its configuration and the definitions that it names, from that commit only.
 * A commit never changes, so what was found is kept; what was missing is not, because GitHub may lag (SEC-F-09).
 */
export async function loadConfiguration(
  github: Reader,
  repository: RepositoryRef,
  sha: string,
): Promise<LoadedConfiguration> {
  const cache = cacheOf(github);
  const key = `${repository.id} ${sha}`;
  const known = cache.get(key);
  if (known) {
    cache.delete(key);
    cache.set(key, known);
    return known;
  }
  const { loaded, complete } = await load(github, repository, sha);
  if (complete) cache.set(key, loaded);
  const [oldest] = cache.keys();
  if (cache.size > mostKept && oldest !== undefined) cache.delete(oldest);
  return loaded;
}

function cacheOf(github: Reader): Map<string, LoadedConfiguration> {
  const cache = kept.get(github) ?? new Map<string, LoadedConfiguration>();
  kept.set(github, cache);
  return cache;
}

interface Load {
  readonly loaded: LoadedConfiguration;
  /** Every file that was asked for was there. */
  readonly complete: boolean;
}

async function load(github: Reader, repository: RepositoryRef, sha: string): Promise<Load> {
  const file = await read(github, repository, repositoryConfigPath, sha);
  if (file === null) return { loaded: { kind: 'none' }, complete: false };
  if (typeof file !== 'string') return { loaded: { kind: 'broken', problems: [problemAt(file)] }, complete: false };
  const result = readRepositoryConfig(file);
  if (!result.ok) return { loaded: { kind: 'broken', problems: result.problems }, complete: true };
  const texts = await readDefinitions(github, repository, sha, result.config);
  const pipelines = result.config.pipelines.map((pipeline) => readOne(pipeline, texts, result.locateKey));
  const definitions = pipelines.flatMap(({ name, definition }) => (definition ? [[name, definition] as const] : []));
  const broken = pipelines.flatMap(({ name, errors }) => (errors.length > 0 ? [[name, errors] as const] : []));
  const loaded: LoadedConfiguration = {
    kind: 'ok',
    config: result.config,
    definitions: lookup(definitions),
    digest: digestOfTexts(file, texts),
    brokenPipelines: lookup(broken),
    warnings: [...result.warnings, ...pipelines.flatMap(({ warnings }) => warnings)],
  };
  return { loaded, complete: [...texts.values()].every((text) => typeof text === 'string') };
}

/** A text; null when there is no such file; the reason when it cannot be read. */
type FileRead = string | null | UnreadableFile;
interface UnreadableFile {
  readonly path: string;
  readonly why: string;
}

async function read(github: Reader, repository: RepositoryRef, path: string, sha: string): Promise<FileRead> {
  try {
    return await github.readFile(repository, path, sha);
  } catch (error) {
    if (error instanceof UserError) return { path, why: error.message };
    throw error;
  }
}

async function readDefinitions(
  github: Reader,
  repository: RepositoryRef,
  sha: string,
  config: RepositoryConfig,
): Promise<ReadonlyMap<string, FileRead>> {
  const paths = config.pipelines.flatMap(({ definition }) => (definition.kind === 'file' ? [definition.path] : []));
  const unique = [...new Set(paths)].toSorted();
  const texts = await Promise.all(unique.map((path) => read(github, repository, path, sha)));
  return new Map(unique.map((path, index) => [path, texts[index] ?? null]));
}

interface OnePipeline {
  readonly name: string;
  readonly definition?: PipelineDefinition;
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
}

function readOne(pipeline: PipelineConfig, texts: ReadonlyMap<string, FileRead>, locateKey: Locate): OnePipeline {
  const { name } = pipeline;
  const result = readSource(pipeline, texts);
  if (!result) return { name, errors: [], warnings: [] };
  if (!result.ok) return { name, errors: result.problems, warnings: [] };
  const { errors: unfit, warnings } = misfits(pipeline, result.definition, locateKey);
  const impossible = result.warnings.filter(({ exception }) => exception === refusedAtStart);
  const errors = [...unfit, ...impossible.map((problem): Problem => ({ ...problem, severity: 'error' }))];
  const all = [...result.warnings.filter((problem) => !impossible.includes(problem)), ...warnings];
  return errors.length > 0
    ? { name, errors, warnings: all }
    : { name, definition: result.definition, errors: [], warnings: all };
}

function readSource(pipeline: PipelineConfig, texts: ReadonlyMap<string, FileRead>): ReadDefinition | null {
  const { definition, name } = pipeline;
  switch (definition.kind) {
    case 'bound':
      return null;
    case 'inline':
      return readDeclarationValue(definition.value, definition.locate, repositoryConfigPath, { inline: true, name });
    case 'file': {
      const text = texts.get(definition.path) ?? null;
      if (typeof text === 'string') return readDefinition(text, definition.path);
      return { ok: false, problems: [text === null ? missing(pipeline, definition) : problemAt(text)] };
    }
    default:
      return definition satisfies never;
  }
}

function missing(pipeline: PipelineConfig, at: { path: string; line: number; column: number }): Problem {
  return {
    severity: 'error',
    file: repositoryConfigPath,
    line: at.line,
    column: at.column,
    path: `pipelines.${pipeline.name}.definition`,
    message: `There is no file ${at.path} at this commit.`,
    mend: 'Add the file, or correct the path: it is read from the root of the repository.',
  };
}

function problemAt({ path, why }: UnreadableFile): Problem {
  return {
    severity: 'error',
    file: path,
    line: 1,
    column: 1,
    path: '',
    message: 'The file cannot be used.',
    mend: why,
  };
}

function digestOfTexts(config: string, texts: ReadonlyMap<string, FileRead>): string {
  const all = [[repositoryConfigPath, config], ...texts];
  return createHash('sha256').update(JSON.stringify(all)).digest('hex');
}
