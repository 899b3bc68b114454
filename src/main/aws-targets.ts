import { createHmac, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bindingFor } from '../config/server.ts';
import type { Binding, ServerConfig } from '../config/server-types.ts';
import type { AwsTarget } from '../engine/aws/port.ts';
import { UserError } from '../errors.ts';

export interface AwsTargets {
  /** Null: not bound. Only penstock.server.yml says what is (SEC-T-05). */
  readonly targetFor: (owner: string, name: string, pipeline: string) => AwsTarget | null;
  readonly pipelinesOf: (owner: string, name: string) => readonly string[];
  /** The other way round: what a pipeline of AWS is bound to. */
  readonly boundTo: (account: string, region: string, pipelineName: string) => readonly BoundName[];
}

export interface BoundName {
  readonly owner: string;
  readonly name: string;
  readonly pipeline: string;
}

export function targetsOf(server: ServerConfig, home: string): AwsTargets {
  return {
    targetFor: (owner, name, pipeline) => {
      const binding = bindingFor(server, owner, name, pipeline);
      return binding && targetOf(binding, home);
    },
    pipelinesOf: (owner, name) =>
      server.bindings.flatMap((binding) =>
        bindingFor(server, owner, name, binding.pipeline) === binding ? [binding.pipeline] : [],
      ),
    boundTo: (account, region, pipelineName) =>
      server.bindings
        .filter(({ aws }) => aws.account === account && aws.region === region && aws.pipelineName === pipelineName)
        .map(({ repository, pipeline }) => ({ ...repository, pipeline })),
  };
}

export function targetOf(binding: Binding, home: string): AwsTarget {
  const { externalId, ...aws } = binding.aws;
  return { ...aws, externalId: externalIdOf(binding.repository, externalId, home) };
}

/**
 * `generated`: one per repository, the same each time: from `<home>/external-id-seed`, which is made when it is first
 * needed.
 */
export function externalIdOf(repository: Binding['repository'], said: string, home: string): string {
  if (said !== 'generated') return said;
  const name = `${repository.owner}/${repository.name}`.toLowerCase();
  return `penstock-${createHmac('sha256', seedOf(home)).update(name).digest('hex').slice(0, 32)}`;
}

/** What EventBridge has to show when it sends events: `penstock iam-policy --events-key` prints it. */
export function eventsKeyOf(home: string): string {
  return createHmac('sha256', seedOf(home)).update('events key').digest('hex');
}

function seedOf(home: string): string {
  const file = join(home, 'external-id-seed');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const seed = readFileSync(file, 'utf8').trim();
  if (/^[0-9a-f]{64}$/.test(seed)) return seed;
  throw new UserError(
    `${file} is damaged: it has to hold 64 hexadecimal digits. Restore it, or remove it and put the new external ids of \`penstock iam-policy\` into the roles.`,
  );
}
