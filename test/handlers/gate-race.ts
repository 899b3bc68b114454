import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, expect } from 'vitest';
import type { ApprovalCommand } from '../../src/commands/command.ts';
import { defaultGatePolicy, type GatePolicy } from '../../src/commands/gate-policy.ts';
import { auditOf } from '../../src/db/audit.ts';
import { findExecution } from '../../src/db/executions.ts';
import { openDatabase } from '../../src/db/open.ts';
import { recordHead } from '../../src/db/pull-request-heads.ts';
import { createEmbeddedEngine } from '../../src/engine/embedded/embedded-engine.ts';
import type { GitHub, PullRequest } from '../../src/github/github.ts';
import { knownExecutions, type Answer, type CommandDeps } from '../../src/handlers/asked.ts';
import { approve } from '../../src/handlers/commands/approve.ts';
import { expireGates } from '../../src/handlers/expire-gates.ts';
import { endLane } from '../../src/handlers/start-execution.ts';
import { laneKey, type ExecutionId } from '../../src/pipeline/execution.ts';
import type { TestDatabase } from '../database.ts';
import { aPipeline } from '../engine/a-pipeline.ts';
import { engineBench, repository } from '../engine/engine-bench.ts';

const older = 'a'.repeat(40);
const newer = 'b'.repeat(40);
const dev = { id: 1, login: 'dev', bot: false };
const definition = aPipeline({
  Source: { Checkout: 'CodeStarSourceConnection' },
  Release: { Approve: 'Manual', Ship: { runOrder: 2 } },
});

/** Gates over two replicas that share one database, with a GitHub that answers at once. */
export async function gateRace(database: TestDatabase) {
  const bench = await engineBench(database);
  const second =
    database.url === undefined ? database.open : await openDatabase({ kind: 'postgres', url: database.url });
  if (second !== database.open) afterAll(() => second.close());
  const heads = new Map<number, string>();
  const github = githubOf(heads);
  const now = () => new Date();
  const base = { github, log: bench.runner.log, publicUrl: '', detailsUrl: () => '', approvals: allowed };
  const replicas = [database.db, second.db].map((db): CommandDeps => ({
    ...base,
    db,
    now,
    engine: createEmbeddedEngine({ db, host: 'host-1', now }),
  })) as [CommandDeps, CommandDeps];
  let number = 0;

  async function open(policy: Partial<GatePolicy> = {}): Promise<{ number: number; id: ExecutionId }> {
    number += 1;
    heads.set(number, older);
    const head = { repositoryId: repository.id, number, headSha: older, baseRef: 'main', baseSha: older };
    await recordHead(database.db, { ...head, authorId: dev.id, pushedBy: null }, new Date(Date.now() - 60_000));
    const id = await bench.engine.start({
      idempotencyKey: `race/${number}`,
      repositoryId: repository.id,
      pipeline: 'web',
      lane: laneKey(repository.id, 'web', number),
      definition,
      trigger: { type: 'WebhookV2', detail: 'test' },
      sourceRevisions: [{ actionName: 'Checkout', revisionId: older }],
      variables: [],
      by: { kind: 'person', id: dev.id, login: dev.login },
      context: {
        headSha: older,
        pullRequest: number,
        baseRef: 'main',
        baseSha: older,
        configSha: older,
        configDigest: 'digest',
        fork: false,
        authors: [dev],
        unmappedAuthors: [],
        cause: 'pull request opened',
        gates: { 'Release/Approve': { ...defaultGatePolicy, ...policy } },
        bareCommands: true,
      },
    });
    await bench.settled();
    return { number, id };
  }

  async function answer(deps: CommandDeps, pull: number, person: number, verb: 'approve' | 'reject'): Promise<Answer> {
    const known = await knownExecutions(deps, repository.id, pull);
    const command: ApprovalCommand = { verb, target: {}, reason: '' };
    const login = `person-${person}`;
    const asked = {
      repository,
      pullRequest: pullRequestOf(pull, heads),
      person: { id: person, login, bot: false },
      permission: 'write' as const,
      by: { kind: 'person' as const, id: person, login },
      channel: 'comment' as const,
      source: `issue-comment/${pull}-${person}`,
      createdAt: new Date(Date.now() + 1000).toISOString(),
      ...known,
    };
    return approve(deps, asked, command);
  }

  /** What the webhook of a push does; answers the database's time by which everybody can see it. */
  async function push(deps: CommandDeps, pull: number): Promise<Date> {
    heads.set(pull, newer);
    const head = { repositoryId: repository.id, number: pull, headSha: newer, baseRef: 'main', baseSha: older };
    await recordHead(deps.db, { ...head, authorId: dev.id, pushedBy: dev.id });
    const { rows } = await sql<{ at: Date }>`select clock_timestamp() as at`.execute(deps.db);
    const lane = laneKey(repository.id, 'web', pull);
    await endLane(deps, lane, { kind: 'newer-commit', sha: newer }, { kind: 'penstock', why: 'a push' });
    return rows[0]?.at ?? new Date(0);
  }

  async function outcome(id: ExecutionId) {
    await bench.settled();
    const record = await findExecution(database.db, id);
    const gate = record?.execution.stages[1]?.actions[0];
    const decided = (await auditOf(database.db, id)).filter(({ what }) => what.startsWith('gate-'));
    return { status: record?.status, gate, decided };
  }

  return { open, answer, push, outcome, replicas };
}

type Race = Awaited<ReturnType<typeof gateRace>>;

/** Both at once, one of them a little later: positive, the second; negative, the first. Answers whether it was released. */
type Round = (race: Race, staggerMs: number) => Promise<boolean>;

