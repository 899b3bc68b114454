import type { Deps } from '../deps.ts';
import type { RepositoryRef } from '../github/github.ts';
import { formatProblem, type Problem } from '../pipeline/problem.ts';
import { renderBrokenConfig } from '../render/plain-checks.ts';
import { postCheck } from './post-check.ts';
import { recordStart } from './record-start.ts';

/** Where a broken configuration is shown, and what made us look. */
export interface BrokenAt {
  readonly repository: RepositoryRef;
  readonly headSha: string;
  readonly pullRequest?: number;
  /** Guid of the delivery that asked; the sweep has none. */
  readonly delivery?: string | undefined;
}

/** A configuration that cannot be used is a failed check with file, line and mend: never silence. */
export async function postBroken(
  deps: Pick<Deps, 'db' | 'github' | 'publicUrl'>,
  { repository, headSha, pullRequest, delivery }: BrokenAt,
  name: string,
  problems: readonly Problem[],
): Promise<void> {
  const errors = problems.filter((problem) => problem.severity === 'error');
  const decision = {
    repositoryId: repository.id,
    pipeline: name,
    headSha,
    ...(pullRequest === undefined ? {} : { pullRequest }),
    ...(delivery === undefined ? {} : { delivery }),
    outcome: 'broken' as const,
    reason: errors[0] ? formatProblem(errors[0]) : 'the configuration cannot be read',
  };
  await recordStart(deps, decision, { kind: 'penstock', why: 'the configuration is broken' });
  const view = renderBrokenConfig(name, errors, deps.publicUrl);
  await postCheck(deps, { repository, headSha, execution: null }, view);
}
