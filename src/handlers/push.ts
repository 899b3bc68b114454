import type { LoadedConfiguration } from '../config/load.ts';
import type { PipelineConfig } from '../config/repository-types.ts';
import type { Deps } from '../deps.ts';
import type { ExecutionContext } from '../engine/engine.ts';
import type { WebhookEvent } from '../github/event.ts';
import type { Account, FileRange, PullRequest } from '../github/github.ts';
import { laneKey, type Actor } from '../pipeline/execution.ts';
import { decideTrigger, filtersOf, type TriggerEvent } from '../pipeline/triggers.ts';
import { postBroken } from './broken-configuration.ts';
import { gatherAuthors, limitedGates, together, unknownPusher, type Authorship } from './gather-context.ts';
import { loadGoverning } from './load-governing.ts';
import { handled, ignored, type Outcome } from './outcome.ts';
import { gatherOwners } from './gate-owners.ts';
import { mergerOf, peopleBehind } from './push-owner.ts';
import { recordStart } from './record-start.ts';
import { startExecution } from './start-execution.ts';
import { voidByConfiguration } from './void-by-configuration.ts';
import { planStarts, plansNeedFiles, type StartPlan } from './start-plan.ts';

export type Push = Pick<
  Extract<WebhookEvent, { kind: 'push' }>,
  'repository' | 'ref' | 'before' | 'after' | 'created' | 'headMessage'
> & { readonly sender?: Account };

type PushDeps = Pick<Deps, 'approvals' | 'aws' | 'db' | 'github' | 'engine' | 'log' | 'publicUrl'>;
type Ok = Extract<LoadedConfiguration, { kind: 'ok' }>;

interface PushFacts {
  readonly push: Push;
  readonly loaded: Ok;
  readonly owner: PullRequest | undefined;
  readonly open: readonly PullRequest[];
  readonly delivery: string | undefined;
}

/** Starts what a push starts; its configuration is the one at the pushed commit. */
export async function handlePush(deps: PushDeps, push: Push, delivery?: string): Promise<Outcome> {
  const { repository, after } = push;
  const loaded = await loadGoverning(deps, repository, after);
  await voidByConfiguration(deps, push, loaded);
  if (loaded.kind === 'none') return ignored('there is no .github/penstock.yml at the pushed commit');
  if (loaded.kind === 'broken') {
    await postBroken(deps, { repository, headSha: after, delivery }, 'penstock', loaded.problems);
    return handled(`.github/penstock.yml is broken: ${loaded.problems.length} problem(s) shown in a check`);
  }
  const plans = planStarts(loaded, await triggerEvent(deps, push, loaded));
  const starting = plans.some((plan) => plan.kind === 'start');
  const related = starting ? await pullRequestsOfPush(deps, push) : [];
  const facts: PushFacts = {
    push,
    loaded,
    owner: ownerOf(related, push),
    open: related.filter((pullRequest) => pullRequest.state === 'open' && pullRequest.headSha === after),
    delivery,
  };
  const authorship = starting ? await authorsOf(deps, facts) : { authors: [], unmapped: [] };
  const said: string[] = [];
  for (const plan of plans) said.push(await actOnPlan(deps, facts, authorship, plan));
  return handled(said.join('; '));
}

async function triggerEvent(deps: PushDeps, push: Push, loaded: Ok): Promise<TriggerEvent> {
  if (push.ref.kind === 'tag') return { kind: 'push-tag', tag: push.ref.name };
  const range = { kind: 'commits', before: push.before, after: push.after } as const;
  const files =
    !push.created && plansNeedFiles(loaded)
      ? await deps.github.changedFiles(push.repository, range)
      : { paths: [], truncated: false };
  return { kind: 'push-branch', branch: push.ref.name, created: push.created, ...files };
}

