import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { defaultGatePolicy } from '../../src/commands/gate-policy.ts';
import { auditOf } from '../../src/db/audit.ts';
import { saveDefinition } from '../../src/db/definitions.ts';
import { findExecution, insertExecution, saveExecution, type NewExecution } from '../../src/db/executions.ts';
import { lockLane } from '../../src/db/lanes.ts';
import { recordHead } from '../../src/db/pull-request-heads.ts';
import { installRepositories } from '../../src/db/repositories.ts';
import type { Engine, ExecutionContext } from '../../src/engine/engine.ts';
import type { GitHub, PullRequest } from '../../src/github/github.ts';
import { expireGates } from '../../src/handlers/expire-gates.ts';
import { judgeGate } from '../../src/handlers/gate-facts.ts';
import { releaseGate, settleGate, type OpenGate } from '../../src/handlers/gate-release.ts';
import { saveVote } from '../../src/handlers/save-vote.ts';
import { configurationNow, voidByConfiguration } from '../../src/handlers/void-by-configuration.ts';
import { laneKey, type Actor, type Execution, type ExecutionId } from '../../src/pipeline/execution.ts';
import { waitingApprovals } from '../../src/pipeline/status.ts';
import { testDatabase } from '../database.ts';
import { definition, headSha, waitingExecution } from '../web/sample-execution.ts';

// What happens between the judgement of a gate and the lock under which it is released: of races one sees it by luck.
const { db } = await testDatabase();
const repository = { id: 1, owner: 'acme', name: 'web', installationId: 7 };
const ada = { id: 7, login: 'ada', bot: false };
const rita = { id: 2, login: 'rita', bot: false };
const pull = 12;
const base = { baseRef: 'main', baseSha: 'b'.repeat(40) };
const pullRequest: PullRequest = {
  number: pull,
  title: 'A change',
  state: 'open',
  merged: false,
  draft: false,
  author: ada,
  headSha,
  headRef: 'feature',
  headRepositoryId: repository.id,
  ...base,
  mergeSha: null,
};

await installRepositories(db, [repository]);
beforeEach(async () => {
  // All that these tests share; to empty every table takes longer than a test.
  await db.deleteFrom('executions').execute();
  await db.deleteFrom('pull_request_heads').execute();
});

/** An execution that waits at its gate; `lane` of a pull request unless told otherwise. */
async function openGate(change: Partial<Execution> = {}, more: Partial<ExecutionContext> = {}): Promise<OpenGate> {
  const waiting = waitingExecution();
  const startedAt = new Date().toISOString();
  const stages = waiting.stages.map((stage) => ({
    ...stage,
    actions: stage.actions.map((run) => (run.phase === 'waiting' ? { ...run, token: randomUUID(), startedAt } : run)),
  }));
  const execution = { ...waiting, id: randomUUID() as ExecutionId, stages, ...change };
  const context: ExecutionContext = {
    headSha,
    pullRequest: pull,
    ...base,
    configSha: base.baseSha,
    configDigest: 'digest',
    fork: false,
    authors: [ada],
    unmappedAuthors: [],
    cause: 'pull request opened',
    gates: { 'Release/Approve': defaultGatePolicy },
    bareCommands: true,
    ...more,
  };
  const mirrors = { status: 'InProgress', live: true, waiting: true } as const;
  const rest = { repositoryId: repository.id, idempotencyKey: execution.id, host: 'h', ...mirrors };
  const stored: NewExecution = { execution, context, ...rest };
  await db.transaction().execute(async (trx) => {
    await saveDefinition(trx, execution.definition, definition);
    await lockLane(trx, execution.lane, { repositoryId: repository.id, pipeline: 'web' });
    await insertExecution(trx, stored);
  });
  const record = (await findExecution(db, execution.id))!;
  return { ...waitingApprovals(execution)[0]!, record };
}

interface World {
  /** Comes between the judgement and the lock; once. */
  readonly meanwhile?: () => Promise<unknown>;
  readonly seen?: Partial<PullRequest> | null;
  readonly now?: () => Date;
  /** The configuration at the head of the base branch. */
  readonly config?: string;
}

