import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { defaultGatePolicy, type GatePolicy } from '../../src/commands/gate-policy.ts';
import { auditOf, type AuditRow } from '../../src/db/audit.ts';
import type { TestDatabase } from '../database.ts';
import { findExecution } from '../../src/db/executions.ts';
import { recordHead } from '../../src/db/pull-request-heads.ts';
import { installRepositories } from '../../src/db/repositories.ts';
import { createEmbeddedEngine } from '../../src/engine/embedded/embedded-engine.ts';
import { laneKey, type ActionRun, type ExecutionId } from '../../src/pipeline/execution.ts';
import { aPipeline } from '../engine/a-pipeline.ts';
import { raceAuthor, raceRepository, shaOf, type Act, type Replica, type Said } from './gate-replica.ts';

const definition = aPipeline({
  Source: { Checkout: 'CodeStarSourceConnection' },
  Release: { Approve: 'Manual', Ship: { runOrder: 2 } },
});

const hourMs = 3_600_000;

/** Two acts about one gate at one moment, on two replicas. */
export interface Contest {
  readonly name: string;
  readonly policy?: Partial<GatePolicy>;
  readonly acts: readonly [Contender, Contender];
  /** Throws when there is not exactly one outcome; answers whether the gate was released. */
  readonly judge: (said: readonly [Said, Said], outcome: Outcome) => boolean;
}

type Contender =
  | { readonly kind: 'answer'; readonly person: number; readonly verb: 'approve' | 'reject' }
  | { readonly kind: 'push' }
  | { readonly kind: 'expire' };

/** What the rows say in the end, and what the check runs say. */
interface Outcome {
  readonly status: string | undefined;
  readonly gate: ActionRun | undefined;
  readonly decided: readonly AuditRow[];
  readonly checks: Readonly<Record<string, string>>;
}

export async function gateRace({ db }: TestDatabase, [one, two]: readonly [Replica, Replica]) {
  await installRepositories(db, [raceRepository]);
  const engine = createEmbeddedEngine({ db, host: 'host-1', now: () => new Date(), alsoRuns: () => true });
  let number = 0;

  async function open(policy: Partial<GatePolicy> = {}): Promise<{ pull: number; id: ExecutionId }> {
    number += 1;
    const pull = number;
    const headSha = shaOf(pull, 'older');
    await sql`insert into race_heads values (${pull}, ${headSha})`.execute(db);
    const head = { repositoryId: raceRepository.id, number: pull, headSha, baseRef: 'main', baseSha: headSha };
    await recordHead(db, { ...head, authorId: raceAuthor.id, pushedBy: null }, new Date(Date.now() - 60_000));
    const id = await engine.start({
      idempotencyKey: `race/${pull}`,
      repositoryId: raceRepository.id,
      pipeline: 'web',
      lane: laneKey(raceRepository.id, 'web', pull),
      definition,
      trigger: { type: 'WebhookV2', detail: 'test' },
      sourceRevisions: [{ actionName: 'Checkout', revisionId: headSha }],
      variables: [],
      by: { kind: 'person', id: raceAuthor.id, login: raceAuthor.login },
      context: {
        headSha,
        pullRequest: pull,
        baseRef: 'main',
        baseSha: headSha,
        configSha: headSha,
        configDigest: 'digest',
        fork: false,
        authors: [raceAuthor],
        unmappedAuthors: [],
        cause: 'pull request opened',
        gates: { 'Release/Approve': { ...defaultGatePolicy, ...policy } },
        bareCommands: true,
      },
    });
    return { pull, id };
  }

  /** All jobs are done, on whichever replica; deadlines wait for days. */
  async function settled(): Promise<void> {
    for (;;) {
      const { rows } = await sql<{ left: number; dead: number }>`
        select count(*) filter (where not dead and kind <> 'deadline')::int as left,
          count(*) filter (where dead)::int as dead from jobs`.execute(db);
      expect(rows[0]?.dead).toBe(0);
      if (rows[0]?.left === 0) return;
      await sleep(15);
    }
  }

  async function outcome(pull: number, id: ExecutionId): Promise<Outcome> {
    const record = await findExecution(db, id);
    const decided = (await auditOf(db, id)).filter(({ what }) => what.startsWith('gate-'));
    const { rows } = await sql<{ name: string; shows: string }>`
      select distinct on (name) name, coalesce(conclusion, status) as shows from race_checks
      where head_sha = ${shaOf(pull, 'older')} order by name, id desc`.execute(db);
    const checks = Object.fromEntries(rows.map(({ name, shows }) => [name, shows]));
    return { status: record?.status, gate: record?.execution.stages[1]?.actions[0], decided, checks };
  }

  /** Answers of how many rounds the gate was released. A positive stagger lets the second begin later. */
  async function run({ acts, policy, judge }: Contest, staggers: readonly number[]): Promise<number> {
    // An expiry looks at every gate, so that of a later round may not be over by the one before.
    const limit = (index: number) => ({ expireAfterMs: (index + 1) * hourMs });
    const gates = await Promise.all(staggers.map((_stagger, index) => open({ ...limit(index), ...policy })));
    await settled();
    const begin = Date.now() + 30;
    const said = await Promise.all(
      gates.map(({ pull }, index) => {
        const stagger = staggers[index] ?? 0;
        const at = begin + index * 10;
        const act = (contender: Contender, delay: number): Act => ({
          ...contender,
          pull,
          at: at + Math.max(0, delay),
          inMs: (index + 1.5) * hourMs,
        });
        return Promise.all([one.act(act(acts[0], -stagger)), two.act(act(acts[1], stagger))]);
      }),
    );
    await settled();
    let released = 0;
    for (const [index, { pull, id }] of gates.entries()) {
      const end = await outcome(pull, id);
      if (judge(said[index]!, end)) released += 1;
      expectChecksToAgree(end);
    }
    return released;
  }

  return { run };
}

