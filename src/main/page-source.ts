import { findActionExecution, listActionExecutions } from '../db/action-executions.ts';
import { loadDefinitions } from '../db/definitions.ts';
import { findExecution, recentExecutions, type ExecutionRecord } from '../db/executions.ts';
import { loadRepository } from '../db/repositories.ts';
import type { Deps } from '../deps.ts';
import { earlierAttempts, toldByBuilds } from '../handlers/execution-view.ts';
import type { ArtifactStore } from '../providers/artifact-store.ts';
import { executionPageData, type ArtifactPageData, type ExecutionPageData } from '../web/page-data.ts';

type SourceDeps = Pick<Deps, 'db'> & {
  readonly githubWebUrl: string;
  /** The artifacts of this host. */
  readonly artifacts?: ArtifactStore;
  /** What actions that ran on this host say about the code. */
  readonly findings?: Deps['findings'];
};

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
  const earlier = await earlierAttempts(deps, record);
  const { findings } = deps;
  return executionPageData({
    repository,
    githubWebUrl: deps.githubWebUrl,
    execution: record.execution,
    definition,
    context: record.context,
    live: record.live,
    earlierAttempts: earlier,
    ...(findings ? await toldByBuilds({ findings }, record.execution, earlier) : {}),
    ...(deps.artifacts ? { artifacts: await artifactsOf(deps, deps.artifacts, record.execution.id) } : {}),
  });
}

/** What each attempt stored, as far as it lies on this host. */
async function artifactsOf(
  { db }: Pick<Deps, 'db'>,
  store: ArtifactStore,
  execution: string,
): Promise<Readonly<Record<string, readonly ArtifactPageData[]>>> {
  const found: Record<string, ArtifactPageData[]> = {};
  for (const { id, input } of await listActionExecutions(db, execution)) {
    for (const { name, location } of input?.outputArtifacts ?? []) {
      const stored = await store.describe(location);
      if (stored) (found[id] ??= []).push({ name, size: stored.size, sha256: stored.sha256 });
    }
  }
  return found;
}

/** The file of one artifact, its bytes checked against the digest that was taken when it was stored. */
export async function artifactFile(
  { db }: Pick<Deps, 'db'>,
  store: ArtifactStore,
  asked: { readonly actionExecution: string; readonly name: string },
): Promise<string | null> {
  const row = await findActionExecution(db, asked.actionExecution);
  const artifact = row?.input?.outputArtifacts.find((one) => one.name === asked.name);
  return artifact ? ((await store.get(artifact.location))?.file ?? null) : null;
}
