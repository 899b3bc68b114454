import type { Kysely } from 'kysely';
import type { Database } from '../../db/database.ts';
import { loadDefinitions } from '../../db/definitions.ts';
import { findExecution, type ExecutionRecord } from '../../db/executions.ts';
import { loadRepository } from '../../db/repositories.ts';
import type { RepositoryRef } from '../../github/github.ts';
import type { PipelineDefinition, RuleDeclaration, StageDeclaration } from '../../pipeline/definition.ts';
import type { ConditionKind, RuleRun, StageRun } from '../../pipeline/execution.ts';

/** One evaluation of one rule with everything that the database knows around it. */
export interface RuleSite {
  readonly record: ExecutionRecord;
  readonly definition: PipelineDefinition;
  readonly declaration: RuleDeclaration;
  readonly stage: StageRun;
  readonly condition: ConditionKind;
  readonly run: RuleRun;
  readonly repository: RepositoryRef;
}

const kinds: readonly ConditionKind[] = ['beforeEntry', 'onSuccess', 'onFailure'];

/** `undefined` when the stage was tried again meanwhile, or the execution is gone: nothing is left to do. */
export async function findRuleSite(
  db: Kysely<Database>,
  execution: string,
  rule: string,
): Promise<RuleSite | undefined> {
  const record = await findExecution(db, execution);
  if (!record) return undefined;
  const definitions = await loadDefinitions(db, [record.execution.definition]);
  const definition = definitions[record.execution.definition];
  const repository = await loadRepository(db, record.repositoryId);
  if (!definition || !repository) return undefined;
  for (const stage of record.execution.stages) {
    for (const condition of kinds) {
      const run = stage.conditions?.[condition]?.rules.find((one) => one.id === rule);
      if (!run) continue;
      const declaration = declaredRule(definition, stage.stage, condition, run.rule);
      return declaration && { record, definition, declaration, stage, condition, run, repository };
    }
  }
  return undefined;
}

function declaredRule(
  definition: PipelineDefinition,
  stage: string,
  kind: ConditionKind,
  rule: string,
): RuleDeclaration | undefined {
  const declared: StageDeclaration | undefined = definition.stages.find((one) => one.name === stage);
  return declared?.[kind]?.conditions?.flatMap((condition) => condition.rules).find((one) => one.name === rule);
}
