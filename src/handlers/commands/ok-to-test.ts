import type { Command } from '../../commands/command.ts';
import { loadConfiguration } from '../../config/load.ts';
import { findExecutionByKey } from '../../db/executions.ts';
import { laneKey } from '../../pipeline/execution.ts';
import { pullRequestFacts, withBaseNow } from '../gather-context.ts';
import type { Answer, Asked, CommandDeps } from '../asked.ts';
import { done, informed, refused } from '../asked.ts';
import { startExecution, startKeyAfter } from '../start-execution.ts';
import { planStarts, plansNeedFiles } from '../start-plan.ts';

/** Lets the pipelines run for one commit of a fork. It names the full commit, and it never sticks (SEC R6). */
export async function okToTest(
  deps: CommandDeps,
  asked: Asked,
  command: Extract<Command, { verb: 'ok-to-test' }>,
): Promise<Answer> {
  const { repository } = asked;
  if (!asked.pullRequest || asked.pullRequest.state === 'closed')
    return refused('A closed pull request starts nothing.');
  const pullRequest = await withBaseNow(deps, repository, asked.pullRequest);
  if (pullRequest.headRepositoryId === repository.id) {
    return refused('This pull request is not from a fork: its pipelines run without being allowed.');
  }
  // The form that is understood everywhere.
  const line = `\`/penstock ok-to-test ${pullRequest.headSha}\``;
  if (command.sha?.toLowerCase() !== pullRequest.headSha) {
    return refused(`Name the commit that you looked at, all 40 digits. The head now is: ${line}.`);
  }
  const loaded = await loadConfiguration(deps.github, repository, pullRequest.baseSha);
  if (loaded.kind !== 'ok') return refused('`.github/penstock.yml` cannot be used at the base commit.');
  const range = { kind: 'pull-request', number: pullRequest.number } as const;
  const files = plansNeedFiles(loaded)
    ? await deps.github.changedFiles(repository, range)
    : { paths: [], truncated: false };
  const event = { kind: 'pull-request', event: 'UPDATED', baseBranch: pullRequest.baseRef, ...files } as const;
  let started = 0;
  let known = 0;
  for (const plan of planStarts(loaded, event)) {
    if (plan.kind !== 'start') continue;
    const cause = `/ok-to-test by ${asked.person.login}`;
    const base = `ok-to-test/${repository.id}/${plan.pipeline.name}/${pullRequest.number}/${pullRequest.headSha}`;
    const idempotencyKey = await startKeyAfter(deps, base);
    const before = await findExecutionByKey(deps.db, idempotencyKey);
    if (before) {
      // Since this was written: by an earlier try of its delivery.
      if (Date.parse(before.execution.startedAt) >= Date.parse(asked.createdAt)) started += 1;
      else known += 1;
      continue;
    }
    await startExecution(deps, {
      repository,
      pipeline: plan.pipeline,
      definition: plan.definition,
      lane: laneKey(repository.id, plan.pipeline.name, pullRequest.number),
      idempotencyKey,
      context: await pullRequestFacts(deps, repository, pullRequest, { pipeline: plan.pipeline, loaded, cause }),
      by: asked.by,
      reason: cause,
    });
    started += 1;
  }
  if (started === 0 && known > 0)
    return informed('This commit was allowed already. `/penstock rerun` runs its pipelines once more.');
  return started > 0 ? done() : refused('No pipeline starts for this pull request; `/penstock status` says why.');
}
