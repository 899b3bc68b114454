import { enqueue } from '../db/jobs.ts';
import type { JobPayloads } from '../db/job-payloads.ts';
import type { ExecutionRecord } from '../db/executions.ts';
import { latestHead } from '../db/pull-request-heads.ts';
import { loadRepository } from '../db/repositories.ts';
import { decisionsFor } from '../db/start-decisions.ts';
import type { Deps } from '../deps.ts';
import { type renderStatus, renderStatusComment } from '../render/answers.ts';
import { knownExecutions, newestPerPipeline, type Asked } from './asked.ts';
import { viewOf, type ViewDeps } from './execution-view.ts';
import { isPush } from './gate-facts.ts';

type Known = Pick<Asked, 'records' | 'definitions'>;

/** Where the pipelines of a pull request stand, and why others did not start for its head: /status and the comment. */
export async function statusText(
  deps: ViewDeps,
  about: Known & {
    readonly repositoryId: number;
    readonly headSha?: string | undefined;
    readonly wanted?: string | undefined;
  },
  render: typeof renderStatus,
): Promise<string> {
  const { definitions, repositoryId, headSha, wanted } = about;
  const views = await Promise.all(
    newestPerPipeline(about, wanted).flatMap((record) => {
      const definition = definitions[record.execution.definition];
      return definition ? [viewOf(deps, record, definition)] : [];
    }),
  );
  const decided = headSha === undefined ? [] : await decisionsFor(deps.db, repositoryId, { sha: headSha });
  const notes = decided.filter((one) => wanted === undefined || one.pipeline === wanted);
  return render(views, notes);
}

/** A moment in which further changes become the same edit. */
const gatherMs = 1000;

/**
 * One job for each pull request: jobs of one key never overlap, so two pipelines that move at once make one comment.
 * A push that a merged pull request owns has its checks on the branch; nobody follows the comment any more.
 */
export async function askForStatusComment(deps: Pick<Deps, 'db'>, record: ExecutionRecord): Promise<void> {
  const { repositoryId, context } = record;
  const { pullRequest, statusComment } = context;
  if (statusComment !== true || pullRequest === undefined || isPush(record)) return;
  const payload = { repositoryId, pullRequest };
  const dedupeKey = `status-comment/${repositoryId}/${pullRequest}`;
  await enqueue(deps.db, { kind: 'status-comment', payload, dedupeKey, delayMs: gatherMs });
}

/** Writes the one comment of a pull request, or edits it in place; nothing is sent when it says so already. */
export async function keepStatusComment(
  deps: ViewDeps,
  { repositoryId, pullRequest }: JobPayloads['status-comment'],
): Promise<void> {
  const repository = await loadRepository(deps.db, repositoryId);
  if (!repository) return;
  const known = await knownExecutions(deps, repositoryId, pullRequest);
  const own = { ...known, records: known.records.filter((record) => !isPush(record)) };
  const headSha = (await latestHead(deps.db, repositoryId, pullRequest))?.headSha;
  const body = await statusText(deps, { ...own, repositoryId, headSha }, renderStatusComment);
  await deps.github.comment(repository, pullRequest, body, 'status');
}
