import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { ServerConfig } from '../config/server-types.ts';
import type { Database } from '../db/database.ts';
import { findExecution, newestForLane } from '../db/executions.ts';
import type { BoundPipelines } from '../deps.ts';
import { asAws } from '../engine/aws/aws-execution.ts';
import { createAwsEngine } from '../engine/aws/aws-engine.ts';
import { budgetOf, createBudget, type Budget } from '../engine/aws/budget.ts';
import { noMeter, type AwsMeter } from '../engine/aws/meter.ts';
import { idleLookMs, usualPace, type Pace } from '../engine/aws/pace.ts';
import type { AwsApis, AwsClients, AwsSessions, AwsSubject, AwsTarget } from '../engine/aws/port.ts';
import type { Engine } from '../engine/engine.ts';
import type { PipelineCommand } from '../pipeline/protocol.ts';
import { targetsOf } from './aws-targets.ts';

/** How AWS is reached; tests hand in their own. */
export interface AwsSide {
  readonly clients: AwsSessions;
  readonly pace: Pace;
  readonly budget: Budget;
}

export interface Engines {
  /** Routes by who runs an execution: what is asked of one always goes to the engine that started it. */
  readonly engine: Engine;
  readonly aws: BoundPipelines;
}

export function createEngines(options: {
  readonly db: Kysely<Database>;
  readonly log: Logger;
  readonly now: () => Date;
  readonly server: ServerConfig;
  readonly home: string;
  readonly embedded: Engine;
  readonly mask: (text: string) => string;
  readonly aws?: AwsSide;
  readonly meter?: AwsMeter;
}): Engines {
  const { db, log, now, server, home, embedded, mask, meter = noMeter } = options;
  const usual = (): AwsSide => {
    const budget = createBudget(db, budgetOf(server.aws.callsPerSecond));
    return { clients: lazyClients(), pace: usualPace, budget };
  };
  const { clients, pace, budget } = options.aws ?? usual();
  const { targetFor, pipelinesOf } = targetsOf(server, home);
  const chance = Math.random;
  const aws = createAwsEngine({ db, log, now, clients, budget, meter, pace, mask, chance, targetFor });
  const engineOf = async (execution: string | undefined): Promise<Engine> => {
    const record = execution === undefined ? null : await findExecution(db, execution);
    return record && asAws(record.execution) ? aws : embedded;
  };
  const engine: Engine = {
    start: (request) => (request.engine === 'aws' ? aws : embedded).start(request),
    obey: async (command, by, along) => (await engineOf(await subjectOf(db, command))).obey(command, by, along),
    refresh: async (execution) => (await engineOf(execution)).refresh(execution),
  };
  return { engine, aws: { ...aws, pipelinesOf, idleLookMs } };
}

/** A rollback names an execution that does not exist yet; a transition belongs to whoever runs the lane. */
async function subjectOf(db: Kysely<Database>, command: PipelineCommand): Promise<string | undefined> {
  if (command.kind === 'rollback') return command.target;
  return 'execution' in command ? command.execution : (await newestForLane(db, command.lane))?.execution.id;
}

/** The SDK is loaded by the first call: most servers have no binding. */
function lazyClients(): AwsSessions {
  let opened: Promise<AwsSessions> | undefined;
  let clients: AwsSessions | undefined;
  const open = (): Promise<AwsSessions> =>
    (opened ??= import('../engine/aws/clients.ts').then(({ createAwsClients }) => (clients = createAwsClients())));
  const lazily =
    <Name extends keyof AwsClients>(name: Name) =>
    async (target: AwsTarget, subject: AwsSubject): Promise<AwsApis[Name]> => {
      const all: AwsClients = await open();
      return all[name](target, subject);
    };
  return {
    codePipeline: lazily('codePipeline'),
    codeBuild: lazily('codeBuild'),
    logs: lazily('logs'),
    cloudFormation: lazily('cloudFormation'),
    codeDeploy: lazily('codeDeploy'),
    ecs: lazily('ecs'),
    lambda: lazily('lambda'),
    renew: (target, subject) => clients?.renew(target, subject),
  };
}
