import type { ApprovalCommand } from '../../commands/command.ts';
import type { GateVerdict } from '../../commands/approval-rules.ts';
import { resolveApproval } from '../../commands/resolve-approval.ts';
import { recordAudit } from '../../db/audit.ts';
import { findExecution } from '../../db/executions.ts';
import { headAt } from '../../db/pull-request-heads.ts';
import { waitingApprovals } from '../../pipeline/status.ts';
import { ticked } from '../../render/markdown.ts';
import { quoteList } from '../../commands/quote.ts';
import type { Answer, Asked, CommandDeps } from '../asked.ts';
import { definitionOf, done, informed, prefixOf, refused } from '../asked.ts';
import { isPush, policyOf, reasonNeeded, waitingSince } from '../gate-facts.ts';
import { settleGate, whatChanged, type OpenGate, type Release } from '../gate-release.ts';
import { saveVote, voteDetail } from '../save-vote.ts';
import { answeredBefore, tooLate } from './too-late.ts';

/**
 * One person's answer to one gate: found, bound to what the person saw, saved as a vote, judged with all votes, and
 * judged once more inside the transaction that releases the gate (SEC R1, R2).
 */
export async function approve(deps: CommandDeps, asked: Asked, command: ApprovalCommand): Promise<Answer> {
  const before = triedBefore(asked);
  if (before) return before;
  const resolved = resolveApproval(command, await approvalFacts(deps, asked));
  if (!resolved.ok) {
    const late = openGates(asked).length === 0 ? answeredBefore(asked, command) : undefined;
    return late ?? refused(resolved.why);
  }
  const gate = openGates(asked).find((one) => one.token === resolved.gate.token);
  if (!gate) throw new Error(`the gate with token ${resolved.gate.token} is not among those that were offered`);
  // What is refused may not stay as an answer that another one releases later.
  const changed = command.verb === 'approve' ? await whatChanged(deps, asked.repository, gate.record) : undefined;
  if (changed !== undefined) return refused(changed);
  await saveVote(deps, gate, { ...asked, answer: command.verb, reason: command.reason });
  const settled = await settleGate(deps, asked.repository, gate, { by: asked.by, reason: command.reason });
  const { verdict } = settled.judged;
  const mine = verdict.notCounted.findLast((vote) => vote.person.id === asked.person.id);
  const counted = verdict.counted.find((vote) => vote.person.id === asked.person.id);
  // One that was not heard leaves an earlier one standing.
  if (mine && (!counted || mine.at > counted.at)) return uncounted(deps, asked, gate, { verdict, why: mine.why });
  if (settled.release) return released(deps, gate, command, settled.release);
  if (verdict.outcome === 'expired') return refused(`The gate \`${gate.stage}/${gate.action}\` has expired.`);
  await deps.engine.refresh(gate.record.execution.id);
  return informed(`Counted: ${verdict.had} of ${verdict.needed} for \`${gate.stage}/${gate.action}\`.`);
}

/** An earlier try of this delivery answered the gate: the next one that waits is not what the person meant. */
function triedBefore(asked: Asked): Answer | undefined {
  const waiting = new Set(openGates(asked).map(({ token }) => token));
  for (const gate of asked.earlier ?? []) {
    if ((gate.kind !== 'approve' && gate.kind !== 'reject') || waiting.has(gate.token)) continue;
    const record = asked.records.find(({ execution }) => execution.id === gate.execution);
    const runs = record?.execution.stages.find(({ stage }) => stage === gate.stage)?.actions ?? [];
    const run = runs.find(({ id, action }) => id === gate.token || action === gate.action);
    const { answeredBy } = run ?? {};
    if (!run || !answeredBy) continue;
    return answeredBy.kind === 'person' && answeredBy.id === asked.person.id
      ? done()
      : tooLate({ stage: gate.stage, run });
  }
  return undefined;
}

export function openGates({ records }: Pick<Asked, 'records'>): readonly OpenGate[] {
  return records.flatMap((record) =>
    record.live ? waitingApprovals(record.execution).map((gate) => ({ ...gate, record })) : [],
  );
}

async function approvalFacts(deps: CommandDeps, asked: Asked): Promise<Parameters<typeof resolveApproval>[1]> {
  const { pullRequest } = asked;
  const gates = openGates(asked);
  return {
    gates: gates.map((gate) => ({
      pipeline: gate.record.pipeline,
      stage: gate.stage,
      action: gate.action,
      token: gate.token,
      headSha: gate.record.context.headSha,
      fork: gate.record.context.fork,
      requireSha: policyOf(gate.record, gate).requireSha,
      announcedAt: waitingSince(gate.record, gate),
      push: isPush(gate.record),
      reasonNeeded: reasonNeeded(definitionOf(asked, gate.record), gate),
    })),
    createdAt: asked.createdAt,
    headThen: await headThen(deps, asked),
    headNow: pullRequest?.state === 'open' ? pullRequest.headSha : null,
    channel: asked.channel,
    prefix: prefixOf(asked),
  };
}

/** A review is about the commit that it names, and about none when only a sweep found it (SEC-A-05, A-06). */
async function headThen(deps: CommandDeps, asked: Asked): Promise<string | null> {
  const { pullRequest, repository, channel, reviewed = null } = asked;
  if (channel === 'review') return reviewed;
  return pullRequest ? headAt(deps.db, repository.id, pullRequest.number, new Date(asked.createdAt)) : null;
}

async function uncounted(
  deps: CommandDeps,
  asked: Asked,
  gate: OpenGate,
  { verdict, why }: { readonly verdict: GateVerdict; readonly why: string },
): Promise<Answer> {
  await recordAudit(deps.db, {
    repositoryId: asked.repository.id,
    execution: gate.record.execution.id,
    who: asked.person.login,
    what: 'vote-not-counted',
    why,
    detail: voteDetail(gate, asked),
  });
  const could = verdict.whoCould.length > 0 ? ` Who could: ${quoteList(verdict.whoCould)}.` : '';
  return refused(`The answer of \`${asked.person.login}\` does not count: ${why}.${could}`);
}

/** Whoever said the same as another at the same moment is not told no: what they wanted is what happened. */
async function released(
  deps: CommandDeps,
  gate: OpenGate,
  { verb }: ApprovalCommand,
  release: Release,
): Promise<Answer> {
  const now = await findExecution(deps.db, gate.record.execution.id);
  const run = now?.execution.stages.flatMap((stage) => stage.actions).find((one) => one.id === gate.id);
  if (run?.answeredBy && run.status === (verb === 'approve' ? 'Succeeded' : 'Failed')) return done();
  if (run?.answeredBy) return tooLate({ stage: gate.stage, run });
  if (release.kind === 'done') return done();
  return refused(release.kind === 'refused' ? ticked(release.why, 2000) : 'Nothing happened. Answer again.');
}
