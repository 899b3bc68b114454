import { whyNot } from '../../commands/approval-rules.ts';
import type { Command } from '../../commands/command.ts';
import { defaultGatePolicy } from '../../commands/gate-policy.ts';
import type { LoadedConfiguration } from '../../config/load.ts';
import { repositoryConfigPath } from '../../config/repository.ts';
import type { Deps } from '../../deps.ts';
import type { ExecutionContext } from '../../engine/engine.ts';
import type { ChangedFiles, PullRequest } from '../../github/github.ts';
import type { Problem } from '../../pipeline/problem.ts';
import { renderPlan } from '../../render/answers.ts';
import type { PlanEntry, PlannedGate } from '../../render/questions.ts';
import { informed, refused, type Answer, type Asked } from '../asked.ts';
import { teamsNamed, teamsOf } from '../gate-people.ts';
import { authorsOfPullRequest, pullRequestFacts, withBaseNow } from '../gather-context.ts';
import { headPusher } from '../head-pusher.ts';
import { loadGoverning } from '../load-governing.ts';
import { compared, firstOf, planEntry } from '../plan-entry.ts';
import { planStarts, type StartPlan } from '../start-plan.ts';

type PlanCommand = Extract<Command, { verb: 'status' | 'why' | 'plan' }>;

type Ok = Extract<LoadedConfiguration, { kind: 'ok' }>;

/** What one commit's configuration would do with the pull request. Gates are told without the asker. */
type Planned =
  | { readonly kind: 'none' }
  | { readonly kind: 'broken'; readonly problems: readonly Problem[] }
  | { readonly kind: 'ok'; readonly loaded: Ok; readonly pipelines: readonly PlannedPipeline[] };

interface PlannedPipeline {
  readonly plan: StartPlan;
  readonly entry: PlanEntry;
}

/** Which pipelines this pull request starts, by which filter and gates; and what a configuration that it changes would do. */
export async function plan(deps: Deps, asked: Asked, command: PlanCommand): Promise<Answer> {
  if (!asked.pullRequest) return refused('There is no pull request here to plan for.');
  const pullRequest = await withBaseNow(deps, asked.repository, asked.pullRequest);
  const files = await deps.github.changedFiles(asked.repository, { kind: 'pull-request', number: pullRequest.number });
  const about = { pullRequest, files, wanted: command.target.pipeline };
  const governing = await planAt(deps, asked, about, pullRequest.baseSha);
  if (governing.kind === 'broken')
    return refused(`\`.github/penstock.yml\` on the base branch cannot be used: ${firstOf(governing.problems)}`);
  // Read and told, never obeyed. A branch that is only behind the base changes nothing.
  const proposed = await planAt(deps, asked, about, pullRequest.headSha);
  const isChanged = files.truncated || [governing, proposed].some((one) => isTouched(one, files.paths));
  if (governing.kind === 'none') {
    if (proposed.kind === 'none') return refused('There is no `.github/penstock.yml` on the base branch.');
    return informed(told([], proposed));
  }
  const entries = await withAsker(deps, asked, pullRequest, governing);
  return informed(isChanged ? told(entries, proposed) : renderPlan(entries));
}

function isTouched(planned: Planned, paths: readonly string[]): boolean {
  const pipelines = planned.kind === 'ok' ? planned.pipelines.map(({ plan: { pipeline } }) => pipeline.definition) : [];
  const files = pipelines.flatMap((one) => (one.kind === 'file' ? [one.path.replace(/^\.\//, '')] : []));
  return [repositoryConfigPath, ...files].some((path) => paths.includes(path));
}

function told(entries: readonly PlanEntry[], proposed: Planned): string {
  switch (proposed.kind) {
    case 'none':
      return renderPlan(entries.map((entry) => ({ ...entry, inPullRequest: 'it is removed' })));
    case 'broken':
      return renderPlan(entries, firstOf(proposed.problems));
    case 'ok':
      return renderPlan(
        compared(
          entries,
          proposed.pipelines.map(({ entry }) => entry),
        ),
      );
    default:
      return proposed satisfies never;
  }
}

interface About {
  readonly pullRequest: PullRequest;
  readonly files: ChangedFiles;
  readonly wanted: string | undefined;
}

async function planAt(
  deps: Deps,
  { repository }: Asked,
  { pullRequest, files, wanted }: About,
  sha: string,
): Promise<Planned> {
  const loaded = await loadGoverning(deps, repository, sha);
  if (loaded.kind !== 'ok') return loaded;
  const event = { kind: 'pull-request', event: 'UPDATED', baseBranch: pullRequest.baseRef, ...files } as const;
  const pipelines = planStarts(loaded, event)
    .filter((one) => wanted === undefined || one.pipeline.name === wanted)
    .map((one) => ({ plan: one, entry: planEntry(deps.approvals, one, loaded.definitions[one.pipeline.name]) }));
  return { kind: 'ok', loaded, pipelines };
}

/** Whether the asker could pass the gates, by the rules and with the facts that an execution would be bound to. */
async function withAsker(
  deps: Deps,
  asked: Asked,
  pullRequest: PullRequest,
  governing: Extract<Planned, { kind: 'ok' }>,
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
  asked: Asked,
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