async function together<A, B>(first: () => Promise<A>, second: () => Promise<B>, staggerMs: number): Promise<[A, B]> {
  return Promise.all([after(-staggerMs, first), after(staggerMs, second)]);
}

async function after<T>(ms: number, act: () => Promise<T>): Promise<T> {
  if (ms > 0) await sleep(ms);
  return act();
}

export const rounds: readonly (readonly [string, Round])[] = [
  ['two approvers at once release a gate once (SEC-B-16)', twoApprovers],
  ['approve against push: nothing is released after the push was seen (SEC-A-01, SEC-A-02)', approveAgainstPush],
  ['approve against reject: one outcome, and the loser is told (SEC-B-17)', approveAgainstReject],
  ['approve against expiry: one outcome (SEC-A-19)', approveAgainstExpiry],
];

/** Two approvers at one moment on two replicas, and two are needed: released once, with both (SEC-B-16). */
async function twoApprovers(
  { open, answer, outcome, replicas: [one, two] }: Race,
  staggerMs: number,
): Promise<boolean> {
  const { number, id } = await open({ count: 2 });
  const answers = await together(
    () => answer(one, number, 2, 'approve'),
    () => answer(two, number, 3, 'approve'),
    staggerMs,
  );
  expect(answers.map(({ mark }) => mark).filter((mark) => mark === '-1')).toEqual([]);
  const { status, decided } = await outcome(id);
  expect(decided.map(({ what }) => what)).toEqual(['gate-approved']);
  expect(decided[0]?.detail['verdict']).toMatchObject({ had: 2 });
  expect(status).toBe('Succeeded');
  return true;
}

/** A push while the approval is taken: released before it was seen, or not at all (SEC-A-01, SEC-A-02). */
async function approveAgainstPush(
  { open, answer, push, outcome, replicas: [one, two] }: Race,
  staggerMs: number,
): Promise<boolean> {
  const { number, id } = await open();
  const [said, seen] = await together(
    () => answer(one, number, 2, 'approve'),
    () => push(two, number),
    staggerMs,
  );
  const { status, gate, decided } = await outcome(id);
  const approvals = decided.filter(({ what }) => what === 'gate-approved');
  expect(approvals.length).toBeLessThanOrEqual(1);
  for (const { at } of approvals) expect(at.getTime()).toBeLessThanOrEqual(seen.getTime());
  expect(gate?.status).toBe(approvals.length === 1 ? 'Succeeded' : 'Abandoned');
  expect(said.mark).toBe(approvals.length === 1 ? 'rocket' : '-1');
  expect(status).toMatch(approvals.length === 1 ? /Succeeded|Superseded/ : /Superseded/);
  return approvals.length === 1;
}

/** One outcome, and whoever lost is told (SEC-B-17). */
async function approveAgainstReject(
  { open, answer, outcome, replicas: [one, two] }: Race,
  staggerMs: number,
): Promise<boolean> {
  const { number, id } = await open();
  const [yes, no] = await together(
    () => answer(one, number, 2, 'approve'),
    () => answer(two, number, 3, 'reject'),
    staggerMs,
  );
  const { status, gate, decided } = await outcome(id);
  const approved = gate?.status === 'Succeeded';
  expect(decided.map(({ what }) => what)).toEqual([approved ? 'gate-approved' : 'gate-rejected']);
  expect(status).toBe(approved ? 'Succeeded' : 'Failed');
  expect(gate?.answeredBy).toMatchObject({ id: approved ? 2 : 3 });
  expect([yes.mark, no.mark]).toEqual(approved ? ['rocket', '-1'] : ['-1', 'rocket']);
  return approved;
}

/** The last moment: approved or expired, and the row agrees (SEC-A-19). */
async function approveAgainstExpiry(
  { open, answer, outcome, replicas: [one, two] }: Race,
  staggerMs: number,
): Promise<boolean> {
  const { number, id } = await open({ expireAfterMs: 3_600_000 });
  const later = { ...two, now: () => new Date(Date.now() + 2 * 3_600_000) };
  const [said] = await together(
    () => answer(one, number, 2, 'approve'),
    () => expireGates(later),
    staggerMs,
  );
  const { status, gate, decided } = await outcome(id);
  const approved = gate?.status === 'Succeeded';
  expect(decided.map(({ what }) => what)).toEqual([approved ? 'gate-approved' : 'gate-expired']);
  expect(status).toBe(approved ? 'Succeeded' : 'Failed');
  expect(said.mark).toBe(approved ? 'rocket' : '-1');
  return approved;
}

const allowed = { allowAuthor: false, allowLastPusher: false, allowCommitters: false };

function pullRequestOf(number: number, heads: ReadonlyMap<number, string>): PullRequest {
  return {
    number,
    title: 'A change',
    state: 'open',
    merged: false,
    draft: false,
    author: dev,
    headSha: heads.get(number) ?? older,
    headRef: 'feature',
    headRepositoryId: repository.id,
    baseRef: 'main',
    baseSha: older,
    mergeSha: null,
  };
}

function githubOf(heads: ReadonlyMap<number, string>): GitHub {
  const people = [2, 3].map((id) => ({ id, login: `person-${id}`, bot: false, permission: 'write' as const }));
  const answered: Partial<GitHub> = {
    writers: () => Promise.resolve(people),
    permissionOf: () => Promise.resolve('write'),
    isTeamMember: () => Promise.resolve(false),
    pullRequest: (_repository, number) => Promise.resolve(pullRequestOf(number, heads)),
    branchHead: () => Promise.resolve(null),
  };
  // Any other call would be a mistake of the handler, and fails as one.
  return answered as GitHub;
}
