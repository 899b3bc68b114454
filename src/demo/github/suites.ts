/** A suite's status and conclusion are computed from the newest run of each name, never stored. */
import type { Site } from './site.ts';
import type { CheckRun, CheckStatus, CheckSuite, Repository } from './state.ts';

export function suiteRuns(site: Site, suite: CheckSuite): readonly CheckRun[] {
  return [...site.state.checkRuns.values()].filter((run) => run.suite === suite);
}

/** The newest run of each name, newest first. */
export function newestRuns(runs: readonly CheckRun[]): readonly CheckRun[] {
  const newest = new Map<string, CheckRun>();
  for (const run of runs) newest.set(run.name, run);
  return [...newest.values()].sort((a, b) => b.id - a.id);
}

export function suiteStatus(site: Site, suite: CheckSuite): CheckStatus {
  const runs = newestRuns(suiteRuns(site, suite));
  if (suite.reset || runs.length === 0) return 'queued';
  if (runs.every((run) => run.status === 'completed')) return 'completed';
  return runs.some((run) => run.status !== 'queued') ? 'in_progress' : 'queued';
}

/** The most pressing first. GitHub says that the highest priority wins and does not publish the order. */
const pressing = ['action_required', 'timed_out', 'failure', 'cancelled', 'success', 'neutral', 'skipped'];

export function suiteConclusion(site: Site, suite: CheckSuite): string | null {
  if (suiteStatus(site, suite) !== 'completed') return null;
  const conclusions = newestRuns(suiteRuns(site, suite)).map((run) => run.conclusion);
  return pressing.find((conclusion) => conclusions.includes(conclusion)) ?? 'success';
}

export function suitesOf(site: Site, repository: Repository, sha: string): readonly CheckSuite[] {
  return [...site.state.checkSuites.values()].filter(
    (suite) => suite.repository === repository && suite.headSha === sha,
  );
}

export function ensureSuite(site: Site, repository: Repository, sha: string, before: string | null = null): CheckSuite {
  const found = suitesOf(site, repository, sha)[0];
  if (found !== undefined) return found;
  const at = site.now();
  const branch = [...repository.refs].find(([ref, head]) => head === sha && ref.startsWith('refs/heads/'));
  const suite: CheckSuite = {
    id: site.state.nextId(),
    repository,
    headSha: sha,
    headBranch: branch?.[0].slice('refs/heads/'.length) ?? null,
    before,
    reset: false,
    createdAt: at,
    updatedAt: at,
  };
  site.state.checkSuites.set(suite.id, suite);
  return suite;
}

/** Runs on a commit, newest first. */
export function runsAt(site: Site, repository: Repository, sha: string): readonly CheckRun[] {
  return [...site.state.checkRuns.values()]
    .filter((run) => run.suite.repository === repository && run.suite.headSha === sha)
    .sort((a, b) => b.id - a.id);
}

export function newestRunsAt(site: Site, repository: Repository, sha: string): readonly CheckRun[] {
  return newestRuns([...runsAt(site, repository, sha)].reverse());
}
