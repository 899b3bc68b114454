import { executionsOfPullRequest } from '../db/executions.ts';
import { latestHead, recordHead } from '../db/pull-request-heads.ts';
import type { Account, PullRequest, RepositoryRef } from '../github/github.ts';
import type { Actor, LaneKey } from '../pipeline/execution.ts';
import type { TriggerEvent } from '../pipeline/triggers.ts';
import { postBroken } from './broken-configuration.ts';
import { authorsOfPullRequest, withBaseNow } from './gather-context.ts';
import { isPush } from './gate-facts.ts';
import { loadGoverning } from './load-governing.ts';
import { handled, ignored, type Outcome } from './outcome.ts';
import {
  actOnPlan,
  brokenAt,
  type Look,
  type Ok,
  type PullRequestDeps,
  type PullRequestStart,
} from './pull-request-plan.ts';
import { endLane } from './start-execution.ts';
import { planStarts, plansNeedFiles } from './start-plan.ts';

/**
 * Makes what runs for a pull request follow from what GitHub says now. A webhook is only the reason to look: an old
 * or repeated one finds everything in order (SEC-E-17), and the sweep gets here without any.
 */
export async function reconcilePullRequest(
  deps: PullRequestDeps,
  repository: RepositoryRef,
  number: number,
  look: Look,
): Promise<Outcome> {
  const found = await deps.github.pullRequest(repository, number);
  if (!found) return ignored(`pull request #${number} does not exist any more`);
  const pullRequest = await withBaseNow(deps, repository, found);
  const by = actorOf(look.sender);
  if (pullRequest.state === 'closed') return closePullRequest(deps, repository, pullRequest, by, look);
  const known = await latestHead(deps.db, repository.id, number);
  await recordHead(deps.db, {
    repositoryId: repository.id,
    number,
    headSha: pullRequest.headSha,
    baseRef: pullRequest.baseRef,
    baseSha: pullRequest.baseSha,
    authorId: pullRequest.author.id,
    pushedBy: look.action === 'synchronize' && look.headSha === pullRequest.headSha ? (look.sender?.id ?? null) : null,
  });
  const opening = !known || known.headSha === pullRequest.headSha || look.action === 'reopened';
  return startForPullRequest(deps, { repository, pullRequest, event: opening ? 'OPEN' : 'UPDATED', by, look });
}

function actorOf(sender: Account | undefined): Actor {
  if (!sender) return { kind: 'penstock', why: 'the sweep found it' };
  return { kind: 'person', id: sender.id, login: sender.login };
}

async function closePullRequest(
  deps: PullRequestDeps,
  repository: RepositoryRef,
  pullRequest: PullRequest,
  by: Actor,
  look: Look,
): Promise<Outcome> {
  let ended = 0;
  for (const lane of await liveLanes(deps, repository, pullRequest)) {
    ended += (await endLane(deps, lane, { kind: 'closed', merged: pullRequest.merged }, by)).length;
  }
  const seen = await latestHead(deps.db, repository.id, pullRequest.number);
  if (!seen) return ignored(`pull request #${pullRequest.number} is closed and was never seen open`);
  const started = await startForPullRequest(deps, { repository, pullRequest, event: 'CLOSED', by, look });
  return handled(`pull request closed: ${ended} execution(s) ended; ${started.reason}`);
}

async function liveLanes(
  deps: PullRequestDeps,
  repository: RepositoryRef,
  pullRequest: PullRequest,
): Promise<readonly LaneKey[]> {
  const known = await executionsOfPullRequest(deps.db, repository.id, pullRequest.number);
  return [...new Set(known.filter((one) => one.live && !isPush(one)).map((one) => one.execution.lane))];
}

/** Whatever the configuration says by now, nothing goes on for an older commit or another base. */
async function endStale(deps: PullRequestDeps, { repository, pullRequest, by }: PullRequestStart): Promise<void> {
  for (const lane of await liveLanes(deps, repository, pullRequest)) {
    await endLane(deps, lane, { kind: 'newer-commit', sha: pullRequest.headSha }, by);
    await endLane(deps, lane, { kind: 'base-changed', base: pullRequest.baseRef }, by);
  }
}

async function startForPullRequest(deps: PullRequestDeps, start: PullRequestStart): Promise<Outcome> {
  const { repository, pullRequest } = start;
  if (start.event !== 'CLOSED') await endStale(deps, start);
  const loaded = await loadGoverning(deps, repository, pullRequest.baseSha);
  if (loaded.kind === 'none') return ignored('there is no .github/penstock.yml at the base commit');
  if (loaded.kind === 'broken') {
    if (start.event !== 'CLOSED') {
      await postBroken(deps, brokenAt(start), 'penstock', loaded.problems);
    }
    return handled(`.github/penstock.yml is broken: ${loaded.problems.length} problem(s) shown in a check`);
  }
  const event = await triggerEvent(deps, start, loaded);
  const fork = pullRequest.headRepositoryId !== repository.id;
  const plans = planStarts(loaded, event);
  const starting = plans.some((plan) => plan.kind === 'start') && !fork;
  const authorship = starting
    ? await authorsOfPullRequest(deps, repository, pullRequest)
    : { authors: [], unmapped: [] };
  const said: string[] = [];
  for (const plan of plans) said.push(await actOnPlan(deps, { start, loaded, fork, authorship }, plan));
  return handled(said.join('; '));
}

async function triggerEvent(deps: PullRequestDeps, start: PullRequestStart, loaded: Ok): Promise<TriggerEvent> {
  const { repository, pullRequest } = start;
  const files = plansNeedFiles(loaded)
    ? await deps.github.changedFiles(repository, { kind: 'pull-request', number: pullRequest.number })
    : { paths: [], truncated: false };
  return { kind: 'pull-request', event: start.event, baseBranch: pullRequest.baseRef, ...files };
}
