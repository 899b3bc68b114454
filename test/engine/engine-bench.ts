import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { sql } from 'kysely';
import { z } from 'zod';
import { afterAll } from 'vitest';
import { installRepositories } from '../../src/db/repositories.ts';
import { findExecution } from '../../src/db/executions.ts';
import { createEmbeddedEngine, type EmbeddedEngine } from '../../src/engine/embedded/embedded-engine.ts';
import { pollRule } from '../../src/engine/embedded/run-rule.ts';
import type { AwsCalls } from '../../src/engine/embedded/aws-calls.ts';
import { createLogBook } from '../../src/engine/embedded/log-book.ts';
import { passDeadline, pollAction, runEffect, type EffectRunner } from '../../src/engine/embedded/run-effect.ts';
import type { Engine, ExecutionContext, Notifier, Obeyed, StartRequest } from '../../src/engine/engine.ts';
import type { ActionDeclaration, PipelineDefinition } from '../../src/pipeline/definition.ts';
import { laneKey, type Execution, type ExecutionId } from '../../src/pipeline/execution.ts';
import { waitingApprovals } from '../../src/pipeline/status.ts';
import { allotLocation } from '../../src/providers/artifact-store.ts';
import { manualApproval } from '../../src/providers/manual-approval.ts';
import type { ActionReport, AnyProvider, StartedAction } from '../../src/providers/provider.ts';
import { runWorker, type Worker } from '../../src/worker.ts';
import type { JobPayloads } from '../../src/db/job-payloads.ts';
import type { TestDatabase } from '../database.ts';

export const repository = { id: 42, owner: 'acme', name: 'web', installationId: 7 };

/** The embedded engine with a worker on a real database; actions do what the test says. */
export interface EngineBench {
  readonly engine: EmbeddedEngine;
  readonly runner: EffectRunner;
  readonly worker: Worker;
  readonly home: string;
  /** What `start` was called with, in order. */
  readonly started: StartedAction<unknown>[];
  /** Tokens that `stop` was called with, in order. */
  readonly stopped: string[];
  /** What the next attempts of an action report; the default is success. */
  answers: Record<string, (action: StartedAction<unknown>) => ActionReport>;
  /** Who is told that an approval waits; one that fills `notices` unless the test says otherwise. */
  notifier: Notifier;
  /** What the notifier was told. */
  readonly notices: Parameters<Notifier['approvalWaiting']>[0][];
  /** What AWS would answer; empty: no client is configured. */
  readonly aws: { -readonly [K in keyof AwsCalls]: AwsCalls[K] };
  /** Where state changes go once a receiver is registered. */
  onEvent: (payload: JobPayloads['event']) => Promise<void>;
  /** Where notices go that a notifier left in the outbox. */
  onNotice: (payload: JobPayloads['notice']) => Promise<void>;
  /** How far the engine's clock is ahead. */
  shiftMs: number;
  start(definition: PipelineDefinition, change?: StartChange): Promise<ExecutionId>;
  /** The stored execution, which has to exist. */
  read(execution: ExecutionId): Promise<Execution>;
  /** Answers the approval that this execution waits for. */
  answer(execution: ExecutionId, answer?: 'approve' | 'reject', summary?: string): Promise<Obeyed>;
  status(execution: ExecutionId): Promise<string | undefined>;
  settled(): Promise<void>;
}

export interface StartChange extends Partial<
  Pick<StartRequest, 'exclusive' | 'trigger' | 'variables' | 'sourceRevisions'>
> {
  readonly key?: string;
  readonly pullRequest?: number;
  readonly headSha?: string;
  readonly pipeline?: string;
  readonly fork?: boolean;
}

