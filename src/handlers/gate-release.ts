import type { GateVerdict } from '../commands/approval-rules.ts';
import { loadConfiguration } from '../config/load.ts';
import { recordAudit } from '../db/audit.ts';
import { findExecution, type ExecutionRecord } from '../db/executions.ts';
import { latestHead } from '../db/pull-request-heads.ts';
import { votesFor } from '../db/votes.ts';
import type { Deps } from '../deps.ts';
import type { Recheck } from '../engine/engine.ts';
import type { RepositoryRef } from '../github/github.ts';
import type { Actor } from '../pipeline/execution.ts';
import type { Refusal } from '../pipeline/protocol.ts';
import { waitingApprovals } from '../pipeline/status.ts';
import { actorName } from '../pipeline/actor-name.ts';
import { boundTo, isPush, judgeGate, judgeVotes, type Judged, type WaitingGate } from './gate-facts.ts';

export type ReleaseDeps = Pick<Deps, 'db' | 'github' | 'engine' | 'now'>;

/** A gate of one execution that waits for answers. */
export interface OpenGate extends WaitingGate {
  readonly record: ExecutionRecord;
}

export type Release =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly why: string }
  /** The votes are others by now: judge again. */
  | { readonly kind: 'again' };

/** What was said, beyond the votes: for CodePipeline's own record of the answer. */
export interface Answering {
  readonly by: Actor;
  readonly reason: string;
}

/** Answers that GitHub gave about people may be this old when a gate is released (SEC R3). */
const oldestAnswerMs = 60_000;

/** Lets the gate go, or fails it, as its verdict says; everything is looked at once more first (SEC R2). */
export async function releaseGate(
  deps: ReleaseDeps,
  repository: RepositoryRef,
  gate: OpenGate,
  { judged, ...answering }: Answering & { readonly judged: Judged },
): Promise<Release> {
  const { verdict } = judged;
  const kind = verdict.outcome === 'approved' ? 'approve' : 'reject';
  const changed = kind === 'approve' ? await whatChanged(deps, repository, gate.record) : undefined;
  if (changed !== undefined) return { kind: 'refused', why: changed };
  const { lane, id } = gate.record.execution;
  const { stage, action, token } = gate;
  const summary = summaryOf(verdict, answering.reason);
  const recheck = recheckOf(deps, gate, judged, answering.by);
  const command = { kind, lane, execution: id, stage, action, token, summary } as const;
  const obeyed = await deps.engine.obey(command, answering.by, { recheck });
  if (obeyed.outcome === 'done') return { kind: 'done' };
  if (obeyed.refusal.rule === voteRule) return { kind: 'again' };
  return { kind: 'refused', why: obeyed.refusal.message };
}

/** Names the people, because CodePipeline itself would only know the bot (CP-A-10). */
function summaryOf(verdict: GateVerdict, reason: string): string {
  const answer = verdict.outcome === 'rejected' ? 'reject' : 'approve';
  const deciding = verdict.counted.filter((vote) => vote.answer === answer);
  const logins = deciding.map((vote) => `@${vote.person.login}`).join(', ');
  return `${logins}${reason === '' ? '' : `: ${reason}`}`.slice(0, 512);
}

/** What a pull request's gate stands for, as GitHub says a moment before the release (SEC-A-02, A-13, A-14, A-16). */
export async function whatChanged(
  deps: ReleaseDeps,
  repository: RepositoryRef,
  record: ExecutionRecord,
): Promise<string | undefined> {
  const { context } = record;
  if (isPush(record) || context.pullRequest === undefined) return undefined;
  const now = await deps.github.pullRequest(repository, context.pullRequest);
  if (!now || now.state === 'closed') return 'The pull request is closed, so nothing of it is released.';
  if (now.headSha !== context.headSha)
    return `The head of the pull request is \`${now.headSha.slice(0, 7)}\` by now, so \`${context.headSha.slice(0, 7)}\` is not released. Answer the gate of the new commit when it waits.`;
  if (context.baseRef !== undefined && now.baseRef !== context.baseRef)
    return 'The pull request goes into another branch by now. Answer the gate of the new execution when it waits.';
  const digest = await digestNow(deps, repository, now.baseRef);
  return digest === undefined || digest === context.configDigest ? undefined : configurationChanged(record);
}

/** The configuration that holds on the base branch now; undefined when the branch is gone. */
async function digestNow(deps: ReleaseDeps, repository: RepositoryRef, branch: string): Promise<string | undefined> {
  const head = await deps.github.branchHead(repository, branch);
  if (!head) return undefined;
  const loaded = await loadConfiguration(deps.github, repository, head.sha);
  return loaded.kind === 'ok' ? loaded.digest : loaded.kind;
}

