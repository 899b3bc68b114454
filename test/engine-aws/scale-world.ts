import { fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PipelineDeclaration } from '@aws-sdk/client-codepipeline';
import { afterAll } from 'vitest';
import { startStandIn, type StandIn } from '../../src/demo/github/stand-in.ts';
import { startRealServer, type RealServer } from '../faults/real-server.ts';
import { webhookSecret } from '../world.ts';
import { askDoor, type WireCall } from './aws-wire.ts';
import { role } from './fake-aws.ts';

/**
 * Two `penstock serve` processes on one Postgres, a stand-in GitHub with two pipelines in each repository, and AWS as a
 * process too: our own CodePipeline door with the embedded engine behind it, and a queue for its events.
 */
export interface ScaleWorld {
  readonly github: StandIn;
  readonly servers: readonly RealServer[];
  readonly repositories: readonly string[];
  readonly aws: Pick<AwsProcess, 'ask'>;
  /** A commit on a branch of its own, and a pull request for it. */
  readonly open: (repository: string, branch: string) => Promise<string>;
}

export interface ScaleOptions {
  readonly own: { readonly url: string };
  readonly behind: { readonly url: string };
  readonly pipelines: number;
  readonly seed: number;
}

export async function scaleWorld({ own, behind, pipelines, seed }: ScaleOptions): Promise<ScaleWorld> {
  const directory = mkdtempSync(join(tmpdir(), 'penstock-scale-'));
  const github = await startStandIn({ webhookSecret, directory: join(directory, 'github'), appId: 1 });
  const owners = Array.from({ length: pipelines / names.length }, (_, index) => `owner-${index + 1}`);
  const aws = await startAwsProcess(behind.url, join(directory, 'aws'), seed);
  github.createAccount({ login: 'dev' });
  const door = askDoor(() => aws.url);
  await Promise.all(owners.map((owner, index) => prepare(github, door, owner, index)));
  const servers = await Promise.all(
    ['one', 'two'].map((name) =>
      startRealServer(github, join(directory, name), environmentOf(directory, owners, { own, aws })),
    ),
  );
  for (const owner of owners) github.install({ owner });
  await github.settled();
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.kill()));
    await aws.stop();
    await github.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  const open = async (repository: string, branch: string): Promise<string> => {
    const files = { 'change.txt': `${branch}\n` };
    const sha = await github.commit(repository, { branch, author: 'dev', message: branch, files });
    await github.openPullRequest(repository, { head: branch, author: 'dev', title: branch });
    return sha;
  };
  return { github, servers, repositories: owners.map((owner) => `${owner}/shop`), aws, open };
}

interface Answer {
  readonly calls: Readonly<Record<string, number>>;
  readonly events: { readonly sent: number; readonly lost: number };
}

interface AwsProcess {
  readonly url: string;
  readonly queue: string;
  /** Calls since the last time that `lose` was set, and events so far. `lose`: this part of them is lost from now on. */
  ask(lose?: number): Promise<Answer>;
  stop(): Promise<void>;
}

async function startAwsProcess(database: string, home: string, seed: number): Promise<AwsProcess> {
  mkdirSync(home);
  const child = fork(join(import.meta.dirname, 'aws-process.ts'), [database, home, String(seed)]);
  const answers = new EventEmitter();
  child.on('message', (message: { id: number }) => answers.emit(String(message.id), message));
  child.on('exit', (code) => answers.emit('error', new Error(`AWS ended with ${code}`)));
  const [{ url, queue }] = (await once(answers, '0')) as [{ url: string; queue: string }];
  let asked = 0;
  return {
    url,
    queue,
    ask: async (lose) => {
      asked += 1;
      const answered = once(answers, String(asked));
      child.send({ id: asked, ...(lose === undefined ? {} : { lose }) });
      return ((await answered) as [Answer])[0];
    },
    stop: async () => {
      child.removeAllListeners('exit');
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
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

/** What is measured are the calls to AWS; the stand-in for GitHub has no rate limit. */
const unlimited = 'github: { writesAtOnce: 1000, writesPerSecond: 1000 }';

function environmentOf(
  directory: string,
  owners: readonly string[],
  { own, aws }: { readonly own: { readonly url: string }; readonly aws: Pick<AwsProcess, 'url' | 'queue'> },
): Readonly<Record<string, string>> {
  const file = join(directory, 'penstock.server.yml');
  const bindings = owners.flatMap((owner) =>
    names.map(
      (name) =>
        `  - { repository: ${owner}/shop, pipeline: ${name}, aws: { account: "111122223333", region: eu-west-1, pipelineName: ${owner}-${name}, roleArn: "${role}", externalId: an-external-id-of-tests } }`,
    ),
  );
  const part = `aws:\n  callsPerSecond: 25\n  queues: [{ url: "${aws.queue}", region: eu-west-1 }]`;
  writeFileSync(file, `bindings:\n${bindings.join('\n')}\n${part}\n${unlimited}\n`);
  return {
    DATABASE_URL: own.url,
    PENSTOCK_CONFIG: file,
    WORKER_CONCURRENCY: '32',
    AWS_ACCESS_KEY_ID: 'AKIAOWN',
    AWS_SECRET_ACCESS_KEY: 'own-secret',
    AWS_ENDPOINT_URL_STS: aws.url,
    AWS_ENDPOINT_URL_CODEPIPELINE: aws.url,
    AWS_ENDPOINT_URL_CODEBUILD: aws.url,
  };
}
