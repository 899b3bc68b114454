import type { ApprovalCommand } from '../../commands/command.ts';
import { evaluateGate, type GateVerdict } from '../../commands/approval-rules.ts';
import { resolveApproval } from '../../commands/resolve-approval.ts';
import { recordAudit } from '../../db/audit.ts';
import type { ExecutionRecord } from '../../db/executions.ts';
import { headAt } from '../../db/pull-request-heads.ts';
import { recordVote, votesFor } from '../../db/votes.ts';
import type { Recheck } from '../../engine/engine.ts';
import { waitingApprovals } from '../../pipeline/status.ts';
import type { Answer, Asked, CommandDeps } from '../asked.ts';
import { done, informed, refused } from '../asked.ts';
import { factsOf, gatherPeople, policyOf, waitingSince, type WaitingGate } from '../gate-facts.ts';

interface OpenGate extends WaitingGate {
  readonly record: ExecutionRecord;
}

/**
 * One person's answer to one gate: found, bound to what the person saw, saved as a vote, judged with all votes, and
 * judged once more inside the transaction that releases the gate (SEC R1, R2).
 */
export async function approve(deps: CommandDeps, asked: Asked, command: ApprovalCommand): Promise<Answer> {
  const resolved = resolveApproval(command, await approvalFacts(deps, asked));
  if (!resolved.ok) return refused(resolved.why);
  const gate = openGates(asked).find((one) => one.token === resolved.gate.token);
  if (!gate) throw new Error(`the gate with token ${resolved.gate.token} is not among those that were offered`);
  await saveVote(deps, asked, command, gate);
  const verdict = await judge(deps, gate);
  const mine = verdict.notCounted.find((vote) => vote.person.id === asked.person.id);
  if (mine) return refused(notCounted(verdict, asked.person.login, mine.why));
  return settle(deps, asked, { command, gate, verdict });
}

function openGates(asked: Asked): readonly OpenGate[] {
  return asked.records.flatMap((record) =>
    record.live ? waitingApprovals(record.execution).map((gate) => ({ ...gate, record })) : [],
  );
}

async function approvalFacts(deps: CommandDeps, asked: Asked): Promise<Parameters<typeof resolveApproval>[1]> {
  const { pullRequest, repository } = asked;
  const at = new Date(asked.createdAt);
  return {
    gates: openGates(asked).map((gate) => ({
      pipeline: gate.record.pipeline,
      stage: gate.stage,
      action: gate.action,
      token: gate.token,
      headSha: gate.record.context.headSha,
      fork: gate.record.context.fork,
      requireSha: policyOf(gate.record, gate).requireSha,
      announcedAt: waitingSince(gate.record, gate),
      push: !gate.record.execution.lane.includes('/pr-'),
    })),
    createdAt: asked.createdAt,
    headThen: pullRequest ? await headAt(deps.db, repository.id, pullRequest.number, at) : null,
    headNow: pullRequest?.headSha ?? null,
    channel: asked.channel,
  };
}

async function saveVote(deps: CommandDeps, asked: Asked, command: ApprovalCommand, gate: OpenGate): Promise<void> {
  const { context, execution } = gate.record;
  await deps.db.transaction().execute(async (trx) => {
    const vote = {
      repositoryId: asked.repository.id,
      pullRequest: context.pullRequest ?? null,
      executionId: execution.id,
      stage: gate.stage,
      action: gate.action,
      token: gate.token,
      headSha: context.headSha,
      baseSha: context.baseSha ?? null,
      configDigest: context.configDigest,
      personId: asked.person.id,
      login: asked.person.login,
      answer: command.verb,
      channel: asked.channel,
      source: asked.source,
      reason: command.reason,
    };
    if ((await recordVote(trx, vote)) === 'known') return;
    await recordAudit(trx, {
      repositoryId: asked.repository.id,
      execution: execution.id,
      who: asked.person.login,
      what: `vote-${command.verb}`,
      why: command.reason,
      detail: { personId: asked.person.id, token: gate.token, headSha: context.headSha, source: asked.source },
    });
  });
}

async function judge(deps: CommandDeps, gate: OpenGate): Promise<GateVerdict> {
  const votes = await votesFor(deps.db, gate.record.execution.id, gate.token);
  const people = await gatherPeople(deps, gate.record, votes);
  return evaluateGate(policyOf(gate.record, gate), factsOf(deps, gate.record, gate, votes, people));
}

function notCounted(verdict: GateVerdict, login: string, why: string): string {
  const could = verdict.whoCould.slice(0, 10).map((login) => `\`${login}\``);
  return `The answer of \`${login}\` does not count: ${why}.${could.length > 0 ? ` Who could: ${could.join(', ')}.` : ''}`;
}

interface Settling {
  readonly command: ApprovalCommand;
  readonly gate: OpenGate;
  readonly verdict: GateVerdict;
}

async function settle(deps: CommandDeps, asked: Asked, { command, gate, verdict }: Settling): Promise<Answer> {
  if (verdict.outcome === 'waiting') {
    await deps.engine.refresh(gate.record.execution.id);
    return informed(`Counted: ${verdict.had} of ${verdict.needed} for \`${gate.stage}/${gate.action}\`.`);
  }
  if (verdict.outcome === 'expired') return refused(`The gate \`${gate.stage}/${gate.action}\` has expired.`);
  const { lane, id } = gate.record.execution;
  const { stage, action, token } = gate;
  const kind = verdict.outcome === 'approved' ? 'approve' : 'reject';
  const summary = summaryOf(verdict, command);
  const recheck = await recheckOf(deps, gate, verdict.outcome);
  const obeyed = await deps.engine.obey(
    { kind, lane, execution: id, stage, action, token, summary },
    asked.by,
    recheck,
  );
  return obeyed.outcome === 'done' ? done() : refused(obeyed.refusal.message);
}

/** Names the people, because CodePipeline itself would only know the bot (CP-A-10). */
function summaryOf(verdict: GateVerdict, command: ApprovalCommand): string {
  const logins = verdict.counted.map((vote) => `@${vote.person.login}`).join(', ');
  return `${logins}${command.reason === '' ? '' : `: ${command.reason}`}`.slice(0, 512);
}

/** Under the lane's lock: the votes as they are then, with the permissions asked a moment ago. */
async function recheckOf(deps: CommandDeps, gate: OpenGate, expected: GateVerdict['outcome']): Promise<Recheck> {
  const seen = await votesFor(deps.db, gate.record.execution.id, gate.token);
  const people = await gatherPeople(deps, gate.record, seen);
  return async (trx) => {
    const votes = await votesFor(trx, gate.record.execution.id, gate.token);
    const verdict = evaluateGate(policyOf(gate.record, gate), factsOf(deps, gate.record, gate, votes, people));
    if (verdict.outcome === expected) return undefined;
    const message = 'The answers to this gate changed while it was being released; nothing happened. Answer again.';
    return { exception: 'InvalidApprovalTokenException', rule: 'SEC-R2', message };
  };
}
