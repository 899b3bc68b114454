import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readServerConfig } from '../config/server.ts';
import type { AwsGrant, Binding, ServerConfig } from '../config/server-types.ts';
import {
  grantPermissions,
  optionalVerbs,
  ownPermissions,
  permissionsFor,
  trustFor,
  type GrantSubject,
  type OptionalVerb,
  type PolicySubject,
} from '../engine/aws/policy.ts';
import { readingStatements, sendingStatements, type ReadQueue, type SendQueue } from '../engine/aws/policy-queues.ts';
import { stackParameters } from '../engine/aws/stack-parameters.ts';
import { readDeclaration } from '../engine/aws/read-declaration.ts';
import { UserError } from '../errors.ts';
import { eventsKeyOf, externalIdOf, targetOf } from '../main/aws-targets.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { homeOf } from './app-environment.ts';
import type { CliIo } from './command.ts';

const unknownPrincipal = "<the ARN of Penstock's own role: give it with --principal>";

/** Prints, for each role that bindings and `embedded.aws` name, its trust policy and the permissions that it needs. */
export async function runIamPolicy(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      declaration: { type: 'string', multiple: true, default: [] },
      with: { type: 'string', default: 'stop' },
      principal: { type: 'string' },
      'events-key': { type: 'boolean', default: false },
      'stack-parameters': { type: 'string' },
    },
  });
  if (values['events-key']) {
    io.out(eventsKeyOf(homeOf(io.env)));
    return 0;
  }
  const verbs = readVerbs(values.with);
  const { bindings, embedded, aws, events } = await readServer(io);
  const definitions = await readDeclarations(values.declaration, io.cwd);
  const home = homeOf(io.env);
  const subjects = bindings.map((binding) => {
    const definition = definitions.get(binding.aws.pipelineName);
    return { target: targetOf(binding, home), ...(definition ? { definition } : {}) };
  });
  const grants = embedded.aws.flatMap((grant) =>
    grant.repositories.map((repository) => grantOf(grant, repository, home)),
  );
  const principal = values.principal ?? unknownPrincipal;
  const wanted = values['stack-parameters'];
  if (wanted !== undefined) {
    const subject = subjects.find(({ target }) => target.pipelineName === wanted);
    if (!subject) throw new UserError(notBound(wanted, subjects));
    io.out(JSON.stringify(stackParameters(subject, verbs, principal), null, 2));
  } else {
    const sends = events.flatMap(({ target }) => (target.kind === 'sqs' ? [target] : []));
    io.out(JSON.stringify(policiesFor({ subjects, grants, queues: aws.queues, sends }, verbs, principal), null, 2));
  }
  for (const { target, definition } of subjects) {
    if (!definition) io.err(wildcardNote(target.pipelineName));
  }
  return 0;
}

interface Granted extends GrantSubject {
  readonly externalId: string;
}

function grantOf(grant: AwsGrant, repository: Binding['repository'], home: string): Granted {
  return { ...grant, externalId: externalIdOf(repository, grant.externalId, home) };
}

interface Subjects {
  readonly subjects: readonly PolicySubject[];
  readonly grants: readonly Granted[];
  readonly queues: readonly ReadQueue[];
  readonly sends: readonly SendQueue[];
}

/** By role; and what Penstock's own identity needs. */
function policiesFor(all: Subjects, verbs: ReadonlySet<OptionalVerb>, principal: string): object {
  const { subjects, grants, queues, sends } = all;
  const takers = [...subjects.map(({ target }) => target), ...grants, ...queues];
  const roles = [...new Set(takers.flatMap(({ roleArn }) => roleArn ?? []))];
  const printed = roles.map((role) => {
    const mine = subjects.filter(({ target }) => target.roleArn === role);
    const granted = grants.filter(({ roleArn }) => roleArn === role);
    const trust = trustFor(
      takers.filter(({ roleArn }) => roleArn === role),
      principal,
    );
    const { Version, Statement } = permissionsFor(mine, verbs);
    const permissions = {
      Version,
      Statement: [...Statement, ...grantPermissions(granted), ...readingStatements(queues, role)],
    };
    return [role, { trust, permissions }] as const;
  });
  const own = [...ownPermissions(roles), ...readingStatements(queues), ...sendingStatements(sends)];
  return { ...Object.fromEntries(printed), [ownIdentity]: { permissions: { Version: '2012-10-17', Statement: own } } };
}

const ownIdentity = "Penstock's own identity";

function notBound(pipeline: string, subjects: readonly PolicySubject[]): string {
  const names = subjects.map(({ target }) => target.pipelineName).join(', ');
  return `--stack-parameters ${pipeline}: no binding names this pipeline of AWS. Write one of ${names}.`;
}

function wildcardNote(pipeline: string): string {
  return `${pipeline}: stages and approvals are allowed by \`*\` below the pipeline, and builds are not explained. To name them one by one: aws codepipeline get-pipeline --name ${pipeline} > ${pipeline}.json, then --declaration ${pipeline}.json`;
}

function readVerbs(text: string): ReadonlySet<OptionalVerb> {
  const names = text.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]));
  const known: readonly string[] = optionalVerbs;
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UserError(
      `--with ${unknown}: there is no such verb. Write some of ${optionalVerbs.join(',')}, or --with "".`,
    );
  }
  return new Set(names as OptionalVerb[]);
}

async function readServer({ env, cwd }: CliIo): Promise<ServerConfig> {
  const file = resolve(cwd, env['PENSTOCK_CONFIG']?.trim() || 'penstock.server.yml');
  const text = await readFile(file, 'utf8').catch(() => {
    throw new UserError(`${file} cannot be read. Bindings stand there; docs/aws.md has one to begin with.`);
  });
  const read = readServerConfig(text, file);
  if (!read.ok) throw new UserError(`${file} has problems; \`penstock validate ${file}\` lists them.`);
  const { bindings, embedded, aws, events } = read.config;
  const isOnAws = events.some(({ target }) => target.kind === 'sqs');
  if (bindings.length + embedded.aws.length + aws.queues.length === 0 && !isOnAws) {
    throw new UserError(
      `${file} binds no pipeline and names nothing else of AWS, so no role needs anything. docs/aws.md has a binding to begin with.`,
    );
  }
  return read.config;
}

/** Files as `aws codepipeline get-pipeline` writes them, by the name of the pipeline. */
async function readDeclarations(
  files: readonly string[],
  cwd: string,
): Promise<ReadonlyMap<string, PipelineDefinition>> {
  const read = await Promise.all(files.map((file) => readOne(resolve(cwd, file))));
  return new Map(read.map((definition) => [definition.name, definition]));
}

async function readOne(file: string): Promise<PipelineDefinition> {
  try {
    const value = JSON.parse(await readFile(file, 'utf8')) as { readonly pipeline?: unknown };
    const declared = (value.pipeline ?? value) as Parameters<typeof readDeclaration>[0];
    if (!Array.isArray(declared.stages)) throw new Error('it has no stages');
    return readDeclaration(declared);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(
      `${file} is not a declaration (${why}). Write it with \`aws codepipeline get-pipeline --name …\`.`,
    );
  }
}
