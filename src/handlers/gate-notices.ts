import type { Approvers } from '../commands/gate-policy.ts';
import { auditOf, recordAudit } from '../db/audit.ts';
import type { ExecutionRecord } from '../db/executions.ts';
import type { Deps } from '../deps.ts';
import type { RepositoryRef } from '../github/github.ts';
import { waitingApprovals } from '../pipeline/status.ts';
import { renderGateNotice } from '../render/gate-notice.ts';
import type { ExecutionView } from '../render/view.ts';
import { isPush, policyOf, type WaitingGate } from './gate-facts.ts';
import { groupsOf } from './gate-owners.ts';

interface Reported {
  readonly record: ExecutionRecord;
  readonly view: ExecutionView;
}

/**
 * One comment for each gate that nobody would find otherwise: of a merged pull request, whose checks nobody looks at any
 * more, and of a policy that names teams, which are called there. The gates of an open pull request stand in its checks.
 */
export async function announceGates(
  deps: Pick<Deps, 'db' | 'github'>,
  repository: RepositoryRef,
  reported: Reported,
): Promise<void> {
  const { record } = reported;
  const { pullRequest } = record.context;
  if (!record.waiting || pullRequest === undefined) return;
  const rows = await auditOf(deps.db, record.execution.id);
  for (const gate of waitingApprovals(record.execution)) {
    const teams = teamsToCall(policyOf(record, gate).from);
    if (!isPush(record) && teams.length === 0) continue;
    if (rows.some(({ what, detail }) => what === 'gate-announced' && detail['token'] === gate.token)) continue;
    await announce(deps, repository, { ...reported, gate, teams, pullRequest });
  }
}

interface Announcement extends Reported {
  readonly gate: WaitingGate;
  readonly teams: readonly string[];
  readonly pullRequest: number;
}

async function announce(
  deps: Pick<Deps, 'db' | 'github'>,
  repository: RepositoryRef,
  { record, view, gate, teams, pullRequest }: Announcement,
): Promise<void> {
  const { stage, action, token } = gate;
  const story = view.gates[`${stage}/${action}`];
  if (!story) return;
  const { headSha, cause } = record.context;
  const prefix = record.context.bareCommands ? '/' : '/penstock ';
  const body = renderGateNotice({
    pipeline: record.pipeline,
    stage,
    action,
    headSha,
    cause,
    detailsUrl: view.detailsUrl,
    verdict: story.verdict,
    copy: `${prefix}approve ${record.pipeline}/${stage}/${action} ${headSha}${story.reasonNeeded ? ' reason' : ''}`,
    channels: policyOf(record, gate).channels,
    call: teams,
  });
  // The marker finds the comment again when the process ends between it and the row.
  await deps.github.comment(repository, pullRequest, body, `gate:${token}`);
  await recordAudit(deps.db, {
    repositoryId: repository.id,
    execution: record.execution.id,
    who: 'Penstock',
    what: 'gate-announced',
    why: teams.length === 0 ? 'the pull request is merged' : `called ${teams.join(', ')}`,
    detail: { gate: `${stage}/${action}`, token, pullRequest, headSha },
  });
}

function teamsToCall(from: Approvers): readonly string[] {
  return [...new Set(groupsOf(from).flatMap(({ teams }) => teams))];
}
