import type { Command } from '../../commands/command.ts';
import type { LoadedConfiguration } from '../../config/load.ts';
import { repositoryConfigPath } from '../../config/repository.ts';
import type { Deps } from '../../deps.ts';
import type { ChangedFiles, PullRequest } from '../../github/github.ts';
import type { Problem } from '../../pipeline/problem.ts';
import { renderPlan } from '../../render/answers.ts';
import type { PlanEntry } from '../../render/questions.ts';
import { informed, refused, type Answer, type Asked } from '../asked.ts';
import { withBaseNow } from '../gather-context.ts';
import { loadGoverning } from '../load-governing.ts';
import { compared, firstOf } from '../plan-entry.ts';
import { planned, withAsker, type PlannedPipeline } from '../plan-for-asker.ts';

type PlanCommand = Extract<Command, { verb: 'status' | 'why' | 'plan' }>;

type Ok = Extract<LoadedConfiguration, { kind: 'ok' }>;

/** What one commit's configuration would do with the pull request. Gates are told without the asker. */
type Planned =
  | { readonly kind: 'none' }
  | { readonly kind: 'broken'; readonly problems: readonly Problem[] }
  | { readonly kind: 'ok'; readonly loaded: Ok; readonly pipelines: readonly PlannedPipeline[] };

/** Which pipelines this pull request starts, by which filter and gates; and what a configuration that it changes would do. */
export async function plan(deps: Deps, asked: Asked, command: PlanCommand): Promise<Answer> {
  if (!asked.pullRequest) return refused('There is no pull request here to plan for.');
  if (asked.pullRequest.state === 'closed')
    return informed('The pull request is closed, so it starts nothing any more.');
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
  const pipelines = planned(deps, loaded, { pullRequest, files }).filter(
    ({ plan: { pipeline } }) => wanted === undefined || pipeline.name === wanted,
  );
  return { kind: 'ok', loaded, pipelines };
}