const shownAs: Readonly<Record<string, string>> = { Succeeded: 'success', Failed: 'failure', Superseded: 'cancelled' };

/** The check runs of the pipeline and of the stage say what the row says. */
function expectChecksToAgree({ status = '', gate, decided, checks }: Outcome): void {
  const expired = decided.some(({ what }) => what === 'gate-expired');
  const shown = expired ? 'timed_out' : shownAs[status];
  expect(checks['web']).toBe(shown);
  // Superseded right after the release: the stage was done by then, or ended with the rest.
  if (status === 'Superseded' && gate?.status === 'Succeeded')
    expect(['success', 'cancelled']).toContain(checks['web / Release']);
  else expect(checks['web / Release']).toBe(shown);
}

const approver = (person: number) => ({ kind: 'answer', person, verb: 'approve' }) as const;

export const contests: readonly Contest[] = [
  {
    name: 'two approvers at once release a gate once, with both (SEC-B-16)',
    policy: { count: 2 },
    acts: [approver(2), approver(3)],
    judge: (said, { status, decided }) => {
      expect(said.filter(({ mark }) => mark === '-1')).toEqual([]);
      expect(decided.map(({ what }) => what)).toEqual(['gate-approved']);
      expect(decided[0]?.detail['verdict']).toMatchObject({ had: 2 });
      expect(status).toBe('Succeeded');
      return true;
    },
  },
  {
    name: 'approve against push: nothing is released after the push was seen (SEC-A-01, SEC-A-02)',
    acts: [approver(2), { kind: 'push' }],
    judge: ([{ mark }, { seen = '' }], { status, gate, decided }) => {
      const approvals = decided.filter(({ what }) => what === 'gate-approved');
      const released = approvals.length === 1;
      expect(approvals.length).toBeLessThanOrEqual(1);
      for (const { at } of approvals) expect(at.getTime()).toBeLessThanOrEqual(Date.parse(seen));
      expect(gate?.status).toBe(released ? 'Succeeded' : 'Abandoned');
      expect(mark).toBe(released ? 'rocket' : '-1');
      expect(status).toMatch(released ? /Succeeded|Superseded/ : /Superseded/);
      return released;
    },
  },
  {
    name: 'approve against reject: one outcome, and the loser is told (SEC-B-17)',
    acts: [approver(2), { kind: 'answer', person: 3, verb: 'reject' }],
    judge: ([yes, no], { status, gate, decided }) => {
      const approved = gate?.status === 'Succeeded';
      expect(decided.map(({ what }) => what)).toEqual([approved ? 'gate-approved' : 'gate-rejected']);
      expect(status).toBe(approved ? 'Succeeded' : 'Failed');
      expect(gate?.answeredBy).toMatchObject({ id: approved ? 2 : 3 });
      expect([yes.mark, no.mark]).toEqual(approved ? ['rocket', '-1'] : ['-1', 'rocket']);
      return approved;
    },
  },
  {
    name: 'approve against expiry: one outcome, and the row agrees (SEC-A-19)',
    acts: [approver(2), { kind: 'expire' }],
    judge: ([{ mark }], { status, gate, decided }) => {
      const approved = gate?.status === 'Succeeded';
      expect(decided.map(({ what }) => what)).toEqual([approved ? 'gate-approved' : 'gate-expired']);
      expect(status).toBe(approved ? 'Succeeded' : 'Failed');
      expect(mark).toBe(approved ? 'rocket' : '-1');
      return approved;
    },
  },
];
