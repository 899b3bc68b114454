import { readFile, stat } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { basename, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { UserError } from '../errors.ts';
import { localRepository, startLocalEngine, type LocalEngine } from '../main/local-engine.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { laneKey, type ExecutionId } from '../pipeline/execution.ts';
import { formatProblem } from '../pipeline/problem.ts';
import { readDefinition } from '../pipeline/read-definition.ts';
import { homeOf } from './app-environment.ts';
import type { CliIo } from './command.ts';
import { followRun } from './follow-run.ts';

interface RunOptions {
  readonly file: string;
  readonly source: string;
  readonly approveAll: boolean;
  readonly json: boolean;
  readonly variables: readonly { readonly name: string; readonly value: string }[];
}

/** Runs a pipeline on a working tree, in the terminal. Answers 0 when the execution succeeded. */
export async function runRun(args: readonly string[], io: CliIo): Promise<number> {
  const options = readOptions(args, io);
  const definition = await readPipeline(options, io);
  const local = await startLocalEngine({
    home: join(homeOf(io.env), 'run'),
    source: options.source,
    path: io.env['PATH'] ?? '',
    log: pino({ level: 'silent' }),
  });
  try {
    const execution = await start(local, definition, options);
    if (!options.json) io.out(`${definition.name}: execution ${execution}\n${local.isolation.describe()}`);
    return await followRun(io, { local, definition, execution, ...options });
  } finally {
    await local.stop();
  }
}

function readOptions(args: readonly string[], io: CliIo): RunOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      source: { type: 'string' },
      var: { type: 'string', multiple: true, default: [] },
      'approve-all': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const [file, more] = positionals;
  if (file === undefined || more !== undefined) {
    throw new UserError('Name one declaration: penstock run <declaration> --source <folder>.');
  }
  return {
    file: resolve(io.cwd, file),
    source: resolve(io.cwd, values.source ?? '.'),
    approveAll: values['approve-all'],
    json: values.json,
    variables: values.var.map(readVariable),
  };
}

function readVariable(text: string): { name: string; value: string } {
  const at = text.indexOf('=');
  if (at < 1) throw new UserError(`--var ${text}: write it as NAME=value.`);
  return { name: text.slice(0, at), value: text.slice(at + 1) };
}

async function readPipeline({ file, source }: RunOptions, io: CliIo): Promise<PipelineDefinition> {
  const shown = relative(io.cwd, file) || basename(file);
  const text = await readFile(file, 'utf8').catch(() => {
    throw new UserError(`${shown} cannot be read. Name a pipeline declaration, JSON or YAML.`);
  });
  const folder = await stat(source).catch(() => undefined);
  if (!folder?.isDirectory()) throw new UserError(`--source ${source} is not a folder.`);
  const read = readDefinition(text, shown);
  if (!read.ok) throw new UserError(read.problems.map(formatProblem).join('\n'));
  return read.definition;
}

function start(local: LocalEngine, definition: PipelineDefinition, options: RunOptions): Promise<ExecutionId> {
  const by = { kind: 'penstock', why: 'penstock run' } as const;
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
      headSha: '0'.repeat(40),
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
