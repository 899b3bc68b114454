import { liveAwsExecutions } from '../db/aws-executions.ts';
import { knownDeliveries } from '../db/deliveries.ts';
import { liveExecutions, loadExecutions, type ExecutionRecord } from '../db/executions.ts';
import { decisionsFor } from '../db/start-decisions.ts';
import { latestHead } from '../db/pull-request-heads.ts';
import { installRepositories } from '../db/repositories.ts';
import { cursorOf, saveCursor, takeTick } from '../db/ticks.ts';
import { describeError } from '../errors.ts';
import type { Deps } from '../deps.ts';
import type { RepositoryRef } from '../github/github.ts';
import { filtersOf } from '../pipeline/triggers.ts';
import { sweepAws } from './adopt-executions.ts';
import { expireGates } from './expire-gates.ts';
import { loadGoverning } from './load-governing.ts';
import { reconcilePullRequest } from './pull-request.ts';
import { handlePush } from './push.ts';
import { sweepTalk, type Seen } from './sweep-talk.ts';

/**
 * What makes events only hints: without a single webhook the sweep reaches the same state, only later. Button clicks
 * are the exception: GitHub keeps no list of them, so whoever clicked sees nothing happen and clicks again.
 */
export const sweeps = {
  deliveries: { everyMs: 5 * 60_000, run: sweepDeliveries },
  repositories: { everyMs: 3 * 60_000, run: sweepRepositories },
  gates: { everyMs: 60_000, run: sweepGates },
  aws: { everyMs: 60_000, run: sweepAws },
} as const;

export type SweepName = keyof typeof sweeps;

/** How long GitHub lets a delivery be sent again (its documentation says 3 days). */
const redeliveryWindowMs = 3 * 24 * 60 * 60_000;

/** Runs one sweep unless another replica did so within its interval. */
export async function runSweep(deps: Deps, name: SweepName): Promise<void> {
  const sweep = sweeps[name];
  if (await takeTick(deps.db, name, sweep.everyMs)) await sweep.run(deps);
}

/** Asks GitHub to send again what it recorded as failed and we never stored. */
export async function sweepDeliveries(deps: Deps): Promise<void> {
  const since = new Date(deps.now().getTime() - redeliveryWindowMs);
  const records = await deps.github.deliveriesSince(since);
  const arrived = new Set(records.filter((record) => record.ok).map((record) => record.guid));
  const missing = new Map<string, number>();
  for (const record of records) if (!arrived.has(record.guid)) missing.set(record.guid, record.id);
  const known = await knownDeliveries(deps.db, [...missing.keys()]);
  for (const [guid, id] of missing) if (!known.has(guid)) await deps.github.redeliver(id);
  if (missing.size > known.size) deps.log.info({ asked: missing.size - known.size }, 'asked GitHub to deliver again');
}

/** Looks at every served repository: heads of pull requests and branches, and what people wrote. */
export async function sweepRepositories(deps: Deps): Promise<void> {
  for (const repository of await deps.github.installedRepositories()) {
    if (!deps.serves(repository.owner, repository.name)) continue;
    await installRepositories(deps.db, [repository]);
    try {
      const open = await deps.github.openPullRequests(repository);
      const live = await liveOf(deps, repository);
      await sweepPullRequests(deps, repository, { open, live });
      await sweepBranches(deps, repository);
      await sweepTalk(deps, repository, { open, live });
    } catch (error) {
      // One repository that is gone or limited must not keep the others from being looked at.
      deps.log.warn({ repository: repository.id, error: describeError(error) }, 'sweep of a repository failed');
    }
  }
}

async function sweepPullRequests(deps: Deps, repository: RepositoryRef, { open, live }: Seen): Promise<void> {
  for (const pullRequest of open) {
    const known = await latestHead(deps.db, repository.id, pullRequest.number);
    const decided = await decisionsFor(deps.db, repository.id, { sha: pullRequest.headSha }, 1);
    const same = known?.headSha === pullRequest.headSha && known.baseRef === pullRequest.baseRef;
    if (same && decided.length > 0) continue;
    await reconcilePullRequest(deps, repository, pullRequest.number, {});
  }
  const numbers = new Set(open.map((pullRequest) => pullRequest.number));
  for (const { execution, pullRequest } of live) {
    if (pullRequest === null || !execution.lane.includes('/pr-') || numbers.has(pullRequest)) continue;
    await reconcilePullRequest(deps, repository, pullRequest, {});
  }
}

async function liveOf(deps: Deps, repository: RepositoryRef): Promise<readonly ExecutionRecord[]> {
  const live = await loadExecutions(deps.db, await liveExecutions(deps.db));
  return live.filter((record) => record.repositoryId === repository.id);
}

/** Branches that a push filter names literally, and those that pull requests go into. */
async function sweepBranches(deps: Deps, repository: RepositoryRef): Promise<void> {
  for (const branch of await branchesToWatch(deps, repository)) {
    const head = await deps.github.branchHead(repository, branch);
    if (!head) continue;
    const name = `branch/${repository.id}/${branch}`;
    const before = await cursorOf(deps.db, name);
    if (before === head.sha) continue;
    // The first look only remembers: what was pushed before Penstock came is not its to run.
    if (before !== null) {
      const ref = { kind: 'branch', name: branch } as const;
      const push = { repository, ref, before, after: head.sha, created: false, headMessage: head.message };
      await handlePush(deps, push);
    }
    await saveCursor(deps.db, name, head.sha);
  }
}

async function branchesToWatch(deps: Deps, repository: RepositoryRef): Promise<readonly string[]> {
  const branch = await deps.github.defaultBranch(repository);
  const head = branch === null ? null : await deps.github.branchHead(repository, branch);
  if (!head) return [];
  const loaded = await loadGoverning(deps, repository, head.sha);
  if (loaded.kind !== 'ok') return [];
  const named = loaded.config.pipelines.flatMap((pipeline) => {
    const definition = loaded.definitions[pipeline.name];
    const filters = definition ? filtersOf(definition, pipeline.on) : {};
    return (filters.push ?? []).flatMap((filter) => filter.branches?.includes ?? []);
  });
  return [...new Set(named.filter((pattern) => !/[*?[{\\]/.test(pattern)))];
}

/** Draws everything that is live once more, and ends gates whose time is over. */
export async function sweepGates(deps: Deps): Promise<void> {
  // Those of AWS are looked at at their own pace.
  const onAws = new Set(await liveAwsExecutions(deps.db));
  for (const execution of await liveExecutions(deps.db)) {
    if (!onAws.has(execution)) await deps.engine.refresh(execution);
  }
  await expireGates(deps);
}
