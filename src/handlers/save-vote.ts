import { recordAudit } from '../db/audit.ts';
import { recordVote, type NewVote } from '../db/votes.ts';
import type { Deps } from '../deps.ts';
import type { Account, Permission } from '../github/github.ts';
import { boundTo } from './gate-facts.ts';
import type { OpenGate } from './gate-release.ts';

/** What somebody said of a gate, and how. */
export interface GateAnswer extends Pick<NewVote, 'answer' | 'channel' | 'source' | 'reason'> {
  readonly person: Account;
  /** As GitHub said when it was given; absent where nobody asked, because taking back is always heard. */
  readonly permission?: Permission | 'unknown';
}

/** The vote and the row that tells of it, bound to what the gate is (SEC R1). Said twice, it is one vote (SEC-B-30). */
export async function saveVote(
  deps: Pick<Deps, 'db'>,
  { record, stage, action, token }: OpenGate,
  said: GateAnswer,
): Promise<void> {
  const { person, answer, channel, source, reason } = said;
  const bound = boundTo({ record, token });
  const gate = { repositoryId: record.repositoryId, executionId: record.execution.id, stage, action };
  const by = { personId: person.id, login: person.login, answer, channel, source, reason };
  const vote = { pullRequest: null, ...bound, ...gate, ...by };
  await deps.db.transaction().execute(async (trx) => {
    if ((await recordVote(trx, vote)) === 'known') return;
    await recordAudit(trx, {
      repositoryId: record.repositoryId,
      execution: record.execution.id,
      who: person.login,
      what: `vote-${answer}`,
      why: reason,
      detail: voteDetail({ record, stage, action, token }, said),
    });
  });
}

export function voteDetail(
  { record, stage, action, token }: Pick<OpenGate, 'record' | 'stage' | 'action' | 'token'>,
  { person, permission, channel, source }: Omit<GateAnswer, 'answer' | 'reason'>,
): Readonly<Record<string, unknown>> {
  return {
    personId: person.id,
    ...(permission === undefined ? {} : { permission }),
    channel,
    source,
    gate: `${stage}/${action}`,
    ...boundTo({ record, token }),
  };
}
