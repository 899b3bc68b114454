import { recordAudit } from '../db/audit.ts';
import { adoptExecution, type ExecutionRecord } from '../db/executions.ts';
import type { Deps } from '../deps.ts';
import type { Account, PullRequest, RepositoryRef } from '../github/github.ts';
import { isPush } from './gate-facts.ts';
import { authorsOfPullRequest, together, type Authorship } from './gather-context.ts';
import { headPusher } from './head-pusher.ts';

/** Who merged it: lists of pull requests do not tell. */
export async function mergerOf(
  deps: Pick<Deps, 'github'>,
  repository: RepositoryRef,
  owner: PullRequest,
): Promise<Account | undefined> {
  return owner.mergedBy ?? (await deps.github.pullRequest(repository, owner.number))?.mergedBy;
}

/**
 * Who had a part in a merged pull request. Of a squash only its author stands in the pushed commits, and of no merge
 * whoever pushed its head; none of them counts for the gates of the push (SEC-B-02).
 */
export async function peopleBehind(
  deps: Pick<Deps, 'db' | 'github'>,
  repository: RepositoryRef,
  owner: PullRequest,
): Promise<Authorship> {
  const wrote = await authorsOfPullRequest(deps, repository, owner);
  const { number, headSha, headRef: branch, headRepositoryId } = owner;
  const fork = headRepositoryId !== repository.id;
  const pusher = await headPusher(deps, repository, { number, headSha, branch, fork });
  const pushed = pusher === null ? [] : [{ id: pusher, login: `github-${pusher}` }];
  return together(wrote, { authors: pushed, unmapped: [] });
}

/**
 * GitHub lags behind a merge, so a push execution may have started without the pull request that owns it: asked once
 * more while a gate waits, and stored. Who had a part in it, and who merged it, count no more from then on, as at a start.
 */
export async function findOwner(
  deps: Pick<Deps, 'db' | 'github'>,
  repository: RepositoryRef,
  record: ExecutionRecord,
): Promise<ExecutionRecord> {
  const { context, execution } = record;
  if (!isPush(record) || !record.waiting || context.pullRequest !== undefined) return record;
  const related = await deps.github.pullRequestsOf(repository, context.headSha);
  const owner = related.find((one) => one.merged && one.mergeSha === context.headSha);
  if (!owner) return record;
  const merger = await mergerOf(deps, repository, owner);
  const merged = merger ? [{ id: merger.id, login: merger.login }] : [];
  const known = { authors: [...merged, ...context.authors], unmapped: context.unmappedAuthors };
  const { authors, unmapped } = together(await peopleBehind(deps, repository, owner), known);
  const adopted = {
    ...(merger ? { lastPusher: { id: merger.id, login: merger.login } } : {}),
    ...context,
    pullRequest: owner.number,
    title: owner.title,
    authors,
    unmappedAuthors: unmapped,
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
