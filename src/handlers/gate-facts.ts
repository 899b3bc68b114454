import {
  evaluateGate,
  type GateFacts,
  type GateVerdict,
  type PersonFacts,
  type Vote,
} from '../commands/approval-rules.ts';
import { defaultGatePolicy, type Approvers, type GatePolicy } from '../commands/gate-policy.ts';
import { loadDefinitions } from '../db/definitions.ts';
import type { ExecutionRecord } from '../db/executions.ts';
import { loadRepository } from '../db/repositories.ts';
import { votesFor, type VoteRecord } from '../db/votes.ts';
import type { Deps } from '../deps.ts';
import type { Account, RepositoryRef } from '../github/github.ts';
import type { ActionExecutionId } from '../pipeline/execution.ts';
import type { GateStory } from '../render/view.ts';

/** One approval action that waits for people. */
export interface WaitingGate {
  readonly stage: string;
  readonly action: string;
  readonly token: string;
  readonly id: ActionExecutionId;
}

type GateDeps = Pick<Deps, 'db' | 'github' | 'now'>;

export function policyOf(record: ExecutionRecord, gate: Pick<WaitingGate, 'stage' | 'action'>): GatePolicy {
  return record.context.gates[`${gate.stage}/${gate.action}`] ?? defaultGatePolicy;
}

/** When the gate began to wait: votes and comments from before do not count for it. */
export function waitingSince(record: ExecutionRecord, gate: WaitingGate): string {
  const run = record.execution.stages.flatMap((stage) => stage.actions).find((one) => one.id === gate.id);
  return run?.startedAt ?? record.execution.updatedAt;
}

/** Asks GitHub live about everybody who voted and everybody who could, then lets the pure rules decide (SEC R3). */
export async function judgeGate(deps: GateDeps, record: ExecutionRecord, gate: WaitingGate): Promise<GateVerdict> {
  const votes = await votesFor(deps.db, record.execution.id, gate.token);
  const people = await gatherPeople(deps, record, votes);
  return evaluateGate(policyOf(record, gate), factsOf(deps, record, gate, votes, people));
}

export async function gateStory(deps: GateDeps, record: ExecutionRecord, gate: WaitingGate): Promise<GateStory> {
  const definitions = await loadDefinitions(deps.db, [record.execution.definition]);
  const declared = definitions[record.execution.definition]?.stages
    .find((stage) => stage.name === gate.stage)
    ?.actions.find((action) => action.name === gate.action);
  return {
    verdict: await judgeGate(deps, record, gate),
    shaNeeded: record.context.fork || policyOf(record, gate).requireSha,
    reasonNeeded: declared?.configuration['IsSummaryRequired'] === 'true',
  };
}

/** The same judgement without asking anybody: for the check inside the transaction that releases the gate. */
export function factsOf(
  deps: Pick<Deps, 'now'>,
  record: ExecutionRecord,
  gate: WaitingGate,
  votes: readonly VoteRecord[],
  people: readonly PersonFacts[],
): GateFacts {
  const { context, execution } = record;
  const [author] = context.authors;
  return {
    binding: {
      execution: execution.id,
      token: gate.token,
      headSha: context.headSha,
      baseSha: context.baseSha ?? null,
      configDigest: context.configDigest,
    },
    waitingSince: waitingSince(record, gate),
    now: deps.now().toISOString(),
    votes: votes.map(voteOf),
    people,
    ...(author ? { author } : {}),
    ...(context.lastPusher ? { lastPusher: context.lastPusher } : {}),
    committers: context.authors,
    unmappedAuthors: context.unmappedAuthors,
    fork: context.fork,
    owners: 'unknown',
  };
}

function voteOf(row: VoteRecord): Vote {
  return {
    person: { id: row.personId, login: row.login },
    answer: row.answer,
    channel: row.channel,
    reason: row.reason,
    at: row.at.toISOString(),
    binding: {
      execution: row.executionId,
      token: row.token,
      headSha: row.headSha,
      baseSha: row.baseSha,
      configDigest: row.configDigest,
    },
  };
}

/** Everybody who voted and everybody who could, as GitHub says right now. */
export async function gatherPeople(
  deps: Pick<Deps, 'db' | 'github'>,
  record: ExecutionRecord,
  votes: readonly VoteRecord[],
): Promise<readonly PersonFacts[]> {
  const repository = await loadRepository(deps.db, record.repositoryId);
  if (!repository) return [];
  const teams = teamsNamed(record);
  const people = new Map<number, PersonFacts>();
  for (const writer of await deps.github.writers(repository))
    people.set(writer.id, await factsAbout(deps, repository, writer, teams));
  for (const { personId, login } of votes) {
    const bot = people.get(personId)?.bot ?? false;
    people.set(personId, await factsAbout(deps, repository, { id: personId, login, bot }, teams));
  }
  return [...people.values()];
}

async function factsAbout(
  deps: Pick<Deps, 'github'>,
  repository: RepositoryRef,
  account: Account,
  teams: readonly string[],
): Promise<PersonFacts> {
  const member: string[] = [];
  for (const team of teams) if (await deps.github.isTeamMember(repository, team, account.login)) member.push(team);
  const permission = await deps.github.permissionOf(repository, account.login);
  return { ...account, permission, teams: member };
}

function teamsNamed(record: ExecutionRecord): readonly string[] {
  const named = Object.values(record.context.gates).flatMap((policy) =>
    groupsOf(policy.from).flatMap((one) => one.teams),
  );
  return [...new Set(named)];
}

function groupsOf(from: Approvers): readonly Approvers[] {
  return [from, ...from.anyOf.flatMap(groupsOf), ...from.allOf.flatMap(groupsOf)];
}
