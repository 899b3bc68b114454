import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs, parseEnv } from 'node:util';
import { UserError } from '../errors.ts';
import { ArgumentError } from './arguments.ts';
import type { CliIo } from './command.ts';

export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

export interface RunOptions {
  readonly file: string;
  readonly source: string;
  readonly approveAll: boolean;
  readonly json: boolean;
  readonly variables: readonly NamedValue[];
  readonly secrets: readonly NamedValue[];
}

export function readRunOptions(args: readonly string[], io: CliIo): RunOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      source: { type: 'string' },
      var: { type: 'string', multiple: true, default: [] },
      secret: { type: 'string', multiple: true, default: [] },
      'secret-file': { type: 'string', multiple: true, default: [] },
      'approve-all': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const [file, ...more] = positionals;
  if (file === undefined) throw new ArgumentError('Which declaration? For example: penstock run ci/web.pipeline.json');
  if (more.length > 0) throw new ArgumentError(`One declaration at a time: ${more.join(' ')} is too much.`);
  return {
    file: resolve(io.cwd, file),
    source: resolve(io.cwd, values.source ?? '.'),
    approveAll: values['approve-all'],
    json: values.json,
    variables: values.var.map(readVariable),
    secrets: lastOfEach([
      ...values['secret-file'].flatMap((path) => secretsOfFile(resolve(io.cwd, path))),
      ...values.secret.map((text) => secretOfEnvironment(text, io.env)),
    ]),
  };
}

function readVariable(text: string): NamedValue {
  const at = text.indexOf('=');
  if (at < 1) throw new ArgumentError(`--var ${text}: write it as NAME=value.`);
  return { name: text.slice(0, at), value: text.slice(at + 1) };
}

/** `NAME`, or `name=VARIABLE` where the secret's name is not the variable's. A value never stands on a command line. */
function secretOfEnvironment(text: string, env: CliIo['env']): NamedValue {
  const at = text.indexOf('=');
  const name = at < 0 ? text : text.slice(0, at);
  const value = env[at < 0 ? text : text.slice(at + 1)];
  if (name !== '' && value) return { name, value };
  if (at < 0)
    throw new UserError(
      `--secret ${name}: the environment variable ${name} is not set. Set it, or leave out the secret.`,
    );
  // What stands after the sign may be the value itself by mistake, so it is not repeated.
  throw new UserError(
    `--secret ${name}=…: after the sign comes the name of an environment variable that holds the value, and it is not set.`,
  );
}

function secretsOfFile(path: string): readonly NamedValue[] {
  try {
    const read = Object.entries(parseEnv(readFileSync(path, 'utf8')));
    return read.flatMap(([name, value]) => (value ? [{ name, value }] : []));
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new UserError(`--secret-file ${path} cannot be read (${why}). Name a file with lines NAME=value.`);
  }
}

function lastOfEach(secrets: readonly NamedValue[]): readonly NamedValue[] {
  return [...new Map(secrets.map((secret) => [secret.name, secret])).values()];
}
