import { loadDefinitions } from '../db/definitions.ts';
import { findExecution } from '../db/executions.ts';
import { loadRepository } from '../db/repositories.ts';
import { renderExecution } from '../render/check-run.ts';
import { viewOf, type ViewDeps } from './execution-view.ts';
import { postCheck } from './post-check.ts';

/** Draws the newest stored state and sends the check runs that differ from what was last sent. Any number of times. */
export async function reportExecution(deps: ViewDeps, execution: string): Promise<void> {
  const record = await findExecution(deps.db, execution);
  if (!record) return;
  const repository = await loadRepository(deps.db, record.repositoryId);
  const definitions = await loadDefinitions(deps.db, [record.execution.definition]);
  const definition = definitions[record.execution.definition];
  if (!repository || !definition) return;
  const view = await viewOf(deps, record, definition);
  const { headSha } = record.context;
  for (const run of renderExecution(view)) await postCheck(deps, { repository, headSha, execution }, run);
}
