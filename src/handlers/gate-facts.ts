import { evaluateGate, type GateFacts, type GateVerdict, type Vote } from '../commands/approval-rules.ts';
import { defaultGatePolicy, type GatePolicy } from '../commands/gate-policy.ts';
import type { ExecutionRecord } from '../db/executions.ts';
import { votesFor, type VoteRecord } from '../db/votes.ts';
import type { Deps } from '../deps.ts';
import { needsSummary } from '../pipeline/approval.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { ActionExecutionId } from '../pipeline/execution.ts';
import { gatherPeople, type AskedPeople } from './gate-people.ts';

/** One approval action that waits for people. */
export interface WaitingGate {
  readonly stage: string;
  readonly action: string;
  readonly token: string;
  readonly id: ActionExecutionId;
}

export type GateDeps = Pick<Deps, 'db' | 'github' | 'now'>;

export function policyOf(record: ExecutionRecord, gate: Pick<WaitingGate, 'stage' | 'action'>): GatePolicy {
  return record.context.gates[`${gate.stage}/${gate.action}`] ?? defaultGatePolicy;
}

/** Its commit is fixed, and its pull request, if there is one, is merged. */
export function isPush({ execution }: Pick<ExecutionRecord, 'execution'>): boolean {
  return !execution.lane.includes('/pr-');
}

/** A blank reason is refused (`IsSummaryRequired`, CP-A-7). */
export function reasonNeeded(
  definition: PipelineDefinition | undefined,
  gate: Pick<WaitingGate, 'stage' | 'action'>,
): boolean {
  const stage = definition?.stages.find(({ name }) => name === gate.stage);
  const declared = stage?.actions.find(({ name }) => name === gate.action);
  return declared !== undefined && needsSummary(declared);
}

/** What an answer to the gate is given for, in the words of the tables (SEC R1). */
export function boundTo({
  record: { context },
  token,
}: Pick<WaitingGate, 'token'> & { readonly record: ExecutionRecord }) {
  return {
    token,
    headSha: context.headSha,
    baseSha: context.baseSha ?? null,
    configDigest: context.configDigest,
    ...(context.pullRequest === undefined ? {} : { pullRequest: context.pullRequest }),
  };
}

/** When the gate began to wait: votes and comments from before do not count for it. */
export function waitingSince(record: ExecutionRecord, gate: WaitingGate): string {
  const run = record.execution.stages.flatMap((stage) => stage.actions).find((one) => one.id === gate.id);
  return run?.startedAt ?? record.execution.updatedAt;
}

/** A gate as it stands: the verdict, and what GitHub said about people for it. */
export interface Judged extends AskedPeople {
  readonly verdict: GateVerdict;
}

/** Asks GitHub live about everybody who voted and everybody who could, then lets the pure rules decide (SEC R3). */
export async function judgeGate(deps: GateDeps, record: ExecutionRecord, gate: WaitingGate): Promise<Judged> {
  const votes = await votesFor(deps.db, record.execution.id, gate.token);
  const asked = await gatherPeople(deps, record, votes);
  return { ...asked, verdict: judgeVotes(deps, record, gate, { votes, asked }) };
}

/** The same judgement without asking anybody: for the check inside the transaction that releases the gate. */
export function judgeVotes(
  deps: Pick<Deps, 'now'>,
  record: ExecutionRecord,
  gate: WaitingGate,
  { votes, asked }: { readonly votes: readonly VoteRecord[]; readonly asked: AskedPeople },
): GateVerdict {
  return evaluateGate(policyOf(record, gate), factsOf(deps, record, gate, { votes, asked }));
}

function factsOf(
  deps: Pick<Deps, 'now'>,
  record: ExecutionRecord,
  gate: WaitingGate,
  { votes, asked }: { readonly votes: readonly VoteRecord[]; readonly asked: AskedPeople },
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
    people: asked.people,
    peopleCut: asked.cut ?? false,
    ...(author ? { author } : {}),
    ...(asked.lastPusher ? { lastPusher: asked.lastPusher } : {}),
    committers: context.authors,
    unmappedAuthors: context.unmappedAuthors,
    fork: context.fork,
    owners: context.owners ?? 'unknown',
    skippedOwnerLines: context.skippedOwnerLines ?? [],
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