/** GitHub lags behind a merge, so a commit that says it merges something is asked for a few times. */
async function pullRequestsOfPush(deps: PushDeps, push: Push): Promise<readonly PullRequest[]> {
  const looksMerged = /^Merge pull request #\d+|\(#\d+\)\s*$/m.test(push.headMessage);
  for (const waitMs of [500, 1500, 0]) {
    const found = await deps.github.pullRequestsOf(push.repository, push.after);
    if (!looksMerged || waitMs === 0 || found.some((one) => one.merged)) return found;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
  return [];
}

/** Never counted for a push's gates: who wrote the commits or pushed their pull request, and who pushed or merged them. */
async function authorsOf(deps: PushDeps, { push, owner }: PushFacts): Promise<Authorship> {
  // The sweep found the push, so that no webhook has said who it was by.
  const merger = owner && !push.sender ? await mergerOf(deps, push.repository, owner) : undefined;
  const branch = push.ref.kind === 'branch' ? push.ref.name : undefined;
  const pusher = push.sender ?? merger ?? (await deps.github.pushOf(push.repository, push.after, branch))?.by;
  const first = owner || !pusher ? [] : [pusher];
  const pushed = await gatherAuthors(deps, push.repository, rangeOf(push), first, pusher);
  const found = owner ? together(await peopleBehind(deps, push.repository, owner), pushed) : pushed;
  return pusher ? found : { ...found, unmapped: [...found.unmapped, unknownPusher] };
}

function rangeOf(push: Push): FileRange {
  return push.created
    ? { kind: 'commit', sha: push.after }
    : { kind: 'commits', before: push.before, after: push.after };
}

async function actOnPlan(deps: PushDeps, facts: PushFacts, authorship: Authorship, plan: StartPlan): Promise<string> {
  const { push, loaded } = facts;
  const { name } = plan.pipeline;
  if (plan.kind === 'broken') {
    const at = { repository: push.repository, headSha: push.after, delivery: facts.delivery };
    await postBroken(deps, at, name, plan.problems);
    return `${name}: its definition is broken`;
  }
  if (plan.kind === 'filtered' || plan.kind === 'awaited') return leaveOut(deps, facts, name, plan.reason);
  const twin = facts.open.find((pullRequest) => startsForPullRequest(plan, pullRequest));
  if (twin) return leaveOut(deps, facts, name, `pull request #${twin.number} runs it for this commit`);
  const where = `${push.ref.kind === 'tag' ? 'tag ' : ''}${push.ref.name}`;
  await startExecution(deps, {
    repository: push.repository,
    pipeline: plan.pipeline,
    definition: plan.definition,
    lane: laneKey(push.repository.id, name),
    idempotencyKey: `push/${push.repository.id}/${name}/${push.ref.kind}/${push.ref.name}/${push.after}`,
    context: await contextOf(deps, { facts, plan, authorship, digest: loaded.digest, cause: `push to ${where}` }),
    by: actorOf(push),
    reason: plan.reason,
    ...(facts.delivery === undefined ? {} : { delivery: facts.delivery }),
  });
  return `${name}: started (${plan.reason})`;
}

/** One commit, one run of a pipeline: its pull request has the better place for gates and commands. */
function startsForPullRequest(plan: Extract<StartPlan, { kind: 'start' }>, pullRequest: PullRequest): boolean {
  const filters = filtersOf(plan.definition, plan.pipeline.on);
  const event = {
    kind: 'pull-request',
    event: 'UPDATED',
    baseBranch: pullRequest.baseRef,
    paths: [],
    truncated: true,
  } as const;
  return decideTrigger(filters, event).starts;
}

/** What one pipeline's execution of a pushed commit is bound to, when somebody asks for it by hand. */
export async function contextOfPush(
  deps: PushDeps,
  push: Push,
  start: { readonly loaded: Ok; readonly pipeline: PipelineConfig; readonly cause: string },
): Promise<ExecutionContext> {
  const related = await pullRequestsOfPush(deps, push);
  const facts: PushFacts = { push, loaded: start.loaded, owner: ownerOf(related, push), open: [], delivery: undefined };
  const { pipeline, loaded, cause } = start;
  const authorship = await authorsOf(deps, facts);
  return contextOf(deps, { facts, plan: { pipeline }, authorship, digest: loaded.digest, cause });
}

function ownerOf(related: readonly PullRequest[], { after }: Push): PullRequest | undefined {
  return related.find((pullRequest) => pullRequest.merged && pullRequest.mergeSha === after);
}

interface PushStart {
  readonly facts: PushFacts;
  readonly plan: { readonly pipeline: PipelineConfig };
  readonly authorship: Authorship;
  readonly digest: string;
  readonly cause: string;
}

async function contextOf(deps: PushDeps, start: PushStart): Promise<ExecutionContext> {
  const { facts, plan, authorship, digest, cause } = start;
  const { push, owner } = facts;
  return {
    headSha: push.after,
    ...(push.ref.kind === 'branch' ? { headBranch: push.ref.name } : {}),
    ...(owner ? { pullRequest: owner.number, title: owner.title } : { title: push.headMessage.split('\n')[0] ?? '' }),
    configSha: push.after,
    configDigest: digest,
    fork: false,
    authors: authorship.authors,
    ...(authorship.lastPusher ? { lastPusher: authorship.lastPusher } : {}),
    unmappedAuthors: authorship.unmapped,
    cause,
    gates: limitedGates(plan.pipeline.gates, deps.approvals),
    bareCommands: facts.loaded.config.commands.bare,
    ...(await gatherOwners(deps, push.repository, {
      gates: plan.pipeline.gates,
      configSha: push.after,
      files: () => deps.github.changedFiles(push.repository, rangeOf(push)),
    })),
  };
}

function actorOf(push: Push): Actor {
  if (!push.sender) return { kind: 'penstock', why: 'the sweep found it' };
  return { kind: 'person', id: push.sender.id, login: push.sender.login };
}

/** Only remembered: a push that a filter leaves out may be a pull request's commit, whose checks must stay in sight. */
async function leaveOut(deps: PushDeps, facts: PushFacts, pipeline: string, reason: string): Promise<string> {
  const decision = {
    repositoryId: facts.push.repository.id,
    pipeline,
    headSha: facts.push.after,
    ...(facts.delivery === undefined ? {} : { delivery: facts.delivery }),
    outcome: 'filtered' as const,
    reason,
  };
  await recordStart(deps, decision, actorOf(facts.push));
  return `${pipeline}: left out, ${reason}`;
}
