import type { PipelineDeclaration } from '@aws-sdk/client-codepipeline';
import pino from 'pino';
import { findExecution } from '../../src/db/executions.ts';
import { installRepositories } from '../../src/db/repositories.ts';
import type { StartRequest } from '../../src/engine/engine.ts';
import { createAwsEngine, type AwsEngine } from '../../src/engine/aws/aws-engine.ts';
import { createBudget } from '../../src/engine/aws/budget.ts';
import { noMeter } from '../../src/engine/aws/meter.ts';
import { usualPace } from '../../src/engine/aws/pace.ts';
import type { AwsClients } from '../../src/engine/aws/port.ts';
import { readDeclaration } from '../../src/engine/aws/read-declaration.ts';
import { laneKey, type ExecutionId } from '../../src/pipeline/execution.ts';
import type { TestDatabase } from '../database.ts';
import { createFakeAws, role, type FakeAws, type FakeExecution } from './fake-aws.ts';

export const repository = { id: 42, owner: 'acme', name: 'shop', installationId: 7 };

/** Source from GitHub, a build, a gate, a deploy. */
export const shop: PipelineDeclaration = {
  name: 'shop-prod',
  roleArn: 'arn:aws:iam::111122223333:role/shop-pipeline',
  version: 3,
  pipelineType: 'V2',
  executionMode: 'SUPERSEDED',
  variables: [{ name: 'BOT_EXECUTION_ID', defaultValue: 'none' }],
  stages: [
    {
      name: 'Source',
      actions: [
        {
          name: 'App',
          actionTypeId: { category: 'Source', owner: 'AWS', provider: 'CodeStarSourceConnection', version: '1' },
          configuration: { FullRepositoryId: 'acme/shop', BranchName: 'main' },
        },
      ],
    },
    {
      name: 'Build',
      actions: [
        { name: 'Unit', actionTypeId: { category: 'Build', owner: 'AWS', provider: 'CodeBuild', version: '1' } },
        { name: 'Lint', actionTypeId: { category: 'Build', owner: 'AWS', provider: 'CodeBuild', version: '1' } },
      ],
    },
    {
      name: 'Release',
      actions: [
        { name: 'Approve', actionTypeId: { category: 'Approval', owner: 'AWS', provider: 'Manual', version: '1' } },
      ],
    },
  ],
};

export interface AwsBench {
  readonly aws: FakeAws;
  readonly engine: AwsEngine;
  start(options?: {
    readonly key?: string;
    readonly pullRequest?: number;
    readonly sha?: string;
  }): Promise<ExecutionId>;
  request(options?: { readonly key?: string; readonly pullRequest?: number; readonly sha?: string }): StartRequest;
  /** As AWS has it. */
  running(id: ExecutionId): Promise<FakeExecution>;
  record(id: ExecutionId): Promise<NonNullable<Awaited<ReturnType<typeof findExecution>>>>;
  count(call: string): number;
  /** Moves the engine's clock on. */
  pass(ms: number): void;
}

/** The AWS engine over a database and the fake, with other services if given; nothing polls, tests look when they want to. */
export async function awsBench({ db }: TestDatabase, services: Partial<AwsClients> = {}): Promise<AwsBench> {
  let ahead = 0;
  let starts = 0;
  const now = () => new Date(Date.now() + ahead);
  const aws = createFakeAws(now);
  aws.declare(shop);
  await installRepositories(db, [repository]);
  const target = {
    account: '111122223333',
    region: 'eu-west-1',
    pipelineName: 'shop-prod',
    roleArn: role,
    externalId: 'an-external-id-of-tests',
  };
  const patient = createAwsEngine({
    db,
    log: pino({ level: 'silent' }),
    now,
    clients: { ...aws.clients, ...services },
    // Tests look as often as they like.
    budget: createBudget(db, { perSecond: 10_000, burst: 10_000 }),
    meter: noMeter,
    pace: usualPace,
    chance: () => 0.5,
    mask: (text) => text.replaceAll('hunter2', '***'),
    targetFor: (owner, name, pipeline) => (owner === 'acme' && name === 'shop' && pipeline === 'shop' ? target : null),
  });
  // Each look comes seconds after the one before, as polling does: what throttling paused goes on.
  const refresh = async (execution: string): Promise<void> => {
    ahead += 10_000;
    await db.deleteFrom('aws_budgets').execute();
    return patient.refresh(execution);
  };
  const engine: AwsEngine = { ...patient, refresh };
  const request: AwsBench['request'] = ({ key, pullRequest = 12, sha = 'a'.repeat(40) } = {}) => ({
    idempotencyKey: key ?? `start/${(starts += 1)}`,
    repositoryId: repository.id,
    pipeline: 'shop',
    lane: laneKey(repository.id, 'shop', pullRequest),
    definition: readDeclaration(shop),
    trigger: { type: 'WebhookV2', detail: '' },
    sourceRevisions: [{ actionName: 'App', revisionId: sha, revisionType: 'COMMIT_ID' }],
    variables: [],
    by: { kind: 'person', id: 1, login: 'dev' },
    context: {
      headSha: sha,
      pullRequest,
      configSha: 'c'.repeat(40),
      configDigest: 'd',
      fork: false,
      authors: [],
      unmappedAuthors: [],
      cause: 'pull request opened',
      gates: {},
      bareCommands: true,
    },
  });
  const record: AwsBench['record'] = async (id) => {
    const found = await findExecution(db, id);
    if (!found) throw new Error(`execution ${id} is not stored`);
    return found;
  };
  return {
    aws,
    engine,
    request,
    record,
    start: (options) => engine.start(request(options)),
    running: async (id) => {
      const { execution } = await record(id);
      const awsId = 'aws' in execution ? (execution.aws as { executionId?: string }).executionId : undefined;
      const found = aws.executions.find((one) => one.id === awsId);
      if (!found) throw new Error(`AWS runs nothing for ${id}`);
      return found;
    },
    count: (call) => aws.calls.filter((one) => one.call === call).length,
    pass: (ms) => {
      ahead += ms;
    },
  };
}
