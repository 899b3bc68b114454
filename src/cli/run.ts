import { randomUUID } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { pino } from 'pino';
import { UserError } from '../errors.ts';
import { localRepository, startLocalEngine, type LocalEngine } from '../main/local-engine.ts';
import { artifactBucketOf } from '../main/local-results.ts';
import { headOf } from '../main/local-git.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { laneKey, type ExecutionId } from '../pipeline/execution.ts';
import { problemLines } from '../pipeline/problem.ts';
import { readDefinition } from '../pipeline/read-definition.ts';
import { homeOf } from './app-environment.ts';
import type { CliIo } from './command.ts';
import { followRun, interruptedCode } from './follow-run.ts';
import { readRunOptions, type RunOptions } from './run-options.ts';
import { jsonTeller } from './run-json.ts';
import { textTeller } from './run-text.ts';
import { closest } from '../pipeline/closest.ts';

/**
 * Runs a pipeline on a working tree, in the terminal. Answers 0 when the execution succeeded, 1 when it did not, and
 * what a shell gives for a signal (130 for Ctrl-C) when it was interrupted.
 */
export async function runRun(args: readonly string[], io: CliIo): Promise<number> {
  const options = readRunOptions(args, io);
  const definition = await readPipeline(options, io);
  checkVariables(options, definition);
  const local = await startLocalEngine({
    home: join(homeOf(io.env), 'run'),
    source: options.source,
    env: io.env,
    secrets: options.secrets,
    artifactBucket: artifactBucketOf(definition),
    log: pino({ level: 'silent' }),
  });
  try {
    if (io.interrupted.aborted) return interruptedCode(io);
    const execution = await start(local, definition, options, io);
    const teller = options.json
      ? jsonTeller(io)
      : textTeller(io, { isolation: local.isolation.describe(), source: options.source });
    teller.begin({ pipeline: definition.name, execution, source: options.source, isolation: local.isolation });
    return await followRun(io, { local, definition, execution, approveAll: options.approveAll, teller });
  } finally {
    await local.stop();
  }
}

async function readPipeline({ file, source, json }: RunOptions, io: CliIo): Promise<PipelineDefinition> {
  const shown = relative(io.cwd, file) || basename(file);
  const text = await readFile(file, 'utf8').catch(async (error: NodeJS.ErrnoException) => {
    const inside = error.code === 'EISDIR' ? await declarationsIn(file) : [];
    const example =
      inside.length === 0 ? '' : ` This folder has ${inside.map((name) => join(shown, name)).join(', ')}.`;
    throw new UserError(`${shown} cannot be read. Name a pipeline declaration, JSON or YAML.${example}`);
  });
  if (/^penstock\.ya?ml$/.test(basename(file))) {
    throw new UserError(`${shown} says which pipelines there are. Name one of the declarations that it names.`);
  }
  const folder = await stat(source).catch(() => undefined);
  if (!folder?.isDirectory()) throw new UserError(`--source ${source} is not a folder.`);
  const read = readDefinition(text, shown);
  const problems = read.ok ? read.warnings : read.problems;
  if (json && problems.length > 0) io.out(JSON.stringify({ event: 'problems', problems }));
  if (!json) for (const problem of problems) io.err(problemLines(problem));
  if (read.ok) return read.definition;
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  throw new UserError(`${shown} has ${errors} error${errors === 1 ? '' : 's'}; nothing was run.`);
}

/** By their names, as the examples have them; at most five. */
async function declarationsIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => /pipeline.*\.(json|ya?ml)$/i.test(name)).slice(0, 5);
}

/** Mistakes that the engine would tell only as a failed execution. */
function checkVariables({ variables }: RunOptions, definition: PipelineDefinition): void {
  const known = definition.variables.map(({ name }) => name);
  const unknown = variables.find(({ name }) => !known.includes(name));
  if (unknown !== undefined) {
    const meant = closest(unknown.name, known);
    const has = known.length === 0 ? 'It declares none.' : `It declares ${known.join(', ')}.`;
    throw new UserError(
      `--var ${unknown.name}: ${definition.name} has no such variable. ${meant === undefined ? has : `Did you mean ${meant}?`}`,
    );
  }
  const missing = definition.variables.find(
    ({ name, defaultValue }) => defaultValue === undefined && !variables.some((given) => given.name === name),
  );
  if (missing !== undefined) {
    throw new UserError(`${definition.name} needs a value for ${missing.name}: add --var ${missing.name}=value.`);
  }
}

async function start(
  local: LocalEngine,
  definition: PipelineDefinition,
  options: RunOptions,
  io: CliIo,
): Promise<ExecutionId> {
  const by = { kind: 'penstock', why: 'penstock run' } as const;
  const head = await headOf({ directory: options.source, env: io.env });
  return local.engine.start({
    idempotencyKey: `local/${randomUUID()}`,
    repositoryId: localRepository.id,
    pipeline: definition.name,
    lane: laneKey(localRepository.id, definition.name),
    definition,
    trigger: { type: 'StartPipelineExecution', detail: 'penstock run' },
    sourceRevisions: [],
    variables: options.variables,
    by,
    context: {
      headSha: head.commit,
      headBranch: head.branch,
      configSha: 'working-tree',
      configDigest: '',
      fork: false,
      authors: [],
      unmappedAuthors: [],
      cause: 'penstock run',
      gates: {},
      bareCommands: true,
    },
  });
}
