import pino from 'pino';
import type { ListPipelineExecutionsOutput, PipelineDeclaration } from '@aws-sdk/client-codepipeline';
import { declarationOf } from '../../src/codepipeline-api/declaration.ts';
import { findExecution } from '../../src/db/executions.ts';
import { installRepositories } from '../../src/db/repositories.ts';
import { createAwsClients } from '../../src/engine/aws/clients.ts';
import { asAws } from '../../src/engine/aws/aws-execution.ts';
import { createAwsEngine, type AwsEngine } from '../../src/engine/aws/aws-engine.ts';
import { noMeter } from '../../src/engine/aws/meter.ts';
import { usualPace } from '../../src/engine/aws/pace.ts';
import { laneKey, type Execution, type ExecutionId } from '../../src/pipeline/execution.ts';
import type { StartRequest } from '../../src/engine/engine.ts';
import type { StartInput } from '../../src/pipeline/protocol.ts';
import { doorBench } from '../codepipeline-api/door-bench.ts';
import type { TestDatabase } from '../database.ts';
import type { BuiltPipeline } from '../pipeline/pipelines.ts';
import { repository } from '../engine/engine-bench.ts';
import type { EngineWorld } from '../engine/contract.ts';
import { heldActions, recordsOf, tellEngine } from '../engine/inner-engine.ts';
import { startAwsFront } from './aws-front.ts';
import { askDoor, type WireCall } from './aws-wire.ts';
import { role } from './fake-aws.ts';

/** Between the SDK and the door: `changed` is called whenever something may be different behind the door. */
export interface Between {
  readonly call: WireCall;
  changed(pipelineName: string): Promise<void>;
}

export interface DoorWorldOptions {
  /** Database of the engine behind the door, and of the engine under test. */
  readonly behind: TestDatabase;
  readonly own: TestDatabase;
  /** `now`: milliseconds of the virtual clock, which only the world moves. */
  readonly between?: (door: WireCall, now: () => number) => Between;
  /** The first look comes after so many milliseconds, the next ones at the same distance. */
  readonly everyMs: number;
  readonly looks: number;
}

/**
 * The AWS engine over the real SDK and HTTP, in front of our own CodePipeline door with the embedded engine behind it:
 * two databases, as they would be two machines.
 */
export async function doorWorld({ behind, own, between, everyMs, looks }: DoorWorldOptions): Promise<EngineWorld> {
  const bench = await doorBench(behind, heldActions);
  bench.engine.aws.invokeFunction = () => Promise.resolve({ kind: 'accepted' });
  const anonymous = await bench.serve({ anonymous: true });
  const now = (): Date => new Date(Date.now() + bench.clock.aheadMs);
  const door = askDoor(() => anonymous.url);
  const wire = between?.(door, () => bench.clock.aheadMs) ?? { call: door, changed: () => Promise.resolve() };
  await installRepositories(own.db, [repository]);
  const engine = engineAt(await startAwsFront(wire.call), own, now);
  const pass = (ms: number): void => {
    bench.clock.aheadMs += ms;
    bench.engine.shiftMs += ms;
  };
  const running = async (execution: ExecutionId): Promise<Execution | undefined> => {
    const record = await findExecution(own.db, execution);
    const awsId = record ? asAws(record.execution)?.aws.executionId : undefined;
    return awsId === undefined ? undefined : (await findExecution(behind.db, awsId))?.execution;
  };
  const world: EngineWorld = {
    declare: async (name, built) => {
      await declareAt(door, name, built);
      await bench.engine.settled();
      await wire.changed(name);
      pass(everyMs * looks);
    },
    update: async (_name, built) => {
      await must(door, 'UpdatePipeline', { pipeline: onWire(built) });
    },
    start: async (name, input, key) => {
      const definition = await engine.definitionOf(repository.id, name);
      return engine.start(startRequest(name, { ...input, definition }, key));
    },
    obey: (command, asked) => engine.obey(command, asked),
    tell: async (fact) => {
      const inner = await running(fact.execution);
      if (inner) await tellEngine(bench.engine, { ...fact, execution: inner.id });
    },
    running,
    pass,
    settle: async (name, isDone) => {
      await bench.engine.settled();
      await wire.changed(name);
      for (let look = 0; look < looks; look += 1) {
        pass(everyMs);
        await lookAt(engine, world, name);
        if (isDone(await world.records(name))) return;
      }
    },
    records: (name) => recordsOf(own, laneKey(repository.id, name)),
  };
  return world;
}

const by = { kind: 'person', id: 2, login: 'reviewer' } as const;

function engineAt(endpoint: string, own: TestDatabase, now: () => Date): AwsEngine {
  const target = { account: '111122223333', region: 'eu-west-1', roleArn: role, externalId: 'an-external-id-of-tests' };
  return createAwsEngine({
    db: own.db,
    log: pino({ level: process.env['DOOR_LOG'] ?? 'silent' }),
    now,
    clients: createAwsClients({ endpoint }),
    budget: { admit: () => Promise.resolve(), spent: () => {}, throttled: () => Promise.resolve() },
    meter: noMeter,
    pace: usualPace,
    chance: () => 0.5,
    mask: (text) => text,
    targetFor: (_owner, _name, pipelineName) => ({ ...target, pipelineName }),
  });
}

/** A new pipeline starts by itself; that execution is none of ours, and is stopped. */
async function declareAt(door: WireCall, name: string, built: BuiltPipeline): Promise<void> {
  await must(door, 'CreatePipeline', { pipeline: onWire(built) });
  const listed = await must(door, 'ListPipelineExecutions', { pipelineName: name });
  const [first] = (listed as ListPipelineExecutionsOutput).pipelineExecutionSummaries ?? [];
  const { pipelineExecutionId } = first ?? {};
  await door('StopPipelineExecution', { pipelineName: name, pipelineExecutionId, abandon: true });
}

function startRequest(name: string, input: StartInput, idempotencyKey: string): StartRequest {
  const { definition, trigger, variables, sourceRevisions } = input;
  const headSha = sourceRevisions[0]?.revisionId ?? '';
  const context = {
    headSha,
    configSha: headSha,
    configDigest: 'digest',
    fork: false,
    authors: [],
    unmappedAuthors: [],
    cause: 'push to main',
    gates: {},
    bareCommands: true,
  };
  const where = { repositoryId: repository.id, pipeline: name, lane: laneKey(repository.id, name) };
  return { idempotencyKey, ...where, definition, trigger, sourceRevisions, variables, by, context };
}

/** As jobs, events and the sweep make the engine look; a start that CodePipeline has not taken has a job of its own. */
async function lookAt(engine: AwsEngine, world: EngineWorld, name: string): Promise<void> {
  for (const { execution } of await world.records(name)) {
    if (asAws(execution)?.aws.executionId === undefined) await engine.refresh(execution.id);
  }
  const { strangers } = await engine.observe({ repositoryId: repository.id, pipeline: name });
  for (const found of strangers.toReversed()) {
    if (found.rollbackOf !== undefined) await engine.adoptRollback(found.rollbackOf, found);
  }
}

function onWire({ definition }: BuiltPipeline): PipelineDeclaration {
  const store = { type: 'S3', location: 'artifacts' } as const;
  return declarationOf({
    ...definition,
    roleArn: 'arn:aws:iam::111122223333:role/pipeline',
    artifactStore: store,
  });
}

async function must(door: WireCall, operation: string, input: object): Promise<object> {
  const { status, body } = await door(operation, input);
  if (status !== 200) throw new Error(`${operation}: ${body}`);
  return body === '' ? {} : (JSON.parse(body) as object);
}
