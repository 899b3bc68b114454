import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql, type Kysely } from 'kysely';
import { pino } from 'pino';
import { z } from 'zod';
import type { ApprovalCommand } from '../../src/commands/command.ts';
import type { Database } from '../../src/db/database.ts';
import type { OpenDatabase } from '../../src/db/open.ts';
import { recordHead } from '../../src/db/pull-request-heads.ts';
import { createEmbeddedEngine } from '../../src/engine/embedded/embedded-engine.ts';
import { createLogBook } from '../../src/engine/embedded/log-book.ts';
import { passDeadline, pollAction, runEffect, type EffectRunner } from '../../src/engine/embedded/run-effect.ts';
import { classify } from '../../src/errors.ts';
import type { GitHub, PullRequest } from '../../src/github/github.ts';
import { knownExecutions, type CommandDeps } from '../../src/handlers/asked.ts';
import { approve } from '../../src/handlers/commands/approve.ts';
import { expireGates } from '../../src/handlers/expire-gates.ts';
import { reportExecution } from '../../src/handlers/report-execution.ts';
import { endLane } from '../../src/handlers/start-execution.ts';
import { laneKey } from '../../src/pipeline/execution.ts';
import { allotLocation } from '../../src/providers/artifact-store.ts';
import { manualApproval } from '../../src/providers/manual-approval.ts';
import type { AnyProvider } from '../../src/providers/provider.ts';
import { runWorker } from '../../src/worker.ts';

/** What a replica is told to do about one pull request, and when (milliseconds since 1970). `inMs`: an expiry's clock goes ahead by that. */
export type Act = { readonly pull: number; readonly at: number; readonly inMs: number } & (
  | { readonly kind: 'answer'; readonly person: number; readonly verb: 'approve' | 'reject' }
  | { readonly kind: 'push' }
  | { readonly kind: 'expire' }
);

export interface Said {
  /** Of an answer: how it was acknowledged. */
  readonly mark?: string;
  /** Of a push: the database's time by which everybody can see it, ISO 8601. */
  readonly seen?: string;
}

export interface Replica {
  act(act: Act): Promise<Said>;
  stop(): Promise<void>;
}

export const raceRepository = { id: 42, owner: 'acme', name: 'web', installationId: 7 };
export const raceAuthor = { id: 1, login: 'dev', bot: false };

export function shaOf(pull: number, which: 'older' | 'newer'): string {
  return `${String(pull).padStart(8, '0')}${(which === 'older' ? 'a' : 'b').repeat(32)}`;
}

/** What GitHub knows, shared by all replicas: heads of pull requests and check runs. */
export async function openRaceTables(db: Kysely<Database>): Promise<void> {
  await sql`create table race_heads (pull int primary key, sha text not null)`.execute(db);
  await sql`create table race_checks (id bigint generated always as identity primary key, name text, head_sha text,
    external_id text, status text, conclusion text)`.execute(db);
}

/** One replica: the real handlers and the real worker over a shared database, with a GitHub that answers at once. */
export function gateReplica(open: OpenDatabase, home: string): Replica {
  const { db } = open;
  const now = () => new Date();
  const log = pino({ level: 'silent' });
  const github = githubOn(db);
  const engine = createEmbeddedEngine({ db, host: 'host-1', now });
  const approvals = { allowAuthor: false, allowLastPusher: false, allowCommitters: false };
  const deps = { db, github, engine, log, now, approvals, publicUrl: '', detailsUrl: () => 'https://penstock.example' };
  const drawing = {
    ...deps,
    isolation: '',
    logTail: () => Promise.resolve({ lines: [], cut: 0 }),
    findings: () => Promise.resolve({ findings: [], reports: [], phases: [] }),
  };
  const runner = runnerOn(db, home);
  const worker = runWorker({
    db,
    listen: (channel, onNotify) => open.listen(channel, onNotify),
    worker: randomUUID(),
    host: 'host-1',
    concurrency: 4,
    log,
    handlers: {
      effect: ({ effect }) => runEffect(runner, effect),
      poll: ({ execution, action }) => pollAction(runner, execution, action),
      deadline: ({ execution, action }) => passDeadline(runner, execution, action),
      report: ({ execution }) => reportExecution(drawing, execution),
    },
  });
  return {
    act: async (act) => {
      await sleep(Math.max(0, act.at - Date.now()));
      return asTheQueue(() => once(act));
    },
    stop: () => worker.drain(5_000),
  };

  async function once(act: Act): Promise<Said> {
    switch (act.kind) {
      case 'answer':
        return answer(deps, act);
      case 'push':
        return push(deps, act.pull);
      case 'expire':
        await expireGates({ ...deps, now: () => new Date(Date.now() + act.inMs) });
        return {};
      default:
        return act satisfies never;
    }
  }
}

