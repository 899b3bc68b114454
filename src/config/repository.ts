import { z } from 'zod';
import type { TriggerFilters } from '../pipeline/definition.ts';
import type { Problem } from '../pipeline/problem.ts';
import { gatePolicy } from './gates-schema.ts';
import type {
  DefinitionSource,
  PipelineConfig,
  ProjectConfig,
  ProjectVariable,
  RepositoryConfigRead,
} from './repository-types.ts';
import { inlineKeys, repositorySchema } from './repository-schema.ts';
import type { WrittenPipeline, WrittenProject } from './repository-schema.ts';
import { check } from './schema-problems.ts';
import type { ReadDocument } from './schema-problems.ts';
import { readYaml } from './yaml-file.ts';

export const repositoryConfigPath = '.github/penstock.yml';

/** Reads `.github/penstock.yml`. Unknown keys are errors; every problem has its line, column and mend. Never throws. */
export function readRepositoryConfig(text: string, file = repositoryConfigPath): RepositoryConfigRead {
  const yaml = readYaml(text, file);
  if (!yaml.ok) return yaml;
  const document: ReadDocument = { file, ...yaml };
  const checked = check(repositorySchema, document);
  if (!checked.ok) return checked;
  const { pipelines, projects = {}, commands, statusComment } = checked.value;
  const read = Object.entries(pipelines).map(([name, written]) => pipelineOf(name, written, document));
  const problems = read.flatMap((pipeline) => pipeline.problems);
  const errors = problems.filter((problem) => problem.severity === 'error');
  if (errors.length > 0) return { ok: false, problems: errors };
  const config = {
    pipelines: read.map((pipeline) => pipeline.config),
    projects: lookup(Object.entries(projects).map(([name, written]) => [name, projectOf(written)])),
    commands: { bare: commands?.bare ?? true },
    statusComment: statusComment ?? false,
  };
  return { ok: true, config, warnings: problems, locateKey: yaml.locateKey };
}

/** For editors: `# yaml-language-server: $schema=…`. */
export function repositoryConfigJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(repositorySchema, { io: 'input' });
  return { ...schema, title: 'Penstock: what a repository may say' };
}

/** Without a prototype: a look-up by a name from outside finds only what was written. */
export function lookup<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  return Object.assign(Object.create(null) as Record<string, T>, Object.fromEntries(entries));
}

interface ReadPipeline {
  readonly config: PipelineConfig;
  readonly problems: readonly Problem[];
}

function pipelineOf(name: string, written: WrittenPipeline, document: ReadDocument): ReadPipeline {
  const engine = written.engine ?? 'embedded';
  const config: PipelineConfig = {
    name,
    engine,
    starts: written.starts ?? 'bot',
    definition: definitionOf(name, written, document),
    ...(written.on && { on: withoutUndefined(written.on) }),
    exclusive: written.exclusive ?? [],
    mergeGroup: written.mergeGroup ?? 'pass',
    gates: lookup(Object.entries(written.gates ?? {}).map(([gate, policy]) => [gate, gatePolicy(policy)])),
    ...document.locateKey(['pipelines', name]),
  };
  return { config, problems: contradictions(name, written, document) };
}

function definitionOf(name: string, written: WrittenPipeline, document: ReadDocument): DefinitionSource {
  if (written.definition !== undefined) {
    return { kind: 'file', path: written.definition, ...document.locate(['pipelines', name, 'definition']) };
  }
  if (!written.stages) return { kind: 'bound' };
  const inline = inlineKeys.filter((key) => written[key] !== undefined).map((key) => [key, written[key]]);
  return {
    kind: 'inline',
    value: { name, ...Object.fromEntries(inline) },
    locate: (path) => document.locate(['pipelines', name, ...path]),
  };
}

/** What the shape allows but cannot be meant. */
function contradictions(name: string, written: WrittenPipeline, document: ReadDocument): readonly Problem[] {
  const found: Problem[] = [];
  const say = (severity: Problem['severity'], key: string | null, message: string, mend: string) => {
    const path = key === null ? ['pipelines', name] : ['pipelines', name, key];
    found.push({ severity, file: document.file, ...document.locateKey(path), path: path.join('.'), message, mend });
  };
  const inline = inlineKeys.filter((key) => written[key] !== undefined);
  const aws = written.engine === 'aws';
  if (aws && (written.definition !== undefined || inline.length > 0)) {
    say(
      'error',
      written.definition !== undefined ? 'definition' : (inline[0] ?? null),
      `\`${name}\` is driven by AWS, which holds its definition.`,
      'Remove the definition here, or `engine: aws`.',
    );
  } else if (written.definition !== undefined && inline.length > 0) {
    say(
      'error',
      inline[0] ?? null,
      `\`${name}\` has a definition in a file and another one here.`,
      'Keep either `definition:` or `stages:`.',
    );
  } else if (!aws && written.definition === undefined && !written.stages) {
    say(
      'error',
      null,
      `\`${name}\` has no definition.`,
      'Add `definition: <path of a CodePipeline declaration>` or `stages:`.',
    );
  }
  if (!aws && written.starts !== undefined && written.starts !== 'bot') {
    say(
      'error',
      'starts',
      `\`starts: ${written.starts}\` is for pipelines of AWS only.`,
      'Remove the line, or add `engine: aws`.',
    );
  }
  if (written.starts === 'aws' && written.on) {
    say(
      'warning',
      'on',
      `\`${name}\` is started by AWS, so these filters are not used.`,
      'Remove `on:`, or write `starts: bot`.',
    );
  }
  return found;
}

function projectOf(written: WrittenProject): ProjectConfig {
  return {
    ...(written.buildspec !== undefined && { buildspec: written.buildspec }),
    ...(written.timeoutInMinutes !== undefined && { timeoutInMinutes: written.timeoutInMinutes }),
    environment: Object.entries(written.environment ?? {}).map(([name, value]): ProjectVariable =>
      typeof value === 'string' ? { name, value, type: 'PLAINTEXT' } : { name, ...value },
    ),
  };
}

/** zod leaves optional keys out or sets them to undefined; our own types know only the first. */
function withoutUndefined(filters: unknown): TriggerFilters {
  return JSON.parse(JSON.stringify(filters)) as TriggerFilters;
}
