import type { LoadedConfiguration } from '../config/load.ts';
import { newestForLane } from '../db/executions.ts';
import type { Deps } from '../deps.ts';
import type { Account, PullRequest, RepositoryRef } from '../github/github.ts';
import { laneKey, type Actor } from '../pipeline/execution.ts';
import { renderHeldFork, renderSkipped } from '../render/plain-checks.ts';
import { postBroken, type BrokenAt } from './broken-configuration.ts';
import { pullRequestFacts, type Authorship } from './gather-context.ts';
import { postCheck } from './post-check.ts';
import { recordStart } from './record-start.ts';
import { startExecution, startKeyAfter } from './start-execution.ts';
import type { StartPlan } from './start-plan.ts';

export type PullRequestDeps = Pick<
  Deps,
  'approvals' | 'aws' | 'db' | 'github' | 'engine' | 'log' | 'publicUrl' | 'now'
>;

/** How we came to look at a pull request. The sweep knows no sender and no action. */
export interface Look {
  readonly sender?: Account;
  readonly action?: 'opened' | 'reopened' | 'synchronize' | 'closed' | 'ready_for_review' | 'edited';
  readonly delivery?: string;
  /** The head that the webhook was about, which may be an older one by now. */
  readonly headSha?: string;
}

export interface PullRequestStart {
  readonly repository: RepositoryRef;
  readonly pullRequest: PullRequest;
  readonly event: 'OPEN' | 'UPDATED' | 'CLOSED';
  readonly by: Actor;
  readonly look: Look;
}

export type Ok = Extract<LoadedConfiguration, { kind: 'ok' }>;

export interface PlanFacts {
  readonly start: PullRequestStart;
  readonly loaded: Ok;
  readonly fork: boolean;
  readonly authorship: Authorship;
}

/** What one pipeline does for a pull request: start, wait to be allowed, or be left out with the reason in sight. */
export async function actOnPlan(deps: PullRequestDeps, facts: PlanFacts, plan: StartPlan): Promise<string> {
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

export function brokenAt({ repository, pullRequest, look }: PullRequestStart): BrokenAt {
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