/** What only found no free connection, on a busy machine, is tried again. */
async function asTheQueue(act: () => Promise<Said>): Promise<Said> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await act();
    } catch (error) {
      if (tries === 5 || classify(error) !== 'transient') throw error;
    }
  }
}

/** What the webhook of a comment does, from the point where its command is read. */
async function answer(deps: CommandDeps, { pull, person, verb }: Act & { kind: 'answer' }): Promise<Said> {
  const known = await knownExecutions(deps, raceRepository.id, pull);
  const command: ApprovalCommand = { verb, target: {}, reason: '' };
  const login = `person-${person}`;
  const { mark } = await approve(
    deps,
    {
      repository: raceRepository,
      pullRequest: await pullRequestOf(deps.db, pull),
      person: { id: person, login, bot: false },
      permission: 'write',
      by: { kind: 'person', id: person, login },
      channel: 'comment',
      claim: `issue-comment/${pull}-${person}`,
      source: `issue-comment/${pull}-${person}`,
      createdAt: new Date(Date.now() + 1000).toISOString(),
      ...known,
    },
    command,
  );
  return { mark };
}

/** What the webhook of a push does. */
async function push(deps: CommandDeps, pull: number): Promise<Said> {
  const { db } = deps;
  const headSha = shaOf(pull, 'newer');
  await sql`update race_heads set sha = ${headSha} where pull = ${pull}`.execute(db);
  const head = { repositoryId: raceRepository.id, number: pull, headSha, baseRef: 'main', baseSha: headSha };
  await recordHead(db, { ...head, authorId: raceAuthor.id, pushedBy: raceAuthor.id });
  const { rows } = await sql<{ at: Date }>`select clock_timestamp() as at`.execute(db);
  const lane = laneKey(raceRepository.id, 'web', pull);
  await endLane(deps, lane, { kind: 'newer-commit', sha: headSha }, { kind: 'penstock', why: 'a push' });
  return { seen: rows[0]!.at.toISOString() };
}

function runnerOn(db: Kysely<Database>, home: string): EffectRunner {
  const fast: AnyProvider = {
    type: { category: 'Compute', owner: 'AWS', provider: 'Fast', version: '1' },
    configuration: z.record(z.string(), z.string()),
    artifacts: { in: [0, 5], out: [0, 5] },
    start: () => Promise.resolve({ kind: 'succeeded', outputVariables: {} }),
  };
  const manual = manualApproval() as AnyProvider;
  return {
    db,
    log: pino({ level: 'silent' }),
    now: () => new Date(),
    findProvider: ({ actionTypeId }) => (actionTypeId.provider === 'Manual' ? manual : fast),
    logs: createLogBook(home),
    allotArtifact: (definition, artifact, seed) => allotLocation('artifacts', definition.name, artifact, seed),
    secretsFor: () => ({}),
    aws: {},
  };
}

async function pullRequestOf(db: Kysely<Database>, pull: number): Promise<PullRequest> {
  const { rows } = await sql<{ sha: string }>`select sha from race_heads where pull = ${pull}`.execute(db);
  return {
    number: pull,
    title: 'A change',
    state: 'open',
    merged: false,
    draft: false,
    author: raceAuthor,
    headSha: rows[0]!.sha,
    headRef: 'feature',
    headRepositoryId: raceRepository.id,
    baseRef: 'main',
    baseSha: shaOf(pull, 'older'),
    mergeSha: null,
  };
}

function githubOn(db: Kysely<Database>): GitHub {
  const people = [2, 3].map((id) => ({ id, login: `person-${id}`, bot: false, permission: 'write' as const }));
  const answered: Partial<GitHub> = {
    writers: () => Promise.resolve(people),
    permissionOf: () => Promise.resolve('write'),
    isTeamMember: () => Promise.resolve(false),
    pullRequest: (_repository, number) => pullRequestOf(db, number),
    branchHead: () => Promise.resolve(null),
    pushOf: () => Promise.resolve(null),
    postCheckRun: async (_repository, { name, headSha, externalId, status, conclusion = null }) => {
      const { rows } = await sql<{ id: number }>`
        insert into race_checks (name, head_sha, external_id, status, conclusion)
        values (${name}, ${headSha}, ${externalId}, ${status}, ${conclusion}) returning id`.execute(db);
      return { id: rows[0]!.id, name, externalId, status, conclusion };
    },
    updateCheckRun: async (_repository, id, { status, conclusion = null }) => {
      await sql`update race_checks set status = ${status}, conclusion = ${conclusion} where id = ${id}`.execute(db);
    },
  };
  // Any other call would be a mistake of the handler, and fails as one.
  return answered as GitHub;
}
