import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PipelineDeclaration } from '@aws-sdk/client-codepipeline';
import { afterAll } from 'vitest';
import { z } from 'zod';
import { registerEventSinks } from '../../src/db/event-outbox.ts';
import { waitingExecutions } from '../../src/db/executions.ts';
import { startStandIn, type StandIn } from '../../src/demo/github/stand-in.ts';
import type { ActionDeclaration } from '../../src/pipeline/definition.ts';
import type { AnyProvider } from '../../src/providers/provider.ts';
import { doorBench, type DoorBench } from '../codepipeline-api/door-bench.ts';
import type { TestDatabase } from '../database.ts';
import { startRealServer, type RealServer } from '../faults/real-server.ts';
import { webhookSecret } from '../world.ts';
import { askDoor, startAwsFront, type WireCall } from './aws-front.ts';
import { role } from './fake-aws.ts';
import { startStandInSqs, type StandInSqs } from './stand-in-sqs.ts';

/**
 * Two `penstock serve` processes on one Postgres, a stand-in GitHub with two pipelines in each repository, and AWS over HTTP:
 * our own CodePipeline door with the embedded engine behind it, and a queue for its events.
 */
export interface ScaleWorld {
  readonly github: StandIn;
  readonly servers: readonly RealServer[];
  readonly repositories: readonly string[];
  /** Calls that reached AWS, by operation. */
  readonly calls: Map<string, number>;
  /** Of an event, whether it reaches the queue. */
  lose: () => boolean;
  readonly events: { sent: number; lost: number };
  /** A commit on a branch of its own, and a pull request for it. */
  readonly open: (repository: string, branch: string) => Promise<string>;
}

export interface ScaleOptions {
  readonly own: TestDatabase & { readonly url: string };
  readonly behind: TestDatabase;
  readonly pipelines: number;
  readonly chance: () => number;
}

