import { whyNot } from '../commands/approval-rules.ts';
import { defaultGatePolicy } from '../commands/gate-policy.ts';
import type { LoadedConfiguration } from '../config/load.ts';
import type { Deps } from '../deps.ts';
import type { ExecutionContext } from '../engine/engine.ts';
import type { ChangedFiles, PullRequest } from '../github/github.ts';
import type { PlanEntry, PlannedGate } from '../render/questions.ts';
import type { Asked } from './asked.ts';
import { teamsNamed, teamsOf } from './gate-people.ts';
import { authorsOfPullRequest, pullRequestFacts } from './gather-context.ts';
import { headPusher } from './head-pusher.ts';
import { planEntry } from './plan-entry.ts';
import { planStarts, type StartPlan } from './start-plan.ts';

type Ok = Extract<LoadedConfiguration, { kind: 'ok' }>;

export interface PlannedPipeline {
  readonly plan: StartPlan;
  /** Its gates are told without an asker. */
  readonly entry: PlanEntry;
}

/** What a configuration does with a pull request, without asking anybody. */
export function planned(
  { approvals }: Pick<Deps, 'approvals'>,
  loaded: Ok,
  { pullRequest, files }: { readonly pullRequest: PullRequest; readonly files: ChangedFiles },
): readonly PlannedPipeline[] {
  const event = { kind: 'pull-request', event: 'UPDATED', baseBranch: pullRequest.baseRef, ...files } as const;
  return planStarts(loaded, event).map((plan) => ({
    plan,
    entry: planEntry(approvals, plan, loaded.definitions[plan.pipeline.name]),
  }));
}

/** Whether the asker could pass the gates, by the rules and with the facts that an execution would be bound to. */
export async function withAsker(
  deps: Pick<Deps, 'approvals' | 'db' | 'github'>,
  asked: Pick<Asked, 'person' | 'permission' | 'repository'>,
  pullRequest: PullRequest,
  governing: { readonly loaded: Ok; readonly pipelines: readonly PlannedPipeline[] },
): Promise<readonly PlanEntry[]> {
  const { repository } = asked;
  const fork = pullRequest.headRepositoryId !== repository.id;
  if (!governing.pipelines.some(({ entry }) => entry.gates.length > 0)) {
    return governing.pipelines.map(({ entry }) => allowedFirst(entry, fork));
  }
  const authorship = await authorsOfPullRequest(deps, repository, pullRequest);
  const pushedBy = await headPusher(deps, repository, { ...pullRequest, branch: pullRequest.headRef, fork });
  const entries: PlanEntry[] = [];
  for (const { plan: one, entry } of governing.pipelines) {
    const { loaded } = governing;
    const start = { pipeline: one.pipeline, loaded, cause: '', authorship };
    const context = await pullRequestFacts(deps, repository, pullRequest, start);
    const teams = await teamsOf(deps, repository, asked.person.login, teamsNamed({ context }));
    const gates = entry.gates.map((gate) => ({ ...gate, ...askerAt(asked, context, { gate, teams, pushedBy }) }));
    entries.push(allowedFirst({ ...entry, gates }, fork));
  }
  return entries;
}

function allowedFirst(entry: PlanEntry, fork: boolean): PlanEntry {
  if (!fork || !entry.starts) return entry;
  return { ...entry, why: `${entry.why}; from a fork, so a person with write access has to allow the commit first` };
}

function askerAt(
  asked: Pick<Asked, 'person' | 'permission'>,
  context: ExecutionContext,
  at: { readonly gate: PlannedGate; readonly teams: readonly string[]; readonly pushedBy: number | null },
): Pick<PlannedGate, 'whyNot'> {
  const policy = context.gates[`${at.gate.stage}/${at.gate.action}`] ?? defaultGatePolicy;
  const moment = new Date(0).toISOString();
  const [author] = context.authors;
  const facts = {
    binding: { execution: '', token: '', headSha: '', baseSha: null, configDigest: '' },
    waitingSince: moment,
    now: moment,
    votes: [],
    people: [],
    ...(author ? { author } : {}),
    ...(at.pushedBy === null ? {} : { lastPusher: { id: at.pushedBy, login: '' } }),
    committers: context.authors,
    unmappedAuthors: context.unmappedAuthors,
    fork: context.fork,
    owners: context.owners ?? 'unknown',
  } as const;
  const reason = whyNot(policy, facts, { ...asked.person, permission: asked.permission, teams: at.teams }, 'approve');
  return reason === undefined ? {} : { whyNot: reason };
}