export function configurationChanged({ context, pipeline }: ExecutionRecord): string {
  const prefix = context.bareCommands ? '/' : '/penstock ';
  return `The configuration on the base branch changed after this execution started, so its gate takes no approval any more. To start under the new one, comment \`${prefix}run ${pipeline}\`.`;
}

const voteRule = 'SEC-R2';

/** Under the lane's lock: the votes as they are then, the head as last seen, and the row that tells the story. */
function recheckOf(deps: ReleaseDeps, gate: OpenGate, judged: Judged, by: Actor): Recheck {
  return async (trx) => {
    const { id } = gate.record.execution;
    // The engine has the right words for a gate that is not there any more.
    if (!(await stillWaits(trx, gate))) return undefined;
    const moved = await headMoved(trx, gate.record);
    if (moved) return moved;
    const votes = await votesFor(trx, id, gate.token);
    const isKnown = (personId: number) => judged.people.some((person) => person.id === personId);
    const isOld = deps.now().getTime() - judged.askedAt.getTime() > oldestAnswerMs;
    const verdict = judgeVotes(deps, gate.record, gate, { votes, asked: judged });
    if (isOld || !votes.every((vote) => isKnown(vote.personId)) || verdict.outcome !== judged.verdict.outcome)
      return refusal(voteRule, 'The answers to this gate changed while it was being released. Answer again.');
    await recordAudit(trx, {
      repositoryId: gate.record.repositoryId,
      execution: id,
      who: actorName(by),
      what: `gate-${verdict.outcome}`,
      why: verdict.explanation.text,
      detail: gateDetail(gate, verdict),
    });
    return undefined;
  };
}

/** What the check run and the audit tell of a gate for ever: the judgement by which it was answered. */
export function gateDetail({ record, ...gate }: OpenGate, verdict: GateVerdict): Readonly<Record<string, unknown>> {
  return { gate: `${gate.stage}/${gate.action}`, ...boundTo({ record, token: gate.token }), verdict };
}

/** Under the lane's lock: nobody answered it since it was looked at. */
export async function stillWaits(trx: Parameters<Recheck>[0], { record, token }: OpenGate): Promise<boolean> {
  const now = await findExecution(trx, record.execution.id);
  return now !== null && waitingApprovals(now.execution).some((one) => one.token === token);
}

async function headMoved(trx: Parameters<Recheck>[0], record: ExecutionRecord): Promise<Refusal | undefined> {
  const { context, repositoryId } = record;
  if (isPush(record) || context.pullRequest === undefined) return undefined;
  const seen = await latestHead(trx, repositoryId, context.pullRequest);
  if (!seen || seen.headSha === context.headSha) return undefined;
  return refusal(
    'SEC-A-02',
    `The head of the pull request is \`${seen.headSha.slice(0, 7)}\` by now, so \`${context.headSha.slice(0, 7)}\` is not released.`,
  );
}

function refusal(rule: string, message: string): Refusal {
  return { exception: 'InvalidApprovalTokenException', rule, message };
}

/** Who is named for the outcome: not always whoever made it be looked at. A rejection is its author's, whoever came after. */
function decider({ outcome, counted }: GateVerdict, answering: Answering): Answering {
  const answer = outcome === 'rejected' ? 'reject' : 'approve';
  const deciding = counted.filter((vote) => vote.answer === answer);
  const { by } = answering;
  if (by.kind === 'person' && deciding.some(({ person }) => person.id === by.id)) return answering;
  const last = deciding.at(-1);
  return last ? { by: { kind: 'person', ...last.person }, reason: last.reason } : answering;
}

const mostTries = 4;

/**
 * Judges the gate and acts on the verdict, again while the votes change under it: of two people at one moment
 * (SEC-B-16, B-17) whoever comes last sees both votes, and the engine lets only one of them move the gate.
 */
export async function settleGate(
  deps: ReleaseDeps,
  repository: RepositoryRef,
  gate: OpenGate,
  answering: Answering,
): Promise<{ readonly judged: Judged; readonly release?: Release }> {
  for (let tries = 1; ; tries += 1) {
    const judged = await judgeGate(deps, gate.record, gate);
    const { outcome } = judged.verdict;
    if (outcome === 'waiting' || outcome === 'expired') return { judged };
    const release = await releaseGate(deps, repository, gate, { ...decider(judged.verdict, answering), judged });
    if (release.kind !== 'again') return { judged, release };
    if (tries === mostTries)
      return { judged, release: { kind: 'refused', why: 'The answers to this gate keep changing. Answer again.' } };
  }
}