/** `real`: providers that do real work, made for the bench's home; the others answer as the test says. */
export async function engineBench(
  { open, db }: TestDatabase,
  real: (home: string) => (declaration: ActionDeclaration) => AnyProvider | undefined = () => () => undefined,
): Promise<EngineBench> {
  const home = mkdtempSync(join(tmpdir(), 'penstock-engine-'));
  const findReal = real(home);
  const log = pino({ level: 'silent' });
  const started: StartedAction<unknown>[] = [];
  const stopped: string[] = [];
  const answers: EngineBench['answers'] = {};
  const aws: EngineBench['aws'] = {};
  const notices: EngineBench['notices'] = [];
  const onEvent: EngineBench['onEvent'] = () => Promise.resolve();
  const onNotice: EngineBench['onNotice'] = () => Promise.resolve();
  const notifier: Notifier = {
    approvalWaiting: (notice) => {
      if (notice.topicArn.endsWith(':gone')) return Promise.reject(new Error('no such topic'));
      notices.push(notice);
      return Promise.resolve();
    },
  };
  const bench = { answers, aws, notices, notifier, onEvent, onNotice, shiftMs: 0 };
  const now = (): Date => new Date(Date.now() + bench.shiftMs);
  const fast: AnyProvider = {
    type: { category: 'Compute', owner: 'AWS', provider: 'Fast', version: '1' },
    configuration: z.record(z.string(), z.string()),
    artifacts: { in: [0, 5], out: [0, 5] },
    start: (action) => {
      started.push(action);
      const answer = bench.answers[action.declaration.name];
      return Promise.resolve(answer ? answer(action) : { kind: 'succeeded', outputVariables: {} });
    },
    poll: (action) =>
      Promise.resolve(bench.answers[action.declaration.name]?.(action) ?? { kind: 'succeeded', outputVariables: {} }),
    stop: ({ token }) => Promise.resolve(void stopped.push(token)),
  };
  const manual = manualApproval() as AnyProvider;
  const runner: EffectRunner = {
    db,
    log,
    now,
    findProvider: (declaration) =>
      findReal(declaration) ?? (declaration.actionTypeId.provider === 'Manual' ? manual : fast),
    logs: createLogBook(home),
    allotArtifact: (definition, artifact, seed) => allotLocation('artifacts', definition.name, artifact, seed),
    secretsFor: () => ({}),
    aws,
    notifier: { approvalWaiting: (notice) => bench.notifier.approvalWaiting(notice) },
    detailsUrl: ({ id }) => `https://penstock.example/executions/${id}`,
  };
  const engine = createEmbeddedEngine({ db, host: 'host-1', now, alsoRuns: () => true });
  const worker = runWorker({
    db,
    listen: (channel, onNotify) => open.listen(channel, onNotify),
    worker: `host-1/${randomUUID()}`,
    host: 'host-1',
    concurrency: 8,
    log,
    handlers: {
      effect: ({ effect }) => runEffect(runner, effect),
      poll: ({ execution, action }) => pollAction(runner, execution, action),
      'poll-rule': ({ execution, rule }) => pollRule(runner, execution, rule),
      deadline: ({ execution, action }) => passDeadline(runner, execution, action),
      report: () => Promise.resolve(),
      event: (payload) => bench.onEvent(payload),
      notice: (payload) => bench.onNotice(payload),
    },
  });
  afterAll(async () => {
    await worker.drain(1000);
    await rm(home, { recursive: true, force: true });
  });
  await installRepositories(db, [repository]);
  return Object.assign(bench, {
    engine,
    runner,
    worker,
    home,
    started,
    stopped,
    start: (definition: PipelineDefinition, change: StartChange = {}) => startOn(engine, definition, change),
    read: async (execution: ExecutionId) => (await findExecution(db, execution))!.execution,
    answer: (execution: ExecutionId, kind: 'approve' | 'reject' = 'approve', summary = 'fine') =>
      answerGate(engine, db, execution, { kind, summary }),
    status: async (execution: ExecutionId) => (await findExecution(db, execution))?.status,
    settled: () => settle(worker, db),
  });
}

/** `idle` alone may answer while the last job that ran has just left more to do. */
async function settle(worker: Worker, db: TestDatabase['db']): Promise<void> {
  for (;;) {
    await worker.idle();
    const due = sql<boolean>`not dead and (worker is not null or run_at <= now())`;
    const left = await db.selectFrom('jobs').select('id').where(due).executeTakeFirst();
    if (!left) return;
  }
}

async function answerGate(
  engine: Engine,
  db: TestDatabase['db'],
  execution: ExecutionId,
  answer: { readonly kind: 'approve' | 'reject'; readonly summary: string },
): Promise<Obeyed> {
  const record = await findExecution(db, execution);
  const [gate] = record ? waitingApprovals(record.execution) : [];
  if (!record || !gate) throw new Error(`execution ${execution} waits for nobody`);
  const { stage, action, token } = gate;
  const by = { kind: 'person', id: 2, login: 'reviewer' } as const;
  return engine.obey({ ...answer, lane: record.execution.lane, execution, stage, action, token }, by);
}

function startOn(engine: Engine, definition: PipelineDefinition, change: StartChange): Promise<ExecutionId> {
  const headSha = change.headSha ?? 'a'.repeat(40);
  const context: ExecutionContext = {
    headSha,
    configSha: headSha,
    configDigest: 'digest',
    fork: change.fork ?? false,
    authors: [],
    unmappedAuthors: [],
    cause: 'push to main',
    gates: {},
    bareCommands: true,
    ...(change.pullRequest === undefined ? {} : { pullRequest: change.pullRequest }),
  };
  return engine.start({
    idempotencyKey: change.key ?? randomUUID(),
    repositoryId: repository.id,
    pipeline: change.pipeline ?? 'web',
    lane: laneKey(repository.id, change.pipeline ?? 'web', change.pullRequest),
    definition,
    trigger: change.trigger ?? { type: 'WebhookV2', detail: 'test' },
    sourceRevisions: change.sourceRevisions ?? [{ actionName: 'Checkout', revisionId: headSha }],
    variables: change.variables ?? [],
    ...(change.exclusive ? { exclusive: change.exclusive } : {}),
    by: { kind: 'person', id: 1, login: 'dev' },
    context,
  });
}
