import type { Kysely } from 'kysely';
import type { Database } from '../../db/database.ts';
import { loadDefinitions } from '../../db/definitions.ts';
import { findExecution, type ExecutionRecord } from '../../db/executions.ts';
import { loadRepository } from '../../db/repositories.ts';
import type { RepositoryRef } from '../../github/github.ts';
import type { ActionDeclaration, PipelineDefinition } from '../../pipeline/definition.ts';
import type { ActionRun } from '../../pipeline/execution.ts';

/** One attempt of one action with everything that the database knows around it. */
export interface ActionSite {
  readonly record: ExecutionRecord;
  readonly definition: PipelineDefinition;
  readonly declaration: ActionDeclaration;
  readonly stage: string;
  readonly run: ActionRun;
  readonly repository: RepositoryRef;
}

/** `undefined` when the attempt is no longer the current one, or its execution is gone: nothing is left to do. */
export async function findSite(
  db: Kysely<Database>,
  execution: string,
  action: string,
): Promise<ActionSite | undefined> {
  const record = await findExecution(db, execution);
  if (!record) return undefined;
  const definitions = await loadDefinitions(db, [record.execution.definition]);
  const definition = definitions[record.execution.definition];
  const repository = await loadRepository(db, record.repositoryId);
  if (!definition || !repository) return undefined;
  for (const stage of record.execution.stages) {
    const run = stage.actions.find((one) => one.id === action);
    const declared = definition.stages.find((one) => one.name === stage.stage);
    const declaration = declared?.actions.find((one) => one.name === run?.action);
    if (run && declaration) return { record, definition, declaration, stage: stage.stage, run, repository };
  }
  return undefined;
}
