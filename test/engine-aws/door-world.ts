import pino from 'pino';
import type { PipelineDeclaration } from '@aws-sdk/client-codepipeline';
import { declarationOf } from '../../src/codepipeline-api/declaration.ts';
import { findExecution } from '../../src/db/executions.ts';
import { installRepositories } from '../../src/db/repositories.ts';
import { createAwsClients } from '../../src/engine/aws/clients.ts';
import { asAws } from '../../src/engine/aws/aws-execution.ts';
import { createAwsEngine, type AwsEngine } from '../../src/engine/aws/aws-engine.ts';
import { usualPace } from '../../src/engine/aws/pace.ts';
import { laneKey, type Execution, type ExecutionId } from '../../src/pipeline/execution.ts';
import type { Fact } from '../../src/pipeline/protocol.ts';
import { doorBench } from '../codepipeline-api/door-bench.ts';
import type { TestDatabase } from '../database.ts';
import type { BuiltPipeline } from '../pipeline/pipelines.ts';
import { repository } from '../engine/engine-bench.ts';
import type { EngineWorld } from '../engine/contract.ts';
import { heldActions, recordsOf, tellEngine } from '../engine/inner-engine.ts';
import { askDoor, startAwsFront, type WireCall } from './aws-front.ts';
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
  readonly between?: (door: WireCall, now: () => Date) => Between;
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
  const { call, changed } = between?.(door, now) ?? { call: door, changed: () => Promise.resolve() };
  const endpoint = await startAwsFront(call);
  await installRepositories(own.db, [repository]);
  const engine = createAwsEngine({
    db: own.db,
    log: pino({ level: process.env['DOOR_LOG'] ?? 'silent' }),
    now,
    clients: createAwsClients({ endpoint }),
    budget: { admit: () => {}, spent: () => {}, throttled: () => {} },
    pace: usualPace,
    chance: () => 0.5,
    targetFor: (_owner, _name, pipelineName) => ({
      account: '111122223333',
      region: 'eu-west-1',
      pipelineName,
      roleArn: role,
      externalId: 'an-external-id-of-tests',
    }),
  });
  const by = { kind: 'person', id: 2, login: 'reviewer' } as const;
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
      await must(door, 'CreatePipeline', { pipeline: onWire(built) });
      // A new pipeline starts by itself; that one is none of ours.
      const { pipelineExecutionSummaries: [first] = [] } = (await must(door, 'ListPipelineExecutions', {
        pipelineName: name,
      })) as { pipelineExecutionSummaries?: { pipelineExecutionId: string }[] };
      const pipelineExecutionId = first?.pipelineExecutionId ?? '';
      await must(door, 'StopPipelineExecution', { pipelineName: name, pipelineExecutionId, abandon: true });
      await bench.engine.settled();
      await changed(name);
      pass(everyMs * looks);
    },
    update: async (_name, built) => {
      await must(door, 'UpdatePipeline', { pipeline: onWire(built) });
    },
    start: async (name, { definition: _planned, trigger, variables, sourceRevisions }, key) => {
      const definition = await engine.definitionOf(repository.id, name);
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
      const lane = laneKey(repository.id, name);
      const about = { idempotencyKey: key, repositoryId: repository.id, pipeline: name, lane, definition };
      return engine.start({ ...about, trigger, sourceRevisions, variables, by, context });
    },
    obey: (command) => engine.obey(command, by),
    tell: async (fact) => {
      const inner = await running(fact.execution);
      if (inner) await tellEngine(bench.engine, { ...fact, execution: inner.id } as Fact);
    },
    running,
    pass,
    settle: async (name, isDone) => {
      await bench.engine.settled();
      await changed(name);
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

/** As events and the sweep make the engine look. */
async function lookAt(engine: AwsEngine, world: EngineWorld, name: string): Promise<void> {
  const { strangers } = await engine.findExecutions(repository.id, name);
  for (const found of strangers.toReversed()) {
    if (found.rollbackOf !== undefined) await engine.adoptRollback(found.rollbackOf, found);
  }
  for (const { execution } of await world.records(name)) await engine.refresh(execution.id);
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