export async function scaleWorld({ own, behind, pipelines, chance }: ScaleOptions): Promise<ScaleWorld> {
  const directory = mkdtempSync(join(tmpdir(), 'penstock-scale-'));
  const github = await startStandIn({ webhookSecret, directory: join(directory, 'github'), appId: 1 });
  const owners = Array.from({ length: pipelines / names.length }, (_, index) => `owner-${index + 1}`);
  const bench = await doorBench(behind, () => (declaration) => timed(declaration, chance));
  const { url } = await bench.serve({ anonymous: true });
  const calls = new Map<string, number>();
  const front = await startAwsFront(
    counted(
      askDoor(() => url),
      calls,
    ),
  );
  const sqs = await startStandInSqs();
  github.createAccount({ login: 'dev' });
  await Promise.all(
    owners.map((owner, index) =>
      prepare(
        github,
        askDoor(() => url),
        owner,
        index,
      ),
    ),
  );
  const world = { lose: () => false, events: { sent: 0, lost: 0 } };
  await sendEvents(bench, behind, sqs, world);
  const stopAnswering = answerGates(bench, behind, chance);
  const servers = await Promise.all(
    ['one', 'two'].map((name) =>
      startRealServer(github, join(directory, name), environmentOf(directory, owners, { own, front, queue: sqs.url })),
    ),
  );
  for (const owner of owners) github.install({ owner });
  await github.settled();
  afterAll(async () => {
    stopAnswering();
    await Promise.all(servers.map((server) => server.kill()));
    await sqs.stop();
    await github.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  const open = async (repository: string, branch: string): Promise<string> => {
    const files = { 'change.txt': `${branch}\n` };
    const sha = await github.commit(repository, { branch, author: 'dev', message: branch, files });
    await github.openPullRequest(repository, { head: branch, author: 'dev', title: branch });
    return sha;
  };
  const repositories = owners.map((owner) => `${owner}/shop`);
  return Object.assign(world, { github, servers, repositories, calls, open });
}

function counted(door: WireCall, calls: Map<string, number>): WireCall {
  return (operation, input) => {
    calls.set(operation, (calls.get(operation) ?? 0) + 1);
    return door(operation, input);
  };
}

/** Sources end at once; a build takes a second or more, and every fifth fails. */
function timed({ actionTypeId, name }: ActionDeclaration, chance: () => number): AnyProvider | undefined {
  if (actionTypeId.provider === 'Manual') return undefined;
  const done = { kind: 'succeeded', outputVariables: {} } as const;
  const failed = { kind: 'failed', error: { code: 'JobFailed', message: 'it was not to be' } } as const;
  const isSource = actionTypeId.category === 'Source';
  return {
    type: { category: 'Compute', owner: 'AWS', provider: 'Timed', version: '1' },
    configuration: z.record(z.string(), z.string()),
    artifacts: { in: [0, 5], out: [0, 5] },
    start: ({ token }) => {
      const pollAfterMs = 500 + chance() * 2_500;
      return Promise.resolve(isSource ? done : { kind: 'running', externalId: `timed/${token}`, pollAfterMs });
    },
    poll: () => Promise.resolve(name === 'Unit' && chance() < 0.2 ? failed : done),
  };
}

/** Pipelines of each repository. */
export const names = ['app', 'site'] as const;

const modes = ['SUPERSEDED', 'QUEUED', 'PARALLEL'] as const;

function declarationOf(owner: string, name: string, index: number): PipelineDeclaration {
  const aws = { owner: 'AWS', version: '1' } as const;
  const build = (name: string) => ({
    name,
    actionTypeId: { ...aws, category: 'Build', provider: 'CodeBuild' } as const,
    configuration: { ProjectName: 'unit' },
    inputArtifacts: [{ name: 'App' }],
  });
  const source = {
    name: 'App',
    actionTypeId: { ...aws, category: 'Source', provider: 'CodeStarSourceConnection' } as const,
    configuration: {
      ConnectionArn: 'arn:aws:codestar-connections:eu-west-1:111122223333:connection/1',
      FullRepositoryId: `${owner}/shop`,
      BranchName: 'main',
      DetectChanges: 'false',
    },
    outputArtifacts: [{ name: 'App' }],
  };
  const gate = { name: 'Approve', actionTypeId: { ...aws, category: 'Approval', provider: 'Manual' } as const };
  return {
    name: `${owner}-${name}`,
    roleArn: 'arn:aws:iam::111122223333:role/pipeline',
    artifactStore: { type: 'S3', location: 'artifacts' },
    pipelineType: 'V2',
    executionMode: modes[index % modes.length],
    stages: [
      { name: 'Source', actions: [source] },
      { name: 'Build', actions: [build('Unit'), build('Lint')] },
      ...(index % 4 === 0 ? [{ name: 'Release', actions: [gate] }] : []),
    ],
  };
}

async function prepare(github: StandIn, door: WireCall, owner: string, index: number): Promise<void> {
  const parts = names.map((name) => `  ${name}:\n    engine: aws\n    starts: bot\n    on: { pullRequest: [{}] }\n`);
  const config = `pipelines:\n${parts.join('')}`;
  await github.createRepository({ owner, name: 'shop', files: { '.github/penstock.yml': config, 'a.txt': 'a\n' } });
  github.setPermission(`${owner}/shop`, 'dev', 'write');
  for (const [offset, name] of names.entries()) {
    const pipeline = declarationOf(owner, name, index * names.length + offset);
    const made = await door('CreatePipeline', { pipeline });
    if (made.status !== 200) throw new Error(`CreatePipeline: ${made.body}`);
  }
}

/** As an EventBridge rule sends them to its queue. */
async function sendEvents(
  bench: DoorBench,
  behind: TestDatabase,
  sqs: StandInSqs,
  world: Pick<ScaleWorld, 'lose' | 'events'>,
): Promise<void> {
  bench.engine.onEvent = ({ event }) => {
    world.events.sent += 1;
    if (world.lose()) world.events.lost += 1;
    else
      sqs.send(
        JSON.stringify({
          source: 'aws.codepipeline',
          account: '111122223333',
          region: 'eu-west-1',
          detail: event.detail,
        }),
      );
    return Promise.resolve();
  };
  await registerEventSinks(behind.db, ['queue']);
}

/** Somebody in the console, who refuses every fifth. */
function answerGates(bench: DoorBench, behind: TestDatabase, chance: () => number): () => void {
  const timer = setInterval(() => {
    void (async () => {
      for (const execution of await waitingExecutions(behind.db))
        await bench.engine.answer(execution, chance() < 0.2 ? 'reject' : 'approve').catch(() => undefined);
    })();
  }, 700);
  return () => clearInterval(timer);
}

function environmentOf(
  directory: string,
  owners: readonly string[],
  { own, front, queue }: { readonly own: { readonly url: string }; readonly front: string; readonly queue: string },
): Readonly<Record<string, string>> {
  const file = join(directory, 'penstock.server.yml');
  const bindings = owners.flatMap((owner) =>
    names.map(
      (name) =>
        `  - { repository: ${owner}/shop, pipeline: ${name}, aws: { account: "111122223333", region: eu-west-1, pipelineName: ${owner}-${name}, roleArn: "${role}", externalId: an-external-id-of-tests } }`,
    ),
  );
  const aws = `aws:\n  callsPerSecond: 25\n  queues: [{ url: "${queue}", region: eu-west-1 }]`;
  writeFileSync(file, `bindings:\n${bindings.join('\n')}\n${aws}\n`);
  return {
    DATABASE_URL: own.url,
    PENSTOCK_CONFIG: file,
    WORKER_CONCURRENCY: '32',
    AWS_ACCESS_KEY_ID: 'AKIAOWN',
    AWS_SECRET_ACCESS_KEY: 'own-secret',
    AWS_ENDPOINT_URL_STS: front,
    AWS_ENDPOINT_URL_CODEPIPELINE: front,
    AWS_ENDPOINT_URL_CODEBUILD: front,
  };
}
