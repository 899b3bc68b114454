import type { Kysely } from 'kysely';
import type { Database } from '../../db/database.ts';
import { loadDefinitions } from '../../db/definitions.ts';
import { findExecution, type ExecutionRecord } from '../../db/executions.ts';
import { loadRepository } from '../../db/repositories.ts';
import type { RepositoryRef } from '../../github/github.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';

/** An execution with the declaration it was started with and the repository it belongs to. */
export interface ExecutionSite {
  readonly record: ExecutionRecord;
  readonly definition: PipelineDefinition;
  readonly repository: RepositoryRef;
}

/** `undefined` when the execution, its declaration or its repository is gone. */
export async function findExecutionSite(db: Kysely<Database>, execution: string): Promise<ExecutionSite | undefined> {
  const record = await findExecution(db, execution);
  if (!record) return undefined;
  const definitions = await loadDefinitions(db, [record.execution.definition]);
  const definition = definitions[record.execution.definition];
  const repository = await loadRepository(db, record.repositoryId);
  return definition && repository ? { record, definition, repository } : undefined;
}
