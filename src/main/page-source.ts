import { loadDefinitions } from '../db/definitions.ts';
import { findExecution, recentExecutions, type ExecutionRecord } from '../db/executions.ts';
import { loadRepository } from '../db/repositories.ts';
import type { Deps } from '../deps.ts';
import { earlierAttempts } from '../handlers/execution-view.ts';
import { executionPageData, type ExecutionPageData } from '../web/page-data.ts';

type SourceDeps = Pick<Deps, 'db'> & { readonly githubWebUrl: string };

/** What the page of an execution shows, from the stored state; null when there is no such execution. */
export async function loadPage(deps: SourceDeps, id: string): Promise<ExecutionPageData | null> {
  const record = await findExecution(deps.db, id);
  return record ? pageOf(deps, record) : null;
}

/** Newest first. */
export async function recentPages(deps: SourceDeps, limit: number): Promise<readonly ExecutionPageData[]> {
  const records = await recentExecutions(deps.db, { limit });
  const pages = await Promise.all(records.map((record) => pageOf(deps, record)));
  return pages.filter((page) => page !== null);
}

async function pageOf(deps: SourceDeps, record: ExecutionRecord): Promise<ExecutionPageData | null> {
  const repository = await loadRepository(deps.db, record.repositoryId);
  const definitions = await loadDefinitions(deps.db, [record.execution.definition]);
  const definition = definitions[record.execution.definition];
  if (!repository || !definition) return null;
  return executionPageData({
    repository,
    githubWebUrl: deps.githubWebUrl,
    execution: record.execution,
    definition,
    context: record.context,
    live: record.live,
    earlierAttempts: await earlierAttempts(deps, record),
  });
}
