import type { LoadedConfiguration } from '../config/load.ts';
import { executionsOfPullRequest, newestForLane } from '../db/executions.ts';
import { latestHead, recordHead } from '../db/pull-request-heads.ts';
import type { Deps } from '../deps.ts';
import type { Account, PullRequest, RepositoryRef } from '../github/github.ts';
import { laneKey, type Actor, type LaneKey } from '../pipeline/execution.ts';
import type { TriggerEvent } from '../pipeline/triggers.ts';
import { renderHeldFork, renderSkipped } from '../render/plain-checks.ts';
import { postBroken, type BrokenAt } from './broken-configuration.ts';
import { authorsOfPullRequest, pullRequestFacts, withBaseNow, type Authorship } from './gather-context.ts';
import { isPush } from './gate-facts.ts';
import { loadGoverning } from './load-governing.ts';
import { handled, ignored, type Outcome } from './outcome.ts';
import { postCheck } from './post-check.ts';
import { recordStart } from './record-start.ts';
import { endLane, startExecution, startKeyAfter } from './start-execution.ts';
import { planStarts, plansNeedFiles, type StartPlan } from './start-plan.ts';

type PullRequestDeps = Pick<Deps, 'approvals' | 'aws' | 'db' | 'github' | 'engine' | 'log' | 'publicUrl' | 'now'>;

/** How we came to look at a pull request. The sweep knows no sender and no action. */
export interface Look {
  readonly sender?: Account;
  readonly action?: 'opened' | 'reopened' | 'synchronize' | 'closed' | 'ready_for_review' | 'edited';
  readonly delivery?: string;
  /** The head that the webhook was about, which may be an older one by now. */
  readonly headSha?: string;
}

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

interface PullRequestStart {
  readonly repository: RepositoryRef;
  readonly pullRequest: PullRequest;
  readonly event: 'OPEN' | 'UPDATED' | 'CLOSED';
  readonly by: Actor;
  readonly look: Look;
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

type Ok = Extract<LoadedConfiguration, { kind: 'ok' }>;

interface PlanFacts {
  readonly start: PullRequestStart;
  readonly loaded: Ok;
  readonly fork: boolean;
  readonly authorship: Authorship;
}

async function actOnPlan(deps: PullRequestDeps, facts: PlanFacts, plan: StartPlan): Promise<string> {
  const { repository, pullRequest, by, event, look } = facts.start;
  const { name } = plan.pipeline;
  const lane = laneKey(repository.id, name, pullRequest.number);
  if (plan.kind === 'broken') {
    await postBroken(deps, brokenAt(facts.start), name, plan.problems);
    return `${name}: its definition is broken`;
  }
  if (plan.kind === 'filtered') return leaveOut(deps, facts, name, plan.reason);
  if (plan.kind === 'awaited') return awaitAws(deps, facts, name, plan.reason);
  if (facts.fork) return holdFork(deps, facts, name);
  const context = await pullRequestFacts(deps, repository, pullRequest, {
    pipeline: plan.pipeline,
    loaded: facts.loaded,
    cause: causeOf(event, pullRequest.number),
    authorship: facts.authorship,
  });
  const idempotencyKey = await startKey(deps, facts, name);
  await startExecution(deps, {
    repository,
    pipeline: plan.pipeline,
    definition: plan.definition,
    lane,
    idempotencyKey,
    context,
    by,
    reason: plan.reason,
    ...(look.delivery === undefined ? {} : { delivery: look.delivery }),
  });
  return `${name}: started (${plan.reason})`;
}

function brokenAt({ repository, pullRequest, look }: PullRequestStart): BrokenAt {
  return { repository, headSha: pullRequest.headSha, pullRequest: pullRequest.number, delivery: look.delivery };
}

function causeOf(event: 'OPEN' | 'UPDATED' | 'CLOSED', number: number): string {
  const word = { OPEN: 'opened', UPDATED: 'updated', CLOSED: 'closed' }[event];
  return `pull request #${number} ${word}`;
}

/** One start per pull request, commit and pipeline; reopening starts again what closing stopped. */
function startKey(deps: PullRequestDeps, facts: PlanFacts, pipeline: string): Promise<string> {
  const { repository, pullRequest, event } = facts.start;
  const base = `pr/${repository.id}/${pipeline}/${pullRequest.number}/${pullRequest.headSha}`;
  return event === 'CLOSED' ? Promise.resolve(`${base}/closed`) : startKeyAfter(deps, base);
}

async function leaveOut(deps: PullRequestDeps, facts: PlanFacts, pipeline: string, reason: string): Promise<string> {
  const { repository, pullRequest, event } = facts.start;
  // Hardly any pipeline starts when a pull request closes, so that is no news, and no check waits for it.
  if (event === 'CLOSED') return `${pipeline}: left out, ${reason}`;
  await recordUnstarted(deps, facts.start, { pipeline, outcome: 'filtered', reason });
  // An open one must not wait for a check that never comes.
  const key = { repository, headSha: pullRequest.headSha, execution: null };
  await postCheck(deps, key, renderSkipped(pipeline, reason, deps.publicUrl));
  return `${pipeline}: left out, ${reason}`;
}

/** No check: one that says "skipped" would pass where it is required, before AWS has run anything. */
async function awaitAws(deps: PullRequestDeps, facts: PlanFacts, pipeline: string, reason: string): Promise<string> {
  await recordUnstarted(deps, facts.start, { pipeline, outcome: 'held', reason });
  return `${pipeline}: ${reason}`;
}

interface Unstarted {
  readonly pipeline: string;
  readonly outcome: 'filtered' | 'held';
  readonly reason: string;
}

async function recordUnstarted(deps: PullRequestDeps, start: PullRequestStart, decision: Unstarted): Promise<void> {
  const { repository, pullRequest, look, by } = start;
  const delivery = look.delivery === undefined ? {} : { delivery: look.delivery };
  const commit = { repositoryId: repository.id, headSha: pullRequest.headSha, pullRequest: pullRequest.number };
  await recordStart(deps, { ...commit, ...delivery, ...decision }, by);
}

async function holdFork(deps: PullRequestDeps, facts: PlanFacts, pipeline: string): Promise<string> {
  const { repository, pullRequest, event } = facts.start;
  if (event === 'CLOSED') return `${pipeline}: nothing runs for a closed fork`;
  const last = await newestForLane(deps.db, laneKey(repository.id, pipeline, pullRequest.number));
  const ran = last?.context.headSha === pullRequest.headSha;
  if (ran && last.execution.ending?.as !== 'Stopped') return `${pipeline}: this commit was allowed already`;
  const line = `/penstock ok-to-test ${pullRequest.headSha}`;
  const reason = `it comes from a fork: a person with write access has to comment \`${line}\``;
  await recordUnstarted(deps, facts.start, { pipeline, outcome: 'held', reason });
  const key = { repository, headSha: pullRequest.headSha, execution: null, onTop: ran };
  await postCheck(deps, key, renderHeldFork(pipeline, pullRequest.headSha, deps.publicUrl));
  return `${pipeline}: held, ${reason}`;
}

async function triggerEvent(deps: PullRequestDeps, start: PullRequestStart, loaded: Ok): Promise<TriggerEvent> {
  const { repository, pullRequest } = start;
  const files = plansNeedFiles(loaded)
    ? await deps.github.changedFiles(repository, { kind: 'pull-request', number: pullRequest.number })
    : { paths: [], truncated: false };
  return { kind: 'pull-request', event: start.event, baseBranch: pullRequest.baseRef, ...files };
}