/** Handlers over the real tables; the engine does nothing but what it promises of the recheck. */
function depsOf({ meanwhile, seen = {}, now = () => new Date(), config }: World = {}) {
  const obeyed: string[] = [];
  const actors: Actor[] = [];
  const redrawn: string[] = [];
  let between = meanwhile;
  const engine: Engine = {
    start: () => Promise.reject(new Error('nothing may start')),
    refresh: (id) => Promise.resolve(void redrawn.push(id)),
    obey: async ({ kind }, actor, along) => {
      actors.push(actor);
      await between?.();
      between = undefined;
      const refusal = await db.transaction().execute(async (trx) => along?.recheck?.(trx));
      if (refusal) return { outcome: 'refused', refusal };
      obeyed.push(kind);
      return { outcome: 'done' };
    },
  };
  const github: Partial<GitHub> = {
    writers: () => Promise.resolve([{ ...rita, permission: 'write' }]),
    permissionOf: () => Promise.resolve('write'),
    pullRequest: () => Promise.resolve(seen && { ...pullRequest, ...seen }),
    branchHead: () => Promise.resolve(config === undefined ? null : { sha: 'c'.repeat(40), message: '' }),
    readFile: () => Promise.resolve(config ?? null),
    pushOf: () => Promise.resolve(null),
  };
  return { deps: { db, engine, now, github: github as GitHub }, obeyed, actors, redrawn };
}

function say(gate: OpenGate, person: typeof rita, answer: 'approve' | 'reject') {
  return saveVote({ db }, gate, { person, answer, channel: 'comment', source: `c/${person.id}/${answer}`, reason: '' });
}

const by = { kind: 'person', id: rita.id, login: rita.login } as const;

/** Rita approved; the gate is judged, the world changes, and it is released once. */
async function release(gate: OpenGate, world: World) {
  await say(gate, rita, 'approve');
  const { deps, obeyed } = depsOf(world);
  const judged = await judgeGate(deps, gate.record, gate);
  expect(judged.verdict.outcome).toBe('approved');
  const end = await releaseGate(deps, repository, gate, { judged, by, reason: '' });
  const told = (await auditOf(db, gate.record.execution.id))
    .map(({ what }) => what)
    .filter((what) => what.startsWith('gate'));
  return { end, obeyed, told };
}

test('nothing changed: it is released, and told once', async () => {
  const { end, obeyed, told } = await release(await openGate(), {});
  expect([end, obeyed, told]).toEqual([{ kind: 'done' }, ['approve'], ['gate-approved']]);
});

test('what GitHub said of people a minute ago is asked again (SEC-B-07)', async () => {
  let late = 0;
  const now = () => new Date(Date.now() + late);
  const { end, told } = await release(await openGate(), { now, meanwhile: () => Promise.resolve((late = 61_000)) });
  expect([end, told]).toEqual([{ kind: 'again' }, []]);
});

test('a rejection of somebody who was not asked about stops the release until they are (SEC-B-17)', async () => {
  const gate = await openGate();
  const stranger = { id: 99, login: 'stranger', bot: false };
  const { end, told } = await release(gate, { meanwhile: () => say(gate, stranger, 'reject') });
  expect([end, told]).toEqual([{ kind: 'again' }, []]);
});

test('an answer that changes the verdict meanwhile is judged anew, and decides (SEC-B-17)', async () => {
  const gate = await openGate();
  await say(gate, rita, 'approve');
  const { deps, obeyed, actors } = depsOf({ meanwhile: () => say(gate, rita, 'reject') });
  // Whoever made it be looked at is not who decided.
  const sam = { kind: 'person', id: 3, login: 'sam' } as const;
  const { release: end } = await settleGate(deps, repository, gate, { by: sam, reason: '' });
  expect([end, obeyed, actors]).toEqual([{ kind: 'done' }, ['reject'], [by, by]]);
});

test('a push that is seen after GitHub was asked releases nothing (SEC-A-02)', async () => {
  const head = { repositoryId: 1, number: pull, headSha: 'f'.repeat(40), ...base, authorId: 7, pushedBy: null };
  const { end, told } = await release(await openGate(), { meanwhile: () => recordHead(db, head) });
  expect(end).toMatchObject({ kind: 'refused', why: expect.stringContaining('`fffffff` by now') });
  expect(told).toEqual([]);
});

