/** Required checks: what stands between a pull request and its base. */
import { newestRunsAt } from './suites.ts';
import type { Site } from './site.ts';
import type { PullRequest } from './state.ts';

/** The conclusions that let a required check pass. */
const passing: readonly (string | null)[] = ['success', 'skipped', 'neutral'];

/** Names of required checks that do not pass on a commit: missing, running, or concluded otherwise. */
export function failingChecks(site: Site, pull: PullRequest, sha = pull.head.sha): readonly string[] {
  const required = pull.repository.requiredChecks.get(pull.base.ref) ?? [];
  const runs = newestRunsAt(site, pull.repository, sha);
  return required.filter((name) => !runs.some((run) => run.name === name && passing.includes(run.conclusion)));
}

export function refuseUnlessChecksPass(site: Site, pull: PullRequest, sha?: string): void {
  const failing = failingChecks(site, pull, sha);
  if (failing.length > 0)
    throw new Error(`pull request ${pull.number} waits for required checks: ${failing.join(', ')}`);
}
