import { loadDefinitions } from '../db/definitions.ts';
import { executionsFor, findExecution, type ExecutionRecord } from '../db/executions.ts';
import { enqueue } from '../db/jobs.ts';
import { loadRepository } from '../db/repositories.ts';
import type { Deps } from '../deps.ts';
import type { Execution } from '../pipeline/execution.ts';
import { renderExecution } from '../render/check-run.ts';
import { viewOf, type ViewDeps } from './execution-view.ts';
import { announceGates } from './gate-notices.ts';
import { findOwner } from './push-owner.ts';
import { postCheck } from './post-check.ts';
import { askForStatusComment } from './status-comment.ts';

/** Draws the newest stored state and sends the check runs that differ from what was last sent. Any number of times. */
export async function reportExecution(deps: ViewDeps & Pick<Deps, 'publicUrl'>, execution: string): Promise<void> {
  const found = await findExecution(deps.db, execution);
  // Started through the CodePipeline API: there is no commit on GitHub to report on.
  if (found?.context.headSha === '') return;
  const repository = found && (await loadRepository(deps.db, found.repositoryId));
  if (!found || !repository) return;
  const record = await findOwner(deps, repository, found);
  const definitions = await loadDefinitions(deps.db, [record.execution.definition]);
  const definition = definitions[record.execution.definition];
  if (!definition) return;
  const view = await viewOf(deps, record, definition);
  const { headSha } = record.context;
  const newest = await newestOnCommit(deps, record);
  const key = { repository, headSha, execution, onTop: newest === execution };
  let sent = false;
  for (const run of renderExecution(view)) {
    const round = roundOf(record.execution, run.stage);
    if ((await postCheck(deps, { ...key, round }, run)) === 'sent') sent = true;
  }
  if (sent && newest !== execution)
    await enqueue(deps.db, { kind: 'report', payload: { execution: newest }, dedupeKey: `report/${newest}` });
  await announceGates(deps, repository, { record, view });
  await askForStatusComment(deps, record);
}

/**
 * Of the executions of a lane for one commit (`/rerun`, `/run`) GitHub shows under each name whichever run was posted last:
 * the newest execution goes on top again when an earlier one has moved.
 */
async function newestOnCommit({ db }: Pick<Deps, 'db'>, record: ExecutionRecord): Promise<string> {
  const { repositoryId, context, execution } = record;
  const onCommit = await executionsFor(db, repositoryId, context.headSha);
  return onCommit.find((one) => one.execution.lane === execution.lane)?.execution.id ?? execution.id;
}

/** Retries of the stage so far; of all stages for the aggregate. */
function roundOf({ stages }: Execution, stage: string): number {
  const shown = stages.filter((run) => stage === '' || run.stage === stage);
  return shown.reduce((sum, run) => sum + run.attempt - 1, 0);
}