test.each([
  ['gone', { seen: null }, 'is closed'],
  ['closed (SEC-A-16)', { seen: { state: 'closed' } }, 'is closed'],
  ['at another commit (SEC-A-02)', { seen: { headSha: 'e'.repeat(40) } }, '`eeeeeee` by now'],
  ['for another branch (SEC-A-13)', { seen: { baseRef: 'next' } }, 'another branch'],
  ['under another configuration (SEC-A-14)', { config: 'pipelines: {}\n' }, 'configuration on the base branch changed'],
  [
    'under a broken configuration (SEC-A-14)',
    { config: 'pipelines: []\n' },
    'configuration on the base branch changed',
  ],
] as const)('a pull request that is %s releases nothing', async (_name, world, why) => {
  const { end, obeyed, told } = await release(await openGate(), world);
  expect(end).toMatchObject({ kind: 'refused', why: expect.stringContaining(why) });
  expect([obeyed, told]).toEqual([[], []]);
});

test('a push of a merged pull request is released whatever becomes of that', async () => {
  const gate = await openGate({ lane: laneKey(1, 'web') });
  const { end } = await release(gate, { seen: { state: 'closed', headSha: 'e'.repeat(40) } });
  expect(end).toEqual({ kind: 'done' });
});

/** Somebody's answer moved the gate. */
async function answered({ record }: OpenGate): Promise<void> {
  const stages = record.execution.stages.slice(0, -1);
  const mirrors = { status: 'InProgress', live: true, waiting: false } as const;
  await db.transaction().execute((trx) => saveExecution(trx, { ...record.execution, stages }, mirrors));
}

test('what was answered meanwhile is told of neither as a release nor as an expiry (SEC-A-19)', async () => {
  const gate = await openGate();
  expect((await release(gate, { meanwhile: () => answered(gate) })).told).toEqual([]);
  await db.deleteFrom('executions').execute();
  const other = await openGate();
  const late = depsOf({ now: () => new Date(Date.now() + 8 * 86_400_000), meanwhile: () => answered(other) });
  await expireGates(late.deps);
  expect(late.obeyed).toEqual(['reject']);
  expect(await auditOf(db, other.record.execution.id)).toEqual([]);
});

test('a gate expires when its time is over and not before, and its row says so (SEC-A-18)', async () => {
  const { record } = await openGate();
  const at = (days: number) => depsOf({ now: () => new Date(Date.now() + days * 86_400_000) });
  const early = at(6.9);
  await expireGates(early.deps);
  expect(early.obeyed).toEqual([]);
  await expireGates(at(7.1).deps);
  expect(await auditOf(db, record.execution.id)).toMatchObject([
    { who: 'Penstock', what: 'gate-expired', detail: { gate: 'Release/Approve', headSha, pullRequest: pull } },
  ]);
});

test('a configuration that changed on the base branch is told of once, and so is its undoing (SEC-A-14)', async () => {
  const { record } = await openGate();
  const { deps, redrawn } = depsOf();
  const push = async (digest: string, ref: object = {}) => {
    const pushed = { repository, before: '', after: 'a'.repeat(40), ref: { kind: 'branch', name: 'main', ...ref } };
    await voidByConfiguration(deps, pushed as never, { kind: 'ok', digest } as never);
    return configurationNow(record, await auditOf(db, record.execution.id));
  };
  expect([await push('digest'), await push('other', { name: 'next' }), await push('other', { kind: 'tag' })]).toEqual(
    Array(3).fill('digest'),
  );
  expect(redrawn).toEqual([]);
  expect([await push('other'), await push('other'), await push('digest'), await push('digest')]).toEqual([
    'other',
    'other',
    'digest',
    'digest',
  ]);
  const main = { repository, before: '', after: 'a'.repeat(40), ref: { kind: 'branch', name: 'main' } };
  await voidByConfiguration(deps, main as never, { kind: 'broken', problems: [] });
  expect(configurationNow(record, await auditOf(db, record.execution.id))).toBe('broken');
  expect(redrawn).toHaveLength(3);
});

test('a configuration that changed voids nothing of what a push started', async () => {
  const { record } = await openGate({ lane: laneKey(1, 'web') });
  const { deps, redrawn } = depsOf();
  const pushed = { repository, before: '', after: 'a'.repeat(40), ref: { kind: 'branch', name: 'main' } };
  await voidByConfiguration(deps, pushed as never, { kind: 'broken', problems: [] });
  expect([redrawn, await auditOf(db, record.execution.id)]).toEqual([[], []]);
});
