import { recordAudit } from '../db/audit.ts';
import { adoptExecution, type ExecutionRecord } from '../db/executions.ts';
import type { Deps } from '../deps.ts';
import type { Account, PullRequest, RepositoryRef } from '../github/github.ts';
import { isPush } from './gate-facts.ts';

/** Who merged it: lists of pull requests do not tell. */
export async function mergerOf(
  deps: Pick<Deps, 'github'>,
  repository: RepositoryRef,
  owner: PullRequest,
): Promise<Account | undefined> {
  return owner.mergedBy ?? (await deps.github.pullRequest(repository, owner.number))?.mergedBy;
}

/**
 * GitHub lags behind a merge, so a push execution may have started without the pull request that owns it: asked once
 * more while a gate waits, and stored. Its author and who
 * merged it count no more from then on, as at a start.
 */
export async function findOwner(
  deps: Pick<Deps, 'db' | 'github'>,
  repository: RepositoryRef,
  record: ExecutionRecord,
): Promise<ExecutionRecord> {
  const { context, execution } = record;
  if (!isPush(record) || !record.waiting || context.pullRequest !== undefined) return record;
  const known = await deps.github.pullRequestsOf(repository, context.headSha);
  const owner = known.find((one) => one.merged && one.mergeSha === context.headSha);
  if (!owner) return record;
  const merger = await mergerOf(deps, repository, owner);
  const first = [owner.author, ...(merger ? [merger] : [])].map(({ id, login }) => ({ id, login }));
  const people = new Map([...first, ...context.authors].map((one) => [one.id, one]));
  const adopted = {
    ...(merger ? { lastPusher: { id: merger.id, login: merger.login } } : {}),
    ...context,
    pullRequest: owner.number,
    title: owner.title,
    authors: [...people.values()],
  };
  await deps.db.transaction().execute(async (trx) => {
    await adoptExecution(trx, execution.id, { pullRequest: owner.number, context: adopted });
    await recordAudit(trx, {
      repositoryId: repository.id,
      execution: execution.id,
      who: 'Penstock',
      what: 'owner-found',
      why: `pull request #${owner.number} was merged as ${context.headSha.slice(0, 7)}`,
      detail: { pullRequest: owner.number, headSha: context.headSha },
    });
  });
  return { ...record, pullRequest: owner.number, context: adopted };
}
